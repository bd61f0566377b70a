/** A run that is still in the state, as the record that people and scripts see; and its end without having been executed. */
import type { Failure } from '../definitions/failure.ts';
import { describe } from '../definitions/failure-words.ts';
import type { FinalRunStatus, RunRecord } from '../definitions/run.ts';
import { isoTime, type Millis } from '../definitions/time.ts';
import type { FinishedRun, PendingRun, PendingRuns, StateView } from '../state/state-store.ts';

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
  const error = describe(end.failure);
  return {
    record: {
      ...recordOf(runs, run),
      status: end.status,
      error,
      assets: runs.assets.map((asset) => ({ asset, status: end.status, attempts: 0, metadata: {}, error })),
      finishedAt: isoTime(end.now),
    },
    set: runs.set,
    counts: end.counts,
  };
}

/** Every run of a group. */
export function* runsIn(runs: PendingRuns): Generator<PendingRun> {
  for (let position = 0; position < runs.count; position++) yield runs.at(position);
}

/** Every queued and started run. */
export function pendingRecords(view: StateView): RunRecord[] {
  return view.runs().flatMap((runs) => Array.from(runsIn(runs), (run) => recordOf(runs, run)));
}
