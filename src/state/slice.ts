/** The state at one moment, as planners see it: plain data and synchronous questions. */
import type { KnownPipeline } from '../model/known-pipeline.ts';
import type { PendingRun, PendingRuns } from '../model/pending-run.ts';
import type { TickRecord } from '../model/tick.ts';

/** The state at one moment. It never changes: read again to see more. */
export interface StateView {
  readonly serial: number;
  readonly pipeline: KnownPipeline | null;

  setNames(): readonly string[];
  /** All keys of a set, in the order of adding. An unknown set is empty. */
  keys(set: string): readonly string[];
  /** A part of a set, in order. */
  page(set: string, query: PageQuery): KeyPage;
  /** Which of these keys are in the set. */
  present(set: string, keys: Iterable<string>): Set<string>;
  /** Which of these keys were removed with `--keep-out`. */
  keptOut(set: string, keys: Iterable<string>): Set<string>;

  /** The status of an asset for each key of its set, in order: `m`, `f` or `.`; one letter without a set. */
  statuses(asset: string, set: string | null): string;
  /** The status of an asset for these keys. */
  statusOf(asset: string, set: string | null, keys: readonly (string | null)[]): PartitionStatus[];

  sensor(name: string): SensorView;
  sensorNames(): readonly string[];
  /** Which of these run keys the sensor has spent, not counting those spent on keys that are just being removed. */
  spentRunKeys(
    sensor: string,
    runKeys: Iterable<string>,
    removed?: ReadonlyMap<string, ReadonlySet<string>>,
  ): Set<string>;

  /** Queued and started runs, oldest first. */
  runs(): readonly PendingRuns[];
  /** One queued or started run. */
  run(id: string): { readonly runs: PendingRuns; readonly run: PendingRun } | undefined;
  executors(): readonly ExecutorView[];
}

/** `m` materialized, `f` failed, `.` missing. */
export type PartitionStatus = 'm' | 'f' | '.';

export interface PageQuery {
  readonly prefix?: string;
  /** Only keys that stand after this one. */
  readonly after?: string;
  readonly limit?: number;
}

export interface KeyPage {
  readonly total: number;
  readonly keys: readonly { readonly key: string; readonly addedAt: string }[];
  /** The last key of this page when there are more; for `after`. */
  readonly next: string | null;
}

export interface SensorView {
  readonly status: 'RUNNING' | 'STOPPED' | null;
  readonly cursor: string | null;
  readonly version: number;
  /** The last tick that evaluated the sensor, whether it changed the state or not. Read when it is asked for. */
  readonly lastTick: TickRecord | null;
}

export interface ExecutorView extends ExecutorSigns {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  readonly slots: number;
  readonly wants: number;
}

/** What an executor shows and notes of itself, as it can be seen from here. */
export interface ExecutorSigns {
  readonly alive: boolean;
  /** Runs whose user code has begun and not ended, and when it began (ISO 8601, UTC). */
  readonly begun: ReadonlyMap<string, string>;
  /**
   * A live one whose event loop has not turned for longer than the code that it executes may keep it: since when (ISO 8601, UTC).
   * `null`: it is not blocked.
   */
  readonly blockedSince: string | null;
  /** Runs that it was in the middle of when it died. Empty for a live one. */
  readonly interrupted: ReadonlySet<string>;
  /** Programs of these runs that may still be at work. */
  readonly programs: readonly ProgramNote[];
  /** Whether what its process left behind could be seen from here. */
  readonly visible: boolean;
}

/** A program that user code of a run started. */
export interface ProgramNote {
  readonly runId: string;
  /** The process group that it leads. */
  readonly group: number;
  /** The how-manieth program of its executor it is. */
  readonly number: number;
}
