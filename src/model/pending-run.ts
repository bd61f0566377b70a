/** Queued and started runs: what they were queued with, where each stands, and the record that people and scripts see of it. */
import type { StaleReason } from './stale-reason.ts';
import {
  type AssetOutcome,
  causeOf,
  outcomeOf,
  type RunHead,
  type RunRecord,
  type RunStatus,
} from './run.ts';

/** Runs that were queued together and have one owner. */
export interface PendingRuns extends RunHead {
  /** The executor that executes them; `null`: nobody does. */
  readonly owner: string | null;
  /** The serial with which they became the owner's. */
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
  /** Why it is to be aborted; `null`: it was canceled by hand, or is not to be. */
  readonly canceledWhy: string | null;
  readonly interrupted: number;
  readonly startedAt: string | null;
  /** Assets that the run has made and that are on record while the run goes on: they are not made again. */
  readonly done: readonly AssetOutcome[];
  /** Assets of the run for which something has changed since the run was queued. */
  readonly touched: Readonly<Record<string, TouchedBy>>;
}

/** What has changed for an asset, and with which serial last. */
export type TouchedBy = Readonly<Partial<Record<StaleReason, number>>>;

/** Every run of a group. */
export function* runsIn(runs: PendingRuns): Generator<PendingRun> {
  for (let position = 0; position < runs.count; position++) yield runs.at(position);
}

type Head = Omit<RunHead, 'group' | 'set' | 'origin'>;
type Standing = Pick<PendingRun, 'id' | 'partitionKey' | 'runKey' | 'startedAt'>;

/** The record of a queued or started run. */
export function recordOf(head: Head, run: Standing & Pick<PendingRun, 'status' | 'done'>): RunRecord {
  const { status, done } = run;
  const outcomes = head.assets.map((asset) => outcomeOf({ asset, status }));
  const assets = withReasons(head, withDone(outcomes, done));
  return recordWith(head, run, { status, attempts: 0, error: null, assets, finishedAt: null });
}

/** The record of a run that has come to this. */
export function recordWith<Status extends RunStatus>(
  head: Head,
  { id, partitionKey, runKey, startedAt }: Standing,
  {
    status,
    attempts,
    error,
    assets,
    finishedAt,
  }: Pick<RunRecord, 'attempts' | 'error' | 'assets' | 'finishedAt'> & { readonly status: Status },
): RunRecord & { readonly status: Status } {
  const { createdAt, sensor, tags, retryOf } = head;
  return {
    id,
    partitionKey,
    status,
    sensor,
    runKey,
    cause: causeOf(head),
    tags,
    attempts,
    retryOf,
    error,
    assets,
    createdAt,
    startedAt,
    finishedAt,
  };
}

/** The outcomes of a run's assets, each with the reason for which it was made. */
export function withReasons(
  { assets, reasons }: Pick<RunHead, 'assets' | 'reasons'>,
  outcomes: readonly AssetOutcome[],
): readonly AssetOutcome[] {
  return outcomes.map((outcome) => ({
    ...outcome,
    reason: reasons?.[assets.indexOf(outcome.asset)] ?? 'asked',
  }));
}

/** The outcomes of a run's assets, where those that are done already have theirs. */
export function withDone(
  outcomes: readonly AssetOutcome[],
  done: readonly AssetOutcome[],
): readonly AssetOutcome[] {
  if (done.length === 0) return outcomes;
  const byAsset = new Map(done.map((outcome) => [outcome.asset, outcome]));
  // What an older dynpart has put on record lacks what this one says besides.
  return outcomes.map((outcome) => ({ ...outcome, ...byAsset.get(outcome.asset) }));
}

/** What an executor tells of its runs before the state shows it. */
export interface BegunRuns {
  readonly id: string;
  readonly alive: boolean;
  /** Runs whose user code has begun and not ended, and when it began (ISO 8601, UTC). */
  readonly begun: ReadonlyMap<string, string>;
}

/** The records of queued and started runs. A run whose executor is blocked shows as started: a blocked executor cannot commit that the run has begun. */
export function* pendingRecords(
  groups: readonly PendingRuns[],
  executors: () => readonly BegunRuns[],
): Generator<RunRecord> {
  if (groups.length === 0) return;
  const begun = new Map(executors().flatMap((one) => (one.alive ? [[one.id, one.begun] as const] : [])));
  for (const runs of groups) {
    const begunHere = begun.get(runs.owner ?? '');
    for (const run of runsIn(runs)) {
      const startedAt = run.startedAt ?? begunHere?.get(run.id) ?? null;
      yield recordOf(runs, { ...run, startedAt, status: startedAt === null ? run.status : 'STARTED' });
    }
  }
}
