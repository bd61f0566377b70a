/** The history beside the state: past ticks of each sensor and finished runs with their logs. Bounded, oldest out first. */
import path from 'node:path';
import type { HistoryRetention } from '../../model/history-retention.ts';
import type { RunRecord } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import { fileNameOf } from '../../files/file-name.ts';
import { runShape, runSinceThen, runStatus, tickShape, tickSinceThen } from '../document/record-shapes.ts';
import { fits, object, orNull, text } from '../../model/shape.ts';
import { RunLogs } from './run-logs.ts';
import {
  recordsOf,
  type Retention,
  SegmentedLog,
  type SegmentedLogOptions,
} from '../../files/segmented-log.ts';

/** At one tick a minute a sensor's ticks of about three weeks; with little in them. */
const TICKS = { segmentBytes: 2 * 1024 * 1024, segments: 4 };

/** About a quarter of a million small runs. */
const RUNS = { segmentBytes: 16 * 1024 * 1024, segments: 8 };

/**
 * Takes back a record before it: the commit that it belonged to came to something else. It says which one, as another
 * process may have recorded the run's true end in between.
 */
interface Retraction {
  readonly retracted: string;
  readonly status: RunRecord['status'];
  readonly finishedAt: string | null;
}

function retractionOf({ id, status, finishedAt }: RunRecord): Retraction {
  return { retracted: id, status, finishedAt };
}

const retractionShape = object<Retraction>({
  retracted: text,
  status: runStatus,
  finishedAt: orNull(text),
});

export interface HistoryOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Asked at each writing. */
  readonly retention: () => HistoryRetention;
}

const DAY_MS = 24 * 60 * 60_000;

/** Ticks and runs both say when they ended. */
function timeOf(record: unknown): number {
  const known = tickSinceThen(runSinceThen(record));
  return fits(runShape, known) || fits(tickShape, known)
    ? Date.parse((known as { readonly finishedAt: string | null }).finishedAt ?? '')
    : NaN;
}

export class HistoryFiles {
  readonly #ticks: string;
  readonly logs: RunLogs;
  readonly #runs: SegmentedLog;
  readonly #options: HistoryOptions | undefined;

  /** @param options default: only the size of the files counts */
  constructor(stateFolder: string, options?: HistoryOptions) {
    this.#options = options;
    const history = path.join(stateFolder, 'history');
    this.#ticks = path.join(history, 'ticks');
    this.logs = new RunLogs(path.join(stateFolder, 'logs'));
    this.#runs = new SegmentedLog({
      folder: history,
      name: 'runs',
      ...RUNS,
      ...this.#keeping('runs'),
      // A run's log goes with its record.
      onDrop: (file) => {
        for (const record of recordsOf(file)) {
          const run = runSinceThen(record);
          if (fits(runShape, run)) this.logs.remove(run.id);
        }
      },
    });
  }

  recordTick(tick: TickRecord): void {
    this.#ticksOf(tick.sensor).append([tick], false);
  }

  /** Ticks of one sensor, oldest first. Synced. */
  recordTicks(ticks: readonly TickRecord[]): void {
    if (ticks.length > 0) this.#ticksOf(ticks[0]!.sensor).append(ticks, true);
  }

  /** Newest first. A line that is no tick of this sensor was damaged: it is passed over like a torn one. */
  *ticks(sensor: string): Generator<TickRecord> {
    for (const line of this.#ticksOf(sensor).newestFirst()) {
      const record = tickSinceThen(line);
      if (fits(tickShape, record) && record.sensor === sensor) yield record;
    }
  }

  /**
   * Synced, so that a run that has left the state is here.
   *
   * @param earlier what an earlier try of the same commit recorded; what this one does not say as well is taken back
   */
  recordRuns(runs: readonly RunRecord[], earlier: readonly RunRecord[]): readonly RunRecord[] {
    const said = new Set(earlier.length === 0 ? [] : runs.map((run) => JSON.stringify(run)));
    const retracted = earlier.filter((run) => !said.has(JSON.stringify(run)));
    const kept = new Set(earlier.filter((run) => !retracted.includes(run)).map(({ id }) => id));
    this.#runs.append([...retracted.map(retractionOf), ...runs.filter(({ id }) => !kept.has(id))], true);
    return runs;
  }

  /** Newest first. A run that was recorded and, its process killed before the commit, executed again counts once: the last time. */
  *finishedRuns(): Generator<RunRecord> {
    const seen = new Set<string>();
    const retractions: Retraction[] = [];
    for (const line of this.#runs.newestFirst()) {
      const record = runSinceThen(line);
      if (fits(retractionShape, record)) {
        retractions.push(record);
        continue;
      }
      if (!fits(runShape, record)) continue;
      const run = record;
      const taken = retractions.findIndex(
        ({ retracted, status, finishedAt }) =>
          retracted === run.id && status === run.status && finishedAt === run.finishedAt,
      );
      if (taken !== -1) retractions.splice(taken, 1);
      else if (!seen.has(run.id)) {
        seen.add(run.id);
        yield run;
      }
    }
  }

  /**
   * These and the finished ones, the newest first. A run that a killed process recorded but did not commit is still in the
   * state: that counts.
   *
   * @param pending those of the state, the oldest first
   */
  *newestFirst(pending: readonly RunRecord[]): Generator<RunRecord> {
    const inState = new Set(pending.map(({ id }) => id));
    yield* pending.toReversed();
    for (const run of this.finishedRuns()) if (!inState.has(run.id)) yield run;
  }

  #keeping(what: 'runs' | 'ticks'): Pick<SegmentedLogOptions, 'keep' | 'clock'> {
    if (this.#options === undefined) return {};
    const { now, retention } = this.#options;
    const keep = (): Retention => {
      const { days = Infinity, [what]: records } = retention();
      return { records, olderThanMs: days * DAY_MS };
    };
    return { keep, clock: { now, timeOf } };
  }

  #ticksOf(sensor: string): SegmentedLog {
    return new SegmentedLog({
      folder: this.#ticks,
      name: fileNameOf(sensor),
      ...TICKS,
      ...this.#keeping('ticks'),
    });
  }
}
