/** A run that is still in the state, as the record that people and scripts see; and its end without having been executed. */
import type { Failure } from '../../model/failure.ts';
import { describe } from '../../model/failure-words.ts';
import { recordedProblem } from '../../model/problem.ts';
import { type FinalRunStatus, mayBecome, type RunRecord } from '../../model/run.ts';
import { isoTime, type Millis } from '../../model/time.ts';
import type { FinishedRun } from '../../state/changes.ts';
import type { PendingRun, PendingRuns, StateView } from '../../state/slice.ts';

/** The record of a queued or started run. */
export function recordOf(runs: PendingRuns, run: PendingRun): RunRecord {
  return {
    id: run.id,
    partitionKey: run.partitionKey,
    status: run.status,
    sensor: runs.sensor,
    runKey: run.runKey,
    tags: runs.tags,
    attempts: 0,
    retryOf: runs.retryOf,
    error: null,
    assets: runs.assets.map((asset) => ({
      asset,
      status: run.status,
      attempts: 0,
      metadata: {},
      error: null,
    })),
    createdAt: runs.createdAt,
    startedAt: run.startedAt,
    finishedAt: null,
  };
}

type RunEnd = Pick<FinishedRun['record'], 'status' | 'assets' | 'error' | 'attempts'>;

/** The record of a run that has come to its end. */
export function endOf(runs: PendingRuns, run: PendingRun, end: RunEnd, now: Millis): FinishedRun['record'] {
  if (!mayBecome(run.status, end.status))
    throw new Error(`run ${run.id} cannot go from ${run.status} to ${end.status}`);
  return {
    ...recordOf(runs, run),
    ...end,
    error: recordedProblem(end.error),
    assets: end.assets.map((asset) => ({ ...asset, error: recordedProblem(asset.error) })),
    finishedAt: isoTime(now),
  };
}

/** The end of all assets of a run for one and the same reason, without a try of any. */
export function endOfAll(assets: readonly string[], status: FinalRunStatus, failure: Failure): RunEnd {
  const error = describe(failure);
  return {
    status,
    error,
    attempts: 0,
    assets: assets.map((asset) => ({ asset, status, attempts: 0, metadata: {}, error })),
  };
}

/** The end of a run that is not executed (any more). Its outcome changes no asset's status unless it `counts`. */
export function endedAs(
  runs: PendingRuns,
  run: PendingRun,
  end: {
    readonly status: FinalRunStatus;
    readonly failure: Failure;
    readonly now: Millis;
    readonly counts: boolean;
  },
): FinishedRun {
  const record = endOf(runs, run, endOfAll(runs.assets, end.status, end.failure), end.now);
  return { record, set: runs.set, counts: end.counts };
}

/** Every run of a group. */
export function* runsIn(runs: PendingRuns): Generator<PendingRun> {
  for (let position = 0; position < runs.count; position++) yield runs.at(position);
}

/** Queued and started runs: every one, or those with these ids. */
export function pendingRecords(view: StateView, ids?: ReadonlySet<string>): RunRecord[] {
  const begun = begunIn(view);
  if (ids !== undefined) {
    return [...ids].flatMap((id) => {
      const pending = view.run(id);
      if (pending === undefined) return [];
      return asBegun(recordOf(pending.runs, pending.run), pending.runs, begun);
    });
  }
  return view
    .runs()
    .flatMap((runs) => Array.from(runsIn(runs), (run) => asBegun(recordOf(runs, run), runs, begun)));
}

/** One of them. */
export function pendingRecord(view: StateView, id: string): RunRecord | undefined {
  return pendingRecords(view, new Set([id]))[0];
}

/** What each live executor notes of its runs: one that is blocked cannot commit that it has begun them. */
function begunIn(view: StateView): ReadonlyMap<string, ReadonlyMap<string, string>> {
  if (view.runs().length === 0) return new Map();
  return new Map(view.executors().flatMap(({ id, alive, begun }) => (alive ? [[id, begun] as const] : [])));
}

function asBegun(
  record: RunRecord,
  { owner }: PendingRuns,
  begun: ReadonlyMap<string, ReadonlyMap<string, string>>,
): RunRecord {
  const startedAt = begun.get(owner ?? '')?.get(record.id);
  if (startedAt === undefined || record.startedAt !== null) return record;
  const status = 'STARTED' as const;
  return { ...record, status, startedAt, assets: record.assets.map((asset) => ({ ...asset, status })) };
}
