/** Runs: one execution of selected assets for one partition key. */
import type { MetadataValue } from './json-value.ts';
import type { StaleReason } from './stale-reason.ts';
import type { Problem } from './problem.ts';

/**
 * ```
 *            claimed           ┌─► SUCCESS    every asset was materialized
 *  QUEUED ─────────► STARTED ──┼─► FAILURE    an asset failed, or the run was interrupted three times
 *    ▲ │                │      └─► CANCELED   canceled, or its key was removed
 *    │ └────────────────┼────────► CANCELED | FAILURE   before it began
 *    └──────────────────┘
 *     its process stopped or died
 * ```
 */
export type RunStatus = 'QUEUED' | 'STARTED' | FinalRunStatus;
export type FinalRunStatus = 'SUCCESS' | 'FAILURE' | 'CANCELED';

const MOVES: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  QUEUED: ['STARTED', 'CANCELED', 'FAILURE'],
  STARTED: ['QUEUED', 'SUCCESS', 'FAILURE', 'CANCELED'],
  SUCCESS: [],
  FAILURE: [],
  CANCELED: [],
};

/** Whether a run may go from one status to the other. */
export function mayBecome(from: RunStatus, to: RunStatus): boolean {
  return MOVES[from].includes(to);
}

/** A run is taken up again after its process died, but begun three times at most. */
export const MAX_EXECUTIONS = 3;

/** The id of the run with this number among those that were queued together. */
export function runId(group: string, number: number): string {
  return `${group}-${number}`;
}

export function partsOfRunId(id: string): { readonly group: string; readonly number: number } {
  const dash = id.lastIndexOf('-');
  return { group: id.slice(0, dash), number: Number(id.slice(dash + 1)) };
}

/** Who executes a run: any tick may resume `tick`; only a worker or watch takes `worker`; `materialize` is the command's own. */
export type RunOrigin = 'tick' | 'worker' | 'materialize';

/** Why an asset of a run is made: what was the matter with it, or that somebody asked. */
export type RunReason = 'missing' | 'failed' | StaleReason | 'asked';

/** What launched a run. */
export type RunCause = 'sensor' | 'automation' | 'materialize' | 'retry';

/** The built-in sensor, which requests what automated assets need. */
export const AUTOMATION = 'automation';

export function causeOf({ sensor, retryOf }: Pick<RunHead, 'sensor' | 'retryOf'>): RunCause {
  if (retryOf !== null) return 'retry';
  if (sensor === null) return 'materialize';
  return sensor === AUTOMATION ? 'automation' : 'sensor';
}

/** What runs have in common that were queued together: the same assets, one run for each key. */
export interface RunHead {
  /** A run's id is this, `-` and the run's number. */
  readonly group: string;
  readonly createdAt: string;
  readonly sensor: string | null;
  readonly set: string | null;
  readonly assets: readonly string[];
  /** Why each of the assets is made; not there: because somebody asked. */
  readonly reasons?: readonly RunReason[];
  readonly tags: Readonly<Record<string, string>>;
  readonly origin: RunOrigin;
  readonly retryOf: string | null;
}

/** What a check said of a value that was kept all the same. */
export interface CheckWarning {
  readonly check: string;
  readonly message: string;
}

/** What became of one asset of a run. */
export interface AssetOutcome {
  readonly asset: string;
  readonly status: RunStatus | 'SKIPPED';
  readonly reason: RunReason | null;
  readonly attempts: number;
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  /** Of the key, when it was made. */
  readonly version: string | null;
  /** Of the asset, likewise. */
  readonly codeVersion: string | null;
  /** Why there was nothing to make, where that is so. */
  readonly skipReason: string | null;
  readonly warnings: readonly CheckWarning[];
  readonly error: Problem | null;
}

/** An outcome of which nothing is known but what is given. */
export function outcomeOf(
  given: Pick<AssetOutcome, 'asset' | 'status'> & Partial<AssetOutcome>,
): AssetOutcome {
  const { asset, status, ...rest } = given;
  return {
    asset,
    status,
    reason: null,
    attempts: 0,
    metadata: {},
    version: null,
    codeVersion: null,
    skipReason: null,
    warnings: [],
    error: null,
    ...rest,
  };
}

/** A run as `--json` shows it and as the history keeps it. Times are ISO 8601 in UTC. */
export interface RunRecord {
  readonly id: string;
  readonly partitionKey: string | null;
  readonly status: RunStatus;
  readonly sensor: string | null;
  readonly runKey: string | null;
  readonly cause: RunCause;
  readonly tags: Readonly<Record<string, string>>;
  /** The most tries that any of its assets took. */
  readonly attempts: number;
  readonly retryOf: string | null;
  readonly error: Problem | null;
  readonly assets: readonly AssetOutcome[];
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}
