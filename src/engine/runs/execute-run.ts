/** Executes one run: its assets in dependency order, each with its tries, timeouts and value. */
import type { MetadataValue } from '../../model/json-value.ts';
import { describe } from '../../model/failure-words.ts';
import type { Problem } from '../../model/problem.ts';
import { type Failure, FailureError } from '../../model/failure.ts';
import type { IoManager } from '../../definitions/io-manager.ts';
import { ERROR_LIMIT, METADATA_LIMIT, recordable, recordableJson } from '../../model/recordable.ts';
import { whyNotJson } from '../../model/json-value.ts';
import { skipReasonOf } from '../../definitions/skip.ts';
import { upstreamPartition } from '../../definitions/mapping.ts';
import type { Carried } from '../../model/carried.ts';
import { isThere as isMade, type PartitionRef, type PartitionStatus } from '../../model/partition-status.ts';
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import { type AssetOutcome, type FinalRunStatus, outcomeOf } from '../../model/run.ts';
import type { Clock } from '../../model/time.ts';
import type { RunLogLine } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import { makeExec, withoutOutput } from '../user-code/exec.ts';
import type { Programs } from '../user-code/programs.ts';
import { retryDelay } from '../plan/retry/retry-delay.ts';
import { withTimeLimit } from '../user-code/time-limit.ts';
import { describeThrown } from '../../model/thrown.ts';
import { LineWriter, writingTo } from '../user-code/output.ts';

/** An event loop that has not turned for so long is blocked: no asset that has no timeout of its own may take it for longer. */
const MAY_BLOCK_MS = 5 * 60_000;

/** An event loop that lets a timer wait for so long is blocked. */
const LATE_MS = 5000;

/** After an abort, user code that ignores its signal is waited for so long. */
export const GRACE_MS = 10_000;

export interface RunTask {
  readonly id: string;
  readonly partitionKey: string | null;
  readonly assets: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** What an earlier execution of it has made, and is on record: it is not made again. */
  readonly done: readonly AssetOutcome[];
}

export interface ExecutionContext {
  readonly pipeline: Pipeline;
  readonly ioManager: IoManager;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What is on record of an upstream that is not part of the run. */
  readonly statusOf: (partition: PartitionRef) => PartitionStatus;
  /** An asset of a run begins: what its key carries. What changes from now on makes stale what comes of it. */
  readonly beginsWith: (runId: string, asset: string) => Carried;
  readonly appendLog: (runId: string, lines: readonly RunLogLine[]) => void;
  /** The run has ended: what it wrote is to be in its log. */
  readonly closeLog: (runId: string) => void;
  /** An asset of a run is made, and others follow. */
  readonly made: (runId: string, outcome: AssetOutcome) => void;
  /** User code of an asset begins, which may keep the event loop from turning for so long. */
  readonly begun: (runId: string, mayBlockMs: number) => void | Promise<void>;
  /** What the run's user code starts. */
  readonly programsOf: (runId: string) => Programs;
}

/** What became of a run; `interrupted` when it was stopped before its end. */
export type RunEnding =
  | {
      readonly type: 'ended';
      readonly status: Exclude<FinalRunStatus, 'CANCELED'>;
      readonly assets: readonly AssetOutcome[];
      readonly error: Problem | null;
    }
  | { readonly type: 'interrupted' };

/**
 * Executes a run, here or elsewhere. What goes in and what comes out is data.
 * @throws FailureError when one of dynpart's own files cannot be read or written: that is no failure of the run
 */
export type ExecuteRun = (task: RunTask, interrupt: AbortSignal) => Promise<RunEnding>;

/** In this process, on its event loop. */
export function executeHere(context: ExecutionContext): ExecuteRun {
  return (task, interrupt) => executeRun(task, context, interrupt);
}

async function executeRun(
  task: RunTask,
  context: ExecutionContext,
  interrupt: AbortSignal,
): Promise<RunEnding> {
  const programs = context.programsOf(task.id);
  try {
    return await materializeAll(task, { context, interrupt, programs });
  } finally {
    // What a program left behind ends with the run: the next one of this key must not work beside it.
    await programs.end();
    context.closeLog(task.id);
  }
}

async function materializeAll(task: RunTask, execution: Execution): Promise<RunEnding> {
  const { context } = execution;
  const outcomes = new Map(task.done.map((outcome) => [outcome.asset, outcome]));
  const left = task.assets.filter((name) => !outcomes.has(name));
  for (const name of left) {
    const definition = context.pipeline.assets.get(name);
    const ended =
      definition === undefined
        ? failed(
            { asset: name, version: context.beginsWith(task.id, name).version, codeVersion: null },
            { reason: 'unknown-asset', asset: name },
          )
        : await materialize(definition, task, outcomes, execution);
    if (ended === 'interrupted') return { type: 'interrupted' };
    outcomes.set(name, ended);
    const isMade = ended.status === 'SUCCESS' || ended.skipReason !== null;
    if (isMade && name !== left.at(-1)) context.made(task.id, ended);
  }
  const assets = task.assets.map((name) => outcomes.get(name)!);
  const failures = assets.filter(({ status }) => status === 'FAILURE');
  if (failures.length === 0) return { type: 'ended', status: 'SUCCESS', assets, error: null };
  return { type: 'ended', status: 'FAILURE', assets, error: failures[0]!.error };
}

async function materialize(
  asset: AssetDefinition,
  task: RunTask,
  outcomes: ReadonlyMap<string, AssetOutcome>,
  execution: Execution,
): Promise<AssetOutcome | 'interrupted'> {
  const { context, interrupt, programs } = execution;
  const carried = context.beginsWith(task.id, asset.name);
  const about = { asset: asset.name, version: carried.version, codeVersion: asset.codeVersion };
  for (const upstream of asset.upstream) {
    const outcome = outcomes.get(upstream);
    if (outcome?.skipReason != null) return skipped(about, outcome.skipReason);
    if (outcome !== undefined && outcome.status !== 'SUCCESS') {
      const error = describe({ reason: 'upstream-failed', asset: asset.name, upstream });
      return outcomeOf({ asset: asset.name, status: 'SKIPPED', error });
    }
    const partition = upstreamPartition(context.pipeline, upstream, task.partitionKey);
    if (outcome === undefined && context.statusOf(partition) === 'skipped')
      return skipped(about, `asset '${upstream}' was skipped`);
  }
  const inputs = [...asset.inputs.values()];
  for (const upstream of inputs.filter((name) => !outcomes.has(name))) {
    const partition = upstreamPartition(context.pipeline, upstream, task.partitionKey);
    const { key } = partition;
    try {
      if (await isThere(partition, context)) continue;
    } catch (error) {
      // A user's own I/O manager; dynpart's own files are no failure of the asset.
      if (error instanceof FailureError) throw error;
      return failed(about, { reason: 'asset-threw', asset: asset.name, key, ...describeThrown(error) });
    }
    return failed(about, { reason: 'upstream-missing', asset: asset.name, key, upstream });
  }
  const mayBlockMs = asset.timeoutMs === null ? MAY_BLOCK_MS : asset.timeoutMs + LATE_MS;
  const noted = context.begun(task.id, mayBlockMs);
  if (noted !== undefined) await noted;
  for (let attempt = 1; ; attempt++) {
    if (interrupt.aborted) return 'interrupted';
    const ending = await tryOnce(asset, task, { ...execution, attempt, carried });
    if (ending === 'interrupted' || 'asset' in ending) return ending;
    const last = attempt > asset.retry.maxRetries;
    if (last) return failed({ ...about, attempts: attempt }, ending.failure);
    await programs.end();
    const retryInMs = retryDelay(asset.retry, attempt, context.clock.random());
    const problem = describe(ending.failure);
    context.emit({
      type: 'attempt-failed',
      run: task.id,
      asset: asset.name,
      partitionKey: task.partitionKey,
      attempt,
      problem,
      retryInMs,
    });
    await context.clock.sleep(retryInMs, interrupt);
  }
}

type Execution = Omit<Attempt, 'attempt' | 'carried'>;

interface Attempt {
  readonly context: ExecutionContext;
  readonly interrupt: AbortSignal;
  readonly programs: Programs;
  readonly attempt: number;
  /** By the key of the run. */
  readonly carried: Carried;
}

/** One try. A failure of user code, and of a user's own I/O manager, is a failure of the asset. */
async function tryOnce(
  asset: AssetDefinition,
  task: RunTask,
  { context, interrupt, programs, attempt, carried }: Attempt,
): Promise<AssetOutcome | 'interrupted' | { readonly failure: Failure }> {
  const { partitionKey } = task;
  const { ioManager } = context;
  const { version, item } = carried;
  const { codeVersion } = asset;
  const metadata: Record<string, MetadataValue> = {};
  const writer = new LineWriter((line) => {
    context.appendLog(task.id, [{ ...line, asset: asset.name, attempt }]);
    context.emit({
      type: 'output',
      source: partitionKey === null ? asset.name : `${asset.name}@${partitionKey}`,
      line,
    });
  }, context.clock);
  const threw = (error: unknown): { failure: Failure } => {
    // dynpart's own files: not the asset's doing, and not to be written down as such.
    if (error instanceof FailureError) throw error;
    const failure = {
      reason: 'asset-threw',
      asset: asset.name,
      key: partitionKey,
      ...describeThrown(error),
    } as const;
    const logged = { ...failure, message: withoutOutput(error) ?? failure.message };
    writer.line('stderr', describe(logged).message);
    return { failure };
  };
  const ending = await withTimeLimit(
    { ms: asset.timeoutMs, interrupt, graceMs: GRACE_MS, clock: context.clock },
    (signal) =>
      writingTo(writer, async () => {
        const inputs: Record<string, unknown> = {};
        for (const [input, upstream] of asset.inputs) {
          inputs[input] = await ioManager.load({
            asset: upstream,
            partitionKey: upstreamPartition(context.pipeline, upstream, partitionKey).key,
          });
        }
        return asset.materialize({
          partitionKey,
          item,
          version,
          inputs: inputs as never,
          run: { id: task.id, tags: task.tags, attempt },
          log: writer.log(),
          exec: makeExec({ writer, signal, programs }),
          signal,
          addMetadata: (more) => Object.assign(metadata, checkedMetadata(more, metadata)),
        });
      }),
  );
  writer.end();
  switch (ending.type) {
    case 'interrupted':
      return 'interrupted';
    case 'timeout': {
      const failure: Failure = {
        reason: 'asset-timeout',
        asset: asset.name,
        key: partitionKey,
        ms: asset.timeoutMs!,
      };
      writer.line('stderr', describe(failure).message);
      return { failure };
    }
    case 'threw':
      return threw(ending.error);
    case 'returned': {
      const { value } = ending;
      const made = { asset: asset.name, attempts: attempt, metadata, version, codeVersion };
      const skipReason = skipReasonOf(value);
      if (skipReason !== null)
        return outcomeOf({ ...made, status: 'SKIPPED', skipReason: recordable(skipReason, ERROR_LIMIT) });
      try {
        // Looking at a value can run the user's code, too: a getter, a proxy.
        const kept =
          context.pipeline.ioManager !== null || value === undefined || value instanceof Uint8Array;
        const wrong = kept ? null : whyNotJson(value);
        if (wrong !== null) {
          const failure: Failure = {
            reason: 'value-not-json',
            asset: asset.name,
            key: partitionKey,
            ...wrong,
          };
          writer.line('stderr', describe(failure).message);
          return { failure };
        }
        await ioManager.save({ asset: asset.name, partitionKey, run: { id: task.id } }, value);
      } catch (error) {
        return threw(error);
      }
      return outcomeOf({ ...made, status: 'SUCCESS' });
    }
  }
}

/** Metadata stands in the history as JSON: a copy, so that what user code changes later changes no record. */
function checkedMetadata(
  more: unknown,
  before: Readonly<Record<string, MetadataValue>>,
): Record<string, MetadataValue> {
  if (typeof more !== 'object' || more === null || Array.isArray(more)) {
    throw new TypeError('addMetadata takes an object such as { words: 12 }');
  }
  const wrong = whyNotJson(more, 'metadata');
  if (wrong !== null) throw new TypeError(`addMetadata takes JSON: ${wrong.path} ${wrong.why}`);
  const copy = recordableJson(JSON.stringify(more)) as Record<string, MetadataValue>;
  const bytes = Buffer.byteLength(JSON.stringify({ ...before, ...copy }));
  if (bytes > METADATA_LIMIT)
    throw new TypeError(`addMetadata takes ${METADATA_LIMIT} bytes of JSON in all, and these are ${bytes}`);
  return copy;
}

async function isThere(partition: PartitionRef, context: ExecutionContext): Promise<boolean> {
  if (!isMade(context.statusOf(partition))) return false;
  const { ioManager } = context;
  const { asset, key } = partition;
  return ioManager.exists === undefined || ioManager.exists({ asset, partitionKey: key });
}

type About = Pick<AssetOutcome, 'asset' | 'version' | 'codeVersion'> & Partial<AssetOutcome>;

function failed(about: About, failure: Failure): AssetOutcome {
  return outcomeOf({ ...about, status: 'FAILURE', error: describe(failure) });
}

/** What depends on it is skipped as well, for the reason of the first. */
function skipped(about: About, skipReason: string): AssetOutcome {
  return outcomeOf({ ...about, status: 'SKIPPED', skipReason });
}
