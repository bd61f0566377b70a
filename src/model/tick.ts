/** Ticks: one evaluation of a sensor and what came of it. */
import { type Problem, recordedProblem } from './problem.ts';
import { ERROR_LIMIT, recordable } from './recordable.ts';
import type { RunStatus } from './run.ts';

/**
 * ```
 *           evaluate            one commit                               runs finish
 *  (none) ─► STARTED ─────────► keys + run keys + queued runs + cursor ─► SUCCESS
 *               │ nothing new ───────────────────────────────────────────► SKIPPED   (the cursor may still move)
 *               ├ threw, timed out, invalid result: nothing applied ─────► FAILURE
 *               └ another process evaluates it, or was first ────────────► BUSY
 * ```
 */
export type TickStatus = 'SUCCESS' | 'SKIPPED' | 'FAILURE' | 'BUSY';

/** What one partitions request came to. */
export interface PartitionsOutcome {
  readonly set: string;
  readonly added: readonly string[];
  /** There already, and now with another version. */
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  readonly skipped: readonly string[];
}

/** A run that a tick queued; `id` is `null` in a dry run. */
export interface TickRun {
  readonly id: string | null;
  readonly partitionKey: string | null;
  readonly runKey: string | null;
  readonly assets: readonly string[];
  /** `null`, where a past tick is shown: the run has ended, and the history does not keep it any more. */
  readonly status: RunStatus | null;
}

/** Who evaluates a sensor at this moment. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** One line that user code wrote. */
export interface LogLine {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly stream: 'log' | 'stdout' | 'stderr';
  readonly text: string;
}

/** A part of what a sensor looks at, that it could not look at. */
export interface FailedSource {
  readonly name: string;
  readonly error: string;
}

/** A tick as `--json` shows it and as the history keeps it. */
export interface TickRecord {
  readonly sensor: string;
  readonly status: TickStatus;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly cursor: { readonly before: string | null; readonly after: string | null };
  /** One entry a request, in the order of the result. */
  readonly partitions: readonly PartitionsOutcome[];
  readonly runs: readonly TickRun[];
  readonly skippedRunKeys: readonly string[];
  readonly skipReason: string | null;
  readonly error: Problem | null;
  /** What its sensor could not look at; the rest is committed. */
  readonly failures: readonly FailedSource[];
  readonly busy: Holder | null;
  /** How much was left out, where a list was longer than a record keeps; never where `--json` shows the tick itself. */
  readonly truncated?: { readonly keys: number; readonly runs: number; readonly skippedRunKeys: number };
  /** Only in the history: what the sensor wrote. */
  readonly log?: readonly LogLine[];
}

/** Whether it failed, wholly or in part. */
export function hasFailed({ status, failures }: TickRecord): boolean {
  return status === 'FAILURE' || failures.length > 0;
}

/** How many entries of each list the record of a tick keeps. What the tick printed had them all. */
export const TICK_RECORD_LIMIT = 1000;

/** How many log lines the record of a tick keeps: the last ones. */
export const TICK_LOG_LIMIT = 200;

/** How many bytes of log lines the record of a tick keeps, but always the last line. */
export const TICK_LOG_BYTES = 256 * 1024;

/** The tick as it is kept: a tick that found a million keys must not make every later tick carry them. */
export function recordOfTick(tick: TickRecord, log: readonly LogLine[] = []): TickRecord {
  const before = tick.truncated ?? { keys: 0, runs: 0, skippedRunKeys: 0 };
  let { keys } = before;
  const shorten = (list: readonly string[]): readonly string[] => {
    keys += Math.max(0, list.length - TICK_RECORD_LIMIT);
    return list.slice(0, TICK_RECORD_LIMIT);
  };
  const partitions = tick.partitions.map(({ set, added, updated, removed, skipped }) => ({
    set,
    added: shorten(added),
    updated: shorten(updated),
    removed: shorten(removed),
    skipped: shorten(skipped),
  }));
  const runs = before.runs + Math.max(0, tick.runs.length - TICK_RECORD_LIMIT);
  const skippedRunKeys = before.skippedRunKeys + Math.max(0, tick.skippedRunKeys.length - TICK_RECORD_LIMIT);
  return {
    ...tick,
    cursor: { before: shortCursor(tick.cursor.before), after: shortCursor(tick.cursor.after) },
    error: recordedProblem(tick.error),
    partitions,
    runs: tick.runs.slice(0, TICK_RECORD_LIMIT),
    skippedRunKeys: tick.skippedRunKeys.slice(0, TICK_RECORD_LIMIT),
    failures: tick.failures.slice(0, TICK_RECORD_LIMIT),
    ...(keys + runs + skippedRunKeys > 0 && { truncated: { keys, runs, skippedRunKeys } }),
    ...(log.length > 0 && { log: lastLines(log) }),
  };
}

function shortCursor(cursor: string | null): string | null {
  return cursor === null ? null : recordable(cursor, ERROR_LIMIT);
}

/** The last lines, so many and so much of them. */
function lastLines(log: readonly LogLine[]): LogLine[] {
  const kept: LogLine[] = [];
  let bytes = 0;
  for (const line of log.slice(-TICK_LOG_LIMIT).toReversed()) {
    bytes += Buffer.byteLength(line.text);
    if (bytes > TICK_LOG_BYTES && kept.length > 0) break;
    kept.push(line);
  }
  return kept.reverse();
}

/** A sensor that is stopped failed once, and fails no more. */
export function isFailing<
  Seen extends { readonly status: 'RUNNING' | 'STOPPED'; readonly lastTick: TickRecord | null },
>(sensor: Seen): sensor is Seen & { readonly lastTick: TickRecord } {
  return sensor.status === 'RUNNING' && sensor.lastTick !== null && hasFailed(sensor.lastTick);
}
