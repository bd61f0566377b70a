/** Executes one run: its assets in dependency order, each with its tries, timeouts and value. */
import type { RunTask } from '../plan/executors/owned-run.ts';
import { upstreamPartition } from '../../definitions/mapping.ts';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import { poolOf } from '../../definitions/pool.ts';
import type { StagedValue } from '../../definitions/staged-values.ts';
import type { Carried } from '../../model/carried.ts';
import { describe } from '../../model/describe-failure.ts';
import { type Failure, FailureError } from '../../model/failure.ts';
import { isThere as isMade, type PartitionRef, type PartitionStatus } from '../../model/partition-status.ts';
import type { Problem } from '../../model/problem.ts';
import { MAY_BLOCK_MS } from '../../model/may-block.ts';
import { type AssetOutcome, type FinalRunStatus, outcomeOf } from '../../model/run.ts';
import { describeThrown } from '../../model/thrown.ts';
import type { AttemptEnded } from '../event.ts';
import type { GatheredKeys } from '../plan/gather/keys-there.ts';
import { nextTryIn } from '../plan/retry/retry-within-run.ts';
import { type Interrupt, signalOf } from '../user-code/interruption.ts';
import type { Programs } from '../user-code/programs.ts';
import { asKept, whatIsMissing } from './gathered-values.ts';
import { type Batches, byItself } from './batches.ts';
import type { Isolated, Room } from './isolated.ts';
import { type Attempt, type Tried, type TryContext, tryOnce } from './try-asset.ts';

/** An event loop that lets a timer wait for so long is blocked. */
const LATE_MS = 5000;

export interface ExecutionContext extends TryContext {
  /** What is on record of an upstream that is not part of the run. */
  readonly statusOf: (partition: PartitionRef) => PartitionStatus;
  /** An asset of a run begins: what its key carries. What changes from now on makes stale what comes of it. */
  readonly beginsWith: (runId: string, asset: string) => Carried;
  /**
   * What an asset of a run takes of many upstream keys, as it is on record when all that this process has made of them is. What
   * changes from then on makes stale what comes of it.
   */
  readonly gather: (
    runId: string,
    asset: string,
    interrupt: Interrupt,
  ) => Promise<readonly GatheredKeys[] | 'interrupted'>;
  /** The run has ended: what it wrote is to be in its log. */
  readonly closeLog: (runId: string) => void;
  /** An asset of a run is made, and others follow. */
  readonly made: (runId: string, made: MadeAsset) => void;
  /** User code of an asset begins, which may keep the event loop from turning for so long. */
  readonly begun: (runId: string, mayBlockMs: number) => void | Promise<void>;
  /** What the run's user code starts. */
  readonly programsOf: (runId: string) => Programs;
  /** Where assets are tried that have a process of their own. Default: here. */
  readonly isolated?: Isolated;
  /** Brings runs together whose asset makes many keys in one call. Default: each is called for by itself. */
  readonly batches?: Batches;
}

/** An asset that is made, and what was staged of its run until then. */
export interface MadeAsset {
  readonly outcome: AssetOutcome;
  readonly staged: readonly StagedValue[];
}

/** What became of a run; `interrupted` when it was stopped before its end. */
export type RunEnding =
  | {
      readonly type: 'ended';
      readonly status: Exclude<FinalRunStatus, 'CANCELED'>;
      readonly assets: readonly AssetOutcome[];
      readonly error: Problem | null;
      /** For whoever commits the end: these values wait to be put in place. */
      readonly staged: readonly StagedValue[];
      /** Of assets that failed and asked for it: in how many milliseconds they are to be tried again. */
      readonly asked: ReadonlyMap<string, number>;
    }
  | { readonly type: 'interrupted' };

/**
 * Executes a run: here, in a thread or in another process. What goes in and what comes out is plain data.
 * @throws FailureError when one of dynpart's own files cannot be read or written: that is no failure of the run
 */
export type ExecuteRun = (task: RunTask, interrupt: Interrupt) => Promise<RunEnding>;

/** In this process, on its event loop. */
export function executeHere(context: ExecutionContext): ExecuteRun {
  return (task, interrupt) => executeRun(task, context, interrupt);
}

async function executeRun(
  task: RunTask,
  context: ExecutionContext,
  interrupt: Interrupt,
): Promise<RunEnding> {
  const programs = context.programsOf(task.id);
  try {
    return await materializeAll(task, { context, interrupt, programs, asked: new Map() });
  } finally {
    // What a program left behind ends with the run: the next one of this key must not work beside it.
    if (programs.mayBeLeft) await programs.end();
    context.closeLog(task.id);
  }
}

type Execution = Omit<Attempt, 'attempt' | 'carried' | 'context' | 'gathered'> & {
  readonly context: ExecutionContext;
  /** Filled by assets that fail and ask for a time. */
  readonly asked: Map<string, number>;
};

async function materializeAll(task: RunTask, execution: Execution): Promise<RunEnding> {
  const { context, asked } = execution;
  const stagedOf = ({ id }: RunTask): readonly StagedValue[] => context.ioManager.staged?.(id) ?? [];
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
    // Some end before they come so far.
    context.batches?.comesNoMore(task.id, name);
    outcomes.set(name, ended);
    const isMade = ended.status === 'SUCCESS' || ended.skipReason !== null;
    if (isMade && name !== left.at(-1)) context.made(task.id, { outcome: ended, staged: stagedOf(task) });
  }
  const assets = task.assets.map((name) => outcomes.get(name)!);
  const staged = stagedOf(task);
  const failures = assets.filter(({ status }) => status === 'FAILURE');
  const end = { type: 'ended', assets, staged, asked } as const;
  if (failures.length === 0) return { ...end, status: 'SUCCESS', error: null };
  return { ...end, status: 'FAILURE', error: failures[0]!.error };
}

const HERE: Room = { tryOnce };

/** Where it is tried. `null`: nothing begins any more. */
function roomFor(
  asset: AssetDefinition,
  task: RunTask,
  { context, interrupt }: Execution,
): Room | Promise<Room | null> {
  const { batches, isolated, programsOf } = context;
  if (asset.batch !== null)
    return batches === undefined ? byItself(programsOf) : batches.enter(asset, task, interrupt);
  const elsewhere = asset.isIsolated ? isolated : undefined;
  const enter = (): Room | Promise<Room | null> => elsewhere?.enter(asset, interrupt) ?? HERE;
  const waits = batches?.goesOn(task, interrupt);
  return waits === undefined ? enter() : waits.then(enter);
}

async function materialize(
  asset: AssetDefinition,
  task: RunTask,
  outcomes: ReadonlyMap<string, AssetOutcome>,
  execution: Execution,
): Promise<AssetOutcome | 'interrupted'> {
  const { context, interrupt, programs, asked } = execution;
  const carried = context.beginsWith(task.id, asset.name);
  const about = { asset: asset.name, version: carried.version, codeVersion: asset.codeVersion };
  /** Where another run has skipped since what this one has on record as made, or has made what it skipped, the state says what is there. */
  const cameTo = (upstream: string): AssetOutcome | undefined => {
    const outcome = outcomes.get(upstream);
    if (outcome === undefined || !task.done.includes(outcome)) return outcome;
    const status = context.statusOf(upstreamPartition(context.pipeline, upstream, task.partitionKey));
    return (status === 'skipped') === (outcome.skipReason !== null) ? outcome : undefined;
  };
  for (const upstream of asset.upstream) {
    const outcome = cameTo(upstream);
    if (outcome?.skipReason != null) return skipped(about, outcome.skipReason);
    if (outcome !== undefined && outcome.status !== 'SUCCESS') {
      const error = describe({ reason: 'upstream-failed', run: task.id, asset: asset.name, upstream });
      return outcomeOf({ asset: asset.name, status: 'SKIPPED', error });
    }
    const partition = upstreamPartition(context.pipeline, upstream, task.partitionKey);
    if (outcome === undefined && context.statusOf(partition) === 'skipped')
      return skipped(about, `asset '${upstream}' was skipped`);
  }
  let gathered: readonly GatheredKeys[] = [];
  if (asset.gathers.length > 0) {
    try {
      const found = await context.gather(task.id, asset.name, interrupt);
      if (found === 'interrupted') return found;
      gathered = await asKept(found, context.ioManager);
    } catch (error) {
      // A function of the pipeline; else dynpart's own files, which are no failure of the asset.
      if (error instanceof FailureError && error.failure.reason === 'mapping-failed')
        return failed(about, error.failure);
      if (error instanceof FailureError) throw error;
      const key = task.partitionKey;
      return failed(about, { reason: 'asset-threw', asset: asset.name, key, ...describeThrown(error) });
    }
    const missing = whatIsMissing(asset, task.partitionKey, gathered);
    if (missing !== null) return failed(about, missing);
    const left = gathered.find(({ isOne, keys, absent }) => isOne && keys.length + absent.length === 0);
    if (left !== undefined) return skipped(about, `asset '${left.asset}' was skipped`);
  }
  const inputs = [...asset.inputs.values()];
  for (const upstream of inputs.filter((name) => cameTo(name) === undefined)) {
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
  const pool = poolOf(context.pipeline.pools, asset, {
    partitionKey: task.partitionKey,
    item: carried.item,
  });
  // Before there is a room: others may wait there for whoever was let in.
  if ('failure' in pool) return failed(about, { ...pool.failure, run: task.id });
  let waits = 0;
  for (let attempt = 1; ; attempt++) {
    if (interrupt.aborted) return 'interrupted';
    const entering = roomFor(asset, task, execution);
    const room = entering instanceof Promise ? await entering : entering;
    if (room === null) return 'interrupted';
    // Not while it waits for a process: only user code that has begun can take anything down.
    const noted = attempt === 1 ? noteBegun(asset, task, room, context) : undefined;
    if (noted !== undefined) await noted;
    const startedAt = context.clock.now();
    const ending = await room.tryOnce(asset, task, { ...execution, attempt, carried, gathered });
    const { id: run, partitionKey } = task;
    const tried = { run, asset: asset.name, partitionKey, attempt, startedAt, ...endOf(ending) };
    context.emit({ type: 'attempt-ended', ...tried });
    if (ending === 'interrupted' || 'asset' in ending) return ending;
    const { failure, askedMs, isFinal = false, warnings = [] } = ending;
    const failedTry = { attempt, waits, askedMs, isFinal };
    const retryInMs = nextTryIn(asset.retry, failedTry, () => context.clock.random());
    if (retryInMs === null) {
      if (askedMs !== undefined) asked.set(asset.name, askedMs);
      return failed({ ...about, attempts: attempt, warnings }, failure);
    }
    if (askedMs !== undefined) waits++;
    // Before anything is waited for: the others of its call may be back already.
    if (asset.batch !== null && !interrupt.aborted) context.batches?.comesBack(asset, task, retryInMs);
    await programs.end();
    const problem = describe(failure);
    context.emit({
      type: 'attempt-failed',
      run: task.id,
      asset: asset.name,
      partitionKey: task.partitionKey,
      attempt,
      problem,
      retryInMs,
    });
    await context.clock.sleep(retryInMs, signalOf(interrupt));
  }
}

function noteBegun(
  { timeoutMs }: AssetDefinition,
  { id }: RunTask,
  room: Room,
  context: ExecutionContext,
): void | Promise<void> {
  const leave = (error: unknown): never => {
    room.leave?.();
    throw error;
  };
  try {
    const noted = context.begun(id, timeoutMs === null ? MAY_BLOCK_MS : timeoutMs + LATE_MS);
    return noted && noted.catch(leave);
  } catch (error) {
    return leave(error);
  }
}

function endOf(ending: Tried): Pick<AttemptEnded, 'status' | 'problem'> {
  if (ending === 'interrupted') return { status: 'CANCELED', problem: null };
  if ('asset' in ending) return { status: ending.status, problem: ending.error };
  return { status: 'FAILURE', problem: describe(ending.failure) };
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
