/** The record of a run that has come to its end, executed or not. Pure. */
import type { Failure } from '../../../model/failure.ts';
import { CANCELED_BY_HAND } from '../../../model/failures/run.ts';
import { describe } from '../../../model/describe-failure.ts';
import { recordedProblem } from '../../../model/problem.ts';
import { type FinalRunStatus, mayBecome, outcomeOf } from '../../../model/run.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { FinishedRun } from '../../../state/changes.ts';
import {
  type PendingRun,
  type PendingRuns,
  recordWith,
  withDone,
  withReasons,
} from '../../../model/pending-run.ts';

type RunEnd = Pick<FinishedRun['record'], 'status' | 'assets' | 'error' | 'attempts'>;

/** The record of a run that has come to its end. */
export function endOf(runs: PendingRuns, run: PendingRun, end: RunEnd, now: Millis): FinishedRun['record'] {
  if (!mayBecome(run.status, end.status))
    throw new Error(`run ${run.id} cannot go from ${run.status} to ${end.status}`);
  const outcomes = end.assets.map((asset) => ({ ...asset, error: recordedProblem(asset.error) }));
  return recordWith(runs, run, {
    status: end.status,
    attempts: end.attempts,
    error: recordedProblem(end.error),
    assets: withReasons(runs, withDone(outcomes, run.done)),
    finishedAt: isoTime(now),
  });
}

/** The end of all assets of a run for one and the same reason, without a try of any. */
export function endOfAll(assets: readonly string[], status: FinalRunStatus, failure: Failure): RunEnd {
  const error = describe(failure);
  return {
    status,
    error,
    attempts: 0,
    assets: assets.map((asset) => outcomeOf({ asset, status, error })),
  };
}

/** Why a run ends that is marked as one to be aborted. */
export function cancellationOf({ canceledWhy }: PendingRun): Failure {
  return { reason: 'canceled', why: canceledWhy ?? CANCELED_BY_HAND };
}

/** The end of a run that is not executed (any more). */
export function endedAs(
  runs: PendingRuns,
  run: PendingRun,
  end: { readonly status: FinalRunStatus; readonly failure: Failure; readonly now: Millis },
): FinishedRun {
  const record = endOf(runs, run, endOfAll(runs.assets, end.status, end.failure), end.now);
  return { record, set: runs.set };
}
