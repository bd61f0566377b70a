/** What a commit changes, in the words of the domain. Every store applies these, each in its own way. */
import type { Carried } from '../model/carried.ts';
import type { Incidents } from '../model/incident.ts';
import type { KnownPipeline } from '../model/known-pipeline.ts';
import type { MoveMark } from '../model/move-mark.ts';
import type { StaleReason } from '../model/stale-reason.ts';
import type { AssetOutcome, FinalRunStatus, RunHead, RunRecord } from '../model/run.ts';
import type { TickRecord } from '../model/tick.ts';
import type { PoolShare, PoolStarts } from './pools.ts';

/** One thing that a commit changes. */
export type StateChange =
  | {
      readonly type: 'keys-added';
      readonly set: string;
      readonly keys: readonly string[];
      readonly at: string;
      /** One for each key; not there when none of them carries anything. */
      readonly carried?: readonly Carried[];
    }
  /** What these keys of the set carry from now, one for each. Another version makes stale what was made from the one before. */
  | {
      readonly type: 'keys-updated';
      readonly set: string;
      readonly keys: readonly string[];
      readonly carried: readonly Carried[];
    }
  /** Also forgets the keys' statuses and releases the run keys spent on them. Their runs are the planner's business. */
  | {
      readonly type: 'keys-removed';
      readonly set: string;
      readonly keys: readonly string[];
      readonly keepOut: boolean;
      /** What was made of them goes with the commit, where the store has it: a value in a file goes after it. */
      readonly purge?: boolean;
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
      /** Assets that were requested for a period, and when the period began (ISO 8601, UTC). Others stay. */
      readonly periods?: Readonly<Record<string, string>>;
    }
  /** The run keys are spent with the runs; run keys of a retry only say what launched the run that the retry repeats. */
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
  /** Assets that they have made while they go on: on record from now, whatever becomes of the runs. */
  | {
      readonly type: 'runs-progressed';
      readonly runs: ReadonlyMap<string, readonly AssetOutcome[]>;
      /** By run: assets for which something changed while they were made. */
      readonly stale?: ReadonlyMap<string, StaleAssets>;
    }
  /** A live owner will abort them; no outcome of theirs counts. */
  | {
      readonly type: 'runs-canceling';
      readonly ids: Iterable<string>;
      /** Not given: by hand. Where a run is being canceled already, its first reason stands. */
      readonly why?: string;
    }
  /** They leave the state for the history, and what was not on record of their assets is now. */
  | { readonly type: 'runs-finished'; readonly runs: readonly FinishedRun[] }
  | { readonly type: 'executor'; readonly id: string; readonly slots: number; readonly wants: number }
  /** What the executor has of pools and waits for; and all calls of pools with a rate that still count. */
  | {
      readonly type: 'pools';
      readonly executor: string;
      readonly shares: Readonly<Record<string, PoolShare>>;
      readonly starts: Readonly<Record<string, PoolStarts>>;
    }
  /** It leaves the state, unless it owns runs after all changes before this one. */
  | { readonly type: 'executor-left'; readonly id: string }
  /** The state is being moved, or was; `null`: it is here again. */
  | { readonly type: 'moved'; readonly mark: MoveMark | null }
  /** What was made elsewhere, or is not wanted: said by a person. */
  | {
      readonly type: 'keys-marked';
      readonly asset: string;
      readonly set: string | null;
      readonly keys: readonly (string | null)[];
      readonly as: 'materialized' | 'missing' | 'skipped';
      readonly at: string;
    }
  /**
   * What another `codeVersion` makes stale becomes so, and what is missing of an asset that is automated from now on becomes its
   * backlog: so this stands before the keys that the same commit adds. From `at` a sensor is waited for that never brought a key.
   */
  | { readonly type: 'pipeline-known'; readonly pipeline: KnownPipeline; readonly at: string }
  /** All that is open or not told yet, in the place of what was. */
  | { readonly type: 'incidents'; readonly incidents: Incidents };

/** Assets for which something changed while they were made: what they made is stale from the start. */
export type StaleAssets = ReadonlyMap<string, StaleReason>;

/** Runs to be queued: the same assets, one for each key. */
export interface QueuedRuns extends RunHead {
  readonly firstNumber: number;
  readonly keys: readonly (string | null)[];
  readonly runKeys: readonly (string | null)[] | null;
}

/** What its record says of its assets is what counts: an outcome that does not is none. */
export interface FinishedRun {
  readonly record: RunRecord & { readonly status: FinalRunStatus };
  readonly set: string | null;
  readonly stale?: StaleAssets;
  /** In how many milliseconds assets that failed ask to be tried again. */
  readonly asked?: ReadonlyMap<string, number>;
}
