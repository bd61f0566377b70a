/** One try of an asset for one key: its inputs, the user's function, and the value that the function returns. */
import type { RunTask } from '../plan/executors/owned-run.ts';
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import { RetryAfter } from '../../definitions/retry-after.ts';
import { skipReasonOf } from '../../definitions/skip.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import type { Carried } from '../../model/carried.ts';
import { describe } from '../../model/describe-failure.ts';
import { type Failure, FailureError } from '../../model/failure.ts';
import { type MetadataValue, whyNotJson } from '../../model/json-value.ts';
import { ERROR_LIMIT, recordable } from '../../model/recordable.ts';
import { type AssetOutcome, type CheckWarning, outcomeOf } from '../../model/run.ts';
import { describeThrown } from '../../model/thrown.ts';
import { type Clock, isoTime } from '../../model/time.ts';
import type { RunLogLine } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import type { GatheredKeys } from '../plan/gather/keys-there.ts';
import { makeExec, withoutOutput } from '../user-code/exec.ts';
import { type Interrupt, isLost } from '../user-code/interruption.ts';
import { LineWriter, writingTo } from '../user-code/output.ts';
import type { Programs } from '../user-code/programs.ts';
import { type Ending, withTimeLimit } from '../user-code/time-limit.ts';
import { type Checked, checkValue } from './check-value.ts';
import { inputsOf } from './inputs-of.ts';
import { checkedMetadata } from './metadata.ts';

/** After an abort, user code that ignores its signal is waited for so long. */
export const GRACE_MS = 10_000;

/** What a try needs of what surrounds its run. */
export interface TryContext {
  readonly pipeline: Pipeline;
  readonly ioManager: RunValues;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly appendLog: (runId: string, lines: readonly RunLogLine[]) => void;
  /** Before anything is kept of a run: others may have taken it up while this process stood still. Then it is lost when this has resolved. */
  readonly catchUp?: (runId: string) => void | Promise<void>;
}

export interface Attempt {
  readonly context: TryContext;
  readonly interrupt: Interrupt;
  readonly programs: Programs;
  readonly attempt: number;
  /** By the key of the run. */
  readonly carried: Carried;
  /** Keys of upstream assets of which many are taken. */
  readonly gathered: readonly GatheredKeys[];
  /** The user's function is called for this key and others: what it came to for this one. Not given: it is called for this one alone. */
  readonly together?: (metadata: Record<string, MetadataValue>) => Promise<EndingTogether>;
}

/** How a call for many keys ended for one of them. */
export type EndingTogether = Ending<unknown> | { readonly type: 'failed'; readonly failure: Failure };

export interface FailedTry {
  readonly failure: Failure;
  /** Of checks that did not fail. */
  readonly warnings?: readonly CheckWarning[];
  /** What failed a check comes out alike when it is made again: it is not tried again within the run. */
  readonly isFinal?: boolean;
  /** In how many milliseconds user code asks to be tried again. */
  readonly askedMs?: number;
}

const UNCHECKED: Checked = { failure: null, warnings: [] };

export type Tried = AssetOutcome | 'interrupted' | FailedTry;

/** One try. A failure of user code, and of a user's own I/O manager, is a failure of the asset. */
export async function tryOnce(
  asset: AssetDefinition,
  task: Pick<RunTask, 'id' | 'partitionKey' | 'tags'>,
  { context, interrupt, programs, attempt, carried, gathered, together }: Attempt,
): Promise<Tried> {
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
  const threw = (error: unknown): FailedTry => {
    // dynpart's own files: not the asset's doing, and not to be written down as such.
    if (error instanceof FailureError) throw error;
    const askedMs = RetryAfter.msIn(error);
    const failure = {
      reason: 'asset-threw',
      asset: asset.name,
      key: partitionKey,
      ...describeThrown(error),
      ...(askedMs !== null && { again: isoTime(context.clock.now() + askedMs) }),
    } as const;
    const logged = { ...failure, message: withoutOutput(error) ?? failure.message };
    writer.line('stderr', describe(logged).message);
    return askedMs === null ? { failure } : { failure, askedMs };
  };
  const callAlone = (): Promise<Ending<unknown>> =>
    withTimeLimit({ ms: asset.timeoutMs, interrupt, graceMs: GRACE_MS, clock: context.clock }, (cut) =>
      writingTo({ writer, runs: [task.id] }, async () => {
        // Where there are none, the code begins at once, as it was noted: no other run is noted in between.
        const hasInputs = asset.inputs.size > 0 || gathered.length > 0;
        const inputs = hasInputs ? await inputsOf(asset, task, { context, gathered }, cut.signal) : {};
        // Its time may be over by now: another try may be at work.
        if (cut.aborted) cut.signal.throwIfAborted();
        return asset.materialize({
          partitionKey,
          item,
          version,
          inputs: inputs as never,
          run: { id: task.id, tags: task.tags, attempt },
          log: writer.log(),
          exec: makeExec({ writer, programs, cut }),
          get signal() {
            return cut.signal;
          },
          addMetadata: (more) => Object.assign(metadata, checkedMetadata(more, metadata)),
        });
      }),
    );
  const ending = await (together === undefined ? callAlone() : together(metadata));
  writer.end();
  switch (ending.type) {
    case 'interrupted':
      return 'interrupted';
    case 'failed':
      writer.line('stderr', describe(ending.failure).message);
      return { failure: ending.failure };
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
      if (isLost(interrupt)) return 'interrupted';
      const { value } = ending;
      const made = { asset: asset.name, attempts: attempt, metadata, version, codeVersion };
      const skipReason = skipReasonOf(value);
      if (skipReason !== null)
        return outcomeOf({ ...made, status: 'SKIPPED', skipReason: recordable(skipReason, ERROR_LIMIT) });
      const checked =
        asset.checks.size === 0
          ? UNCHECKED
          : await checkValue(
              asset,
              { value, partitionKey, item, metadata },
              { run: task.id, interrupt, writer, clock: context.clock, graceMs: GRACE_MS },
            );
      writer.end();
      if (checked === 'interrupted') return checked;
      const { warnings } = checked;
      for (const { check, message } of warnings) writer.line('stderr', `warning: check ${check}: ${message}`);
      if (checked.failure !== null) {
        writer.line('stderr', describe(checked.failure).message);
        return { ...checked, failure: checked.failure, isFinal: true };
      }
      const catchingUp = context.catchUp?.(task.id);
      if (catchingUp !== undefined) await catchingUp;
      if (isLost(interrupt)) return 'interrupted';
      try {
        // Looking at a value can run the user's code, too: a getter, a proxy.
        const keeper = context.pipeline.ioManager;
        const takesAny = keeper !== null && !('keepsJson' in keeper);
        const kept = takesAny || value === undefined || value instanceof Uint8Array;
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
      return outcomeOf({ ...made, status: 'SUCCESS', warnings });
    }
  }
}
