/** The shapes of single records: ticks, finished runs, log lines, owners. What is read from a file is not trusted to have them. */
import type { Owner } from '../../files/process-owner.ts';
import type { Problem } from '../../model/problem.ts';
import {
  type AssetOutcome,
  causeOf,
  type CheckWarning,
  outcomeOf,
  type RunCause,
  type RunReason,
  type RunRecord,
  type RunStatus,
} from '../../model/run.ts';
import {
  anything,
  count,
  entries,
  finite,
  id,
  is,
  list,
  object,
  oneOf,
  optional,
  orNull,
  type Shape,
  text,
  time,
} from '../../model/shape.ts';
import type { FailedSource, LogLine, PartitionsOutcome, TickRecord } from '../../model/tick.ts';
import type { RunLogLine } from '../store.ts';

// A signal to process 0 reaches whoever asks: it would seem alive for ever.
const pid = is<number>(
  (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) < 2 ** 31,
  'the number of a process',
);

// Whatever they are called: a newer dynpart may know more of them.
const stream = text as Shape<LogLine['stream']>;
const disk = text as Shape<NonNullable<Owner['disk']>>;

export const runStatus = oneOf<RunStatus>('QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED');

const problem = object<Problem>({ code: text, message: text, hint: orNull(text) });

export const tickShape = object<TickRecord>({
  sensor: text,
  status: oneOf('SUCCESS', 'SKIPPED', 'FAILURE', 'BUSY'),
  startedAt: time,
  finishedAt: time,
  cursor: object({ before: orNull(text), after: orNull(text) }),
  partitions: list(
    object<PartitionsOutcome>({
      set: text,
      added: list(text),
      updated: list(text),
      removed: list(text),
      skipped: list(text),
    }),
  ),
  runs: list(
    object({
      id: orNull(text),
      partitionKey: orNull(text),
      runKey: orNull(text),
      assets: list(text),
      status: runStatus,
    }),
  ),
  skippedRunKeys: list(text),
  skipReason: orNull(text),
  error: orNull(problem),
  failures: list(object<FailedSource>({ name: text, error: text })),
  busy: orNull(object({ pid, host: text, since: time })),
  truncated: optional(object({ keys: count, runs: count, skippedRunKeys: count })),
  log: optional(list(object<LogLine>({ at: text, stream, text }))),
});

/** A tick that an older dynpart wrote, with what this one knows besides. What it is given may be anything. */
export function tickSinceThen(record: unknown): unknown {
  const { partitions, failures } = (record ?? {}) as {
    readonly partitions?: unknown;
    readonly failures?: unknown;
  };
  if (!Array.isArray(partitions)) return record;
  const isOld = partitions.some((one) => (one as { updated?: unknown } | null)?.updated === undefined);
  if (!isOld && failures !== undefined) return record;
  return {
    failures: [],
    ...(record as object),
    partitions: partitions.map((one) => ({ updated: [], ...(one as object) })),
  };
}

/** A run that an older dynpart wrote, likewise. */
export function runSinceThen(record: unknown): unknown {
  const run = (record ?? {}) as Readonly<Record<string, unknown>>;
  const { assets, cause } = run;
  if (!Array.isArray(assets)) return record;
  const isOld = assets.some((one) => (one as { warnings?: unknown } | null)?.warnings === undefined);
  if (!isOld && cause !== undefined) return record;
  const head = { sensor: run['sensor'] as string | null, retryOf: run['retryOf'] as string | null };
  return { cause: causeOf(head), ...run, assets: assets.map(outcomeSinceThen) };
}

export function outcomeSinceThen(outcome: unknown): unknown {
  if (typeof outcome !== 'object' || outcome === null) return outcome;
  return outcomeOf(outcome as AssetOutcome);
}

export const reasonShape = oneOf<RunReason>('missing', 'failed', 'version', 'code', 'upstream', 'asked');

export const outcomeShape = object<AssetOutcome>({
  asset: text,
  status: oneOf('QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED', 'SKIPPED'),
  reason: orNull(reasonShape),
  attempts: count,
  metadata: entries(anything),
  version: orNull(text),
  codeVersion: orNull(text),
  skipReason: orNull(text),
  // One that is at work may have been recorded by an older dynpart.
  warnings: optional(list(object<CheckWarning>({ check: text, message: text }))) as Shape<
    AssetOutcome['warnings']
  >,
  error: orNull(problem),
});

export const runShape = object<RunRecord>({
  id,
  partitionKey: orNull(text),
  status: runStatus,
  sensor: orNull(text),
  runKey: orNull(text),
  cause: oneOf<RunCause>('sensor', 'automation', 'materialize', 'retry'),
  tags: entries(text),
  attempts: count,
  retryOf: orNull(text),
  error: orNull(problem),
  assets: list(outcomeShape),
  createdAt: time,
  startedAt: orNull(time),
  finishedAt: orNull(time),
});

export const logLineShape = object<RunLogLine>({ at: text, stream, text, asset: text, attempt: count });

export const ownerFields = {
  id,
  pid,
  startTime: orNull(text),
  bootId: orNull(text),
  pidNamespace: orNull(text),
  host: text,
  since: time,
  steady: optional(finite),
  disk: optional(orNull(disk)),
};

export const ownerShape = object<Owner>(ownerFields);
