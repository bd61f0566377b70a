/** What the commands give back that execute runs or look at them. */
import type { RunRecord } from '../model/run.ts';
import type { LogLine } from '../model/tick.ts';

/** What came of runs that a command executed. */
export interface Executed {
  /** Not with `--summary`. */
  readonly runs?: readonly RunRecord[];
  readonly summary: RunSummary;
}

/** How a set of runs ended. */
export interface RunSummary {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  /** Runs of which every asset was skipped. */
  readonly skipped: number;
  readonly leftOut: number;
  readonly waiting: number;
  /** Runs that had no time to begin: they are back in the queue. */
  readonly queued: number;
}

/** A summary that is being counted. */
export type Counts = { -readonly [Count in keyof RunSummary]: number };

/** The sum of no runs, to count on from. */
export function noRuns(): Counts {
  return { total: 0, succeeded: 0, failed: 0, canceled: 0, skipped: 0, leftOut: 0, waiting: 0, queued: 0 };
}

export interface RunList {
  readonly runs: readonly RunRecord[];
  /** The last one of these runs when there are more. */
  readonly next: string | null;
}

export interface OneRun {
  readonly run: RunRecord;
}

export interface ChangedRuns {
  readonly runs: readonly RunRecord[];
}

export interface RunLog {
  readonly id: string;
  readonly attempts: readonly {
    readonly asset: string;
    readonly attempt: number;
    readonly lines: readonly LogLine[];
  }[];
}

export interface FollowedLine {
  readonly id: string;
  readonly asset: string;
  readonly attempt: number;
  readonly line: LogLine;
}
