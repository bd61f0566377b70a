/** The state at one moment, as planners see it: plain data and synchronous questions. */
import type { PoolShare, PoolStarts } from './pools.ts';
import type { Carried } from '../model/carried.ts';
import type { Incidents } from '../model/incident.ts';
import type { KnownPipeline } from '../model/known-pipeline.ts';
import type { CountedStatus, PartitionStatus } from '../model/partition-status.ts';
import type { NextTry } from '../model/next-try.ts';
import type { PendingRun, PendingRuns } from '../model/pending-run.ts';
import type { TickRecord } from '../model/tick.ts';
import type { Millis } from '../model/time.ts';
import type { RunPage, RunQuery } from './run-query.ts';

/** The state at one moment. It never changes: read again to see more. */
export interface StateView {
  readonly serial: number;
  readonly pipeline: KnownPipeline | null;
  /** What is open, and what is not told yet. There are few: they are among what every plan sees. */
  readonly incidents: Incidents;

  setNames(): readonly string[];
  /** How many keys a set holds. */
  size(set: string): number;
  /** All keys of a set, in the order of adding. An unknown set is empty. */
  keys(set: string): readonly string[];
  /** Which of these keys are in the set. */
  present(set: string, keys: Iterable<string>): Set<string>;
  /** Which of these keys were removed with `--keep-out`. */
  keptOut(set: string, keys: Iterable<string>): Set<string>;
  /** What these keys of a set carry. One that is not there, or carries nothing, is not in the answer. */
  carried(set: string, keys: Iterable<string>): Map<string, Carried>;
  /** A part of a set, in order. */
  page(query: PageQuery): KeyPage;
  /** The keys that a retention rule names, oldest first. */
  oldest(query: OldestQuery): readonly string[];

  /** What became of an asset for these keys. One of a key that is not there is missing. */
  statusOf(asset: string, set: string | null, keys: readonly (string | null)[]): PartitionStatus[];
  /** When failed ones of these keys are tried again without anybody asking; `null` for all others. */
  nextTries(asset: string, set: string | null, keys: readonly (string | null)[]): (NextTry | null)[];
  /** The first time after this one (ISO 8601, UTC) at which some key of some asset is tried again. */
  nextRetry(after: string): string | null;
  /** Keys of a set with what became of assets for them. */
  candidates(query: CandidateQuery): Iterable<KeyStatuses>;
  /** How many keys are in which state. */
  counts(query: CountQuery): StatusCounts;

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
  /** How many queued and started runs are an executor's. */
  ownedBy(executor: string): number;
  executors(): readonly ExecutorView[];
  /** Of pools with a rate: when calls began, by the state's clock. Known with the executors. */
  poolStarts(): Readonly<Record<string, PoolStarts>>;
  /** By how much the state's clock, which all its processes share, is ahead of this process's. Known with the executors; 0 for a file. */
  clockAhead(): Millis;

  /** Runs, also those that have ended, newest first: as they are where the rest of this view is so. */
  runPage(query: RunQuery): RunPage;
  /** Past ticks, newest first. Some of them changed nothing in the state: of these there may be later ones than of the rest. */
  ticks(query: TicksQuery): readonly TickRecord[];
}

export interface TicksQuery {
  readonly sensor: string;
  readonly limit: number;
}

export interface PageQuery {
  readonly set: string;
  readonly prefix?: string;
  /** Only keys that stand after this one. */
  readonly after?: string;
  /** Only keys for which one of the assets has this status, or `every` one of them. */
  readonly status?: StateAsked | 'in progress';
  readonly every?: true;
  /** Whose state comes with each key. Default: none. */
  readonly assets?: readonly string[];
  /** At most so many: the first, or `fromEnd` the last ones. Default: all. */
  readonly limit?: number;
  readonly fromEnd?: true;
}

export interface KeyPage {
  /** How many keys the whole set has. */
  readonly total: number;
  readonly keys: readonly PageKey[];
  /** The last key of this page when there are more; for `after`. */
  readonly next: string | null;
}

export interface PageKey extends Carried {
  readonly key: string;
  readonly addedAt: string;
  /** One for each of the query's assets; not there when it named none. */
  readonly states?: readonly KeyState[];
}

/** In progress when a run of the asset and key is queued or started, else what is on record. */
export type KeyState = PartitionStatus | 'in progress';

/**
 * States to choose keys by: what they count as, `stale` as a part of materialized, `backlog` as a part of missing. `open`: what is to
 * be made without anybody asking, which is missing but no backlog, stale, or failed with a new reason to try again.
 */
export type StateAsked = CountedStatus | 'stale' | 'backlog' | 'open';

/** The keys of a set that a rule names: added before a time, beyond the newest N; with both, what both name. */
export interface OldestQuery {
  readonly set: string;
  /** ISO 8601, UTC. */
  readonly addedBefore: string | null;
  readonly keepLast: number | null;
}

export interface CandidateQuery {
  readonly set: string;
  /** Only keys for which one of `assets` counts as one of these; `null`: all keys. */
  readonly inStates: readonly StateAsked[] | null;
  readonly assets: readonly string[];
  /** Other assets of the set, whose statuses are wanted as well. */
  readonly alsoOf: readonly string[];
  readonly prefix: string | null;
  readonly order: 'oldest' | 'newest';
  /** Also failed keys of `assets` that are to be tried again by this time (ISO 8601, UTC). */
  readonly dueBy?: string;
  /** At most so many, the first in the order. Default: all. */
  readonly most?: number;
}

export interface KeyStatuses {
  readonly key: string;
  /** One for each of `assets`, then of `alsoOf`. */
  readonly statuses: readonly PartitionStatus[];
  /** Which of `assets` are to be tried again by the query's time; not there when none is. */
  readonly due?: readonly boolean[];
}

export interface CountQuery {
  readonly asset: string;
  readonly set: string | null;
}

/** Each key counts once: in progress, else failed, else skipped, else materialized, else missing. */
export interface StatusCounts {
  readonly total: number;
  readonly inProgress: number;
  readonly failed: number;
  readonly skipped: number;
  readonly materialized: number;
  readonly missing: number;
  /** Those of the materialized that are to be made again. */
  readonly stale: number;
  /** Those of the missing that were there before the asset was automated. */
  readonly backlog: number;
  /** When the first of the failed is tried again without anybody asking (ISO 8601, UTC). */
  readonly retryAt: string | null;
  /** When the asset was made last, for whatever key (ISO 8601, UTC): its run's end. */
  readonly madeAt: string | null;
}

export interface SensorView {
  readonly status: 'RUNNING' | 'STOPPED' | null;
  readonly cursor: string | null;
  readonly version: number;
  /** Assets that were requested for a period, and when the period began (ISO 8601, UTC). */
  readonly periods: Readonly<Record<string, string>>;
  /** Since when it has brought no new key (ISO 8601, UTC); `null`: it never did, and nobody expected one. */
  readonly quietSince: string | null;
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
  /** By name, those that it has a part of or waits for. */
  readonly pools: Readonly<Record<string, PoolShare>>;
}

/** What an executor shows and notes of itself, as it can be seen from here. */
export interface ExecutorSigns {
  readonly alive: boolean;
  /** When it gave its last sign of life (ISO 8601, UTC). */
  readonly lastSeen: string;
  /** Runs whose user code has begun and not ended, and when it began (ISO 8601, UTC). */
  readonly begun: ReadonlyMap<string, string>;
  /**
   * A live one whose event loop has not turned for longer than the code that it executes may keep it: since when (ISO 8601, UTC).
   * `null`: it is not blocked.
   */
  readonly blockedSince: string | null;
  /** Runs of one call, whose code it is that blocks it. `null`: it is not blocked, or nobody knows by which of those that have begun. */
  readonly atWork: readonly string[] | null;
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
