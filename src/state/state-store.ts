/**
 * Where state lives: the interface that the engine sees, and its contract.
 *
 * It speaks in operations of the domain, not in documents, so that another implementation can keep the same promises
 * in a database. `test/support/store-contract.ts` is the suite that every implementation passes.
 */
import type { FinalRunStatus, RunRecord, RunStatus } from '../definitions/run.ts';
import type { Holder, LogLine, TickRecord } from '../definitions/tick.ts';
import type { KnownPipeline, RunOrigin } from './state-document.ts';

export interface StateStore {
  /** The state as it is now. Writes nothing and makes no folder. */
  read(): Promise<StateView>;

  /**
   * Plans from the newest state and applies the plan's changes in one commit, all of them or none.
   *
   * `plan` is pure: it is called again with a newer view when another process committed in between. A plan without
   * changes writes nothing. When the promise has resolved, the commit survives a kill and a loss of power.
   */
  commit<Outcome>(plan: (view: StateView) => Plan<Outcome>): Promise<Outcome>;

  /** Claims the evaluation of a sensor until it is released; `holder` says who has it when it is taken. */
  claimSensor(sensor: string): Promise<SensorClaim | { readonly holder: Holder }>;

  /** Who evaluates the sensor now, or `null`. */
  evaluating(sensor: string): Promise<Holder | null>;

  /** Makes this process one that can own runs. */
  enter(): Promise<Executor>;

  /** Adds a tick to the history. */
  recordTick(tick: TickRecord): Promise<void>;
  /** Past ticks, newest first. */
  ticks(sensor: string, limit: number): Promise<TickRecord[]>;

  /** Finished runs, newest first. */
  finishedRuns(query: RunQuery): Promise<RunRecord[]>;

  /** Adds lines to the log of a run. */
  appendLog(runId: string, lines: readonly RunLogLine[]): void;
  readLog(runId: string): Promise<RunLogLine[]>;
}

/** One line of a run's log. */
export interface RunLogLine extends LogLine {
  readonly asset: string;
  readonly attempt: number;
}

export interface RunQuery {
  /** At most so many. */
  readonly limit: number;
  /** Only those that pass. */
  readonly where?: (run: RunRecord) => boolean;
}

export interface SensorClaim {
  release(): Promise<void>;
}

/** This process, as an owner of runs. What it notes here lets others judge its runs after it died. */
export interface Executor {
  readonly id: string;
  /** User code of the run begins now. */
  begun(runId: string): void;
  /** It has ended, whatever came of it. */
  ended(runId: string): void;
  /** The executor owns nothing any more. */
  leave(): Promise<void>;
}

export interface Plan<Outcome> {
  readonly changes: readonly StateChange[];
  readonly outcome: Outcome;
}

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
  readonly lastTick: TickRecord | null;
}

/** Runs that were queued together and have one owner. */
export interface PendingRuns {
  readonly group: string;
  readonly createdAt: string;
  readonly sensor: string | null;
  readonly set: string | null;
  readonly assets: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly origin: RunOrigin;
  readonly retryOf: string | null;
  readonly owner: string | null;
  readonly ownedSince: number;
  readonly count: number;
  /** The run at a position, 0 to `count` − 1. */
  at(position: number): PendingRun;
  /** Those that are to be aborted. */
  canceling(): readonly PendingRun[];
}

export interface PendingRun {
  readonly id: string;
  readonly partitionKey: string | null;
  readonly runKey: string | null;
  readonly status: Extract<RunStatus, 'QUEUED' | 'STARTED'>;
  /** It is to be aborted, and no outcome of it counts. */
  readonly canceling: boolean;
  readonly interrupted: number;
  readonly startedAt: string | null;
}

export interface ExecutorView {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  readonly alive: boolean;
  readonly slots: number;
  readonly wants: number;
  /** Runs whose user code had begun and not ended when the executor died. Empty for a live one. */
  readonly interrupted: ReadonlySet<string>;
}

/** One thing that a commit changes. */
export type StateChange =
  | {
      readonly type: 'keys-added';
      readonly set: string;
      readonly keys: readonly string[];
      readonly at: string;
    }
  /** Also forgets the keys' statuses and releases the run keys spent on them. Their runs are the planner's business. */
  | {
      readonly type: 'keys-removed';
      readonly set: string;
      readonly keys: readonly string[];
      readonly keepOut: boolean;
    }
  /** Lifts what `--keep-out` said. */
  | { readonly type: 'keys-let-in'; readonly set: string; readonly keys: readonly string[] }
  /** Raises the sensor's version. What is not given stays. */
  | {
      readonly type: 'sensor-changed';
      readonly sensor: string;
      readonly cursor?: string | null;
      readonly status?: 'RUNNING' | 'STOPPED';
      readonly tick?: TickRecord;
    }
  /** Their run keys are spent with them. */
  | { readonly type: 'runs-queued'; readonly runs: QueuedRuns; readonly owner: string | null }
  /** The runs become the executor's; `interrupted` counts up where it names the run. */
  | {
      readonly type: 'runs-claimed';
      readonly ids: Iterable<string>;
      readonly owner: string;
      readonly interrupted: ReadonlySet<string>;
    }
  /** Back to the queue, without an owner. */
  | { readonly type: 'runs-released'; readonly ids: Iterable<string> }
  | { readonly type: 'runs-started'; readonly runs: ReadonlyMap<string, string> }
  /** A live owner will abort them; no outcome of theirs counts. */
  | { readonly type: 'runs-canceling'; readonly ids: Iterable<string> }
  /** They leave the state for the history; `statuses` become those of their assets' keys. */
  | { readonly type: 'runs-finished'; readonly runs: readonly FinishedRun[] }
  | { readonly type: 'executor'; readonly id: string; readonly slots: number; readonly wants: number }
  | { readonly type: 'executor-left'; readonly id: string }
  | { readonly type: 'pipeline-known'; readonly pipeline: KnownPipeline };

/** Runs to be queued: the same assets, one for each key. */
export interface QueuedRuns {
  readonly group: string;
  readonly createdAt: string;
  readonly sensor: string | null;
  readonly set: string | null;
  readonly assets: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly origin: RunOrigin;
  readonly retryOf: string | null;
  readonly firstNumber: number;
  readonly keys: readonly (string | null)[];
  readonly runKeys: readonly (string | null)[] | null;
}

export interface FinishedRun {
  readonly record: RunRecord & { readonly status: FinalRunStatus };
  readonly set: string | null;
  /** Whether the outcome counts for the assets' statuses. */
  readonly counts: boolean;
}
