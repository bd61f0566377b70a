/** Cancels runs. Pure: says which changes do it. */
import { CANCELED_BY_HAND, keyRemoved } from '../../../model/failures/run.ts';
import type { RunRecord } from '../../../model/run.ts';
import type { Millis } from '../../../model/time.ts';
import type { FinishedRun, StateChange } from '../../../state/changes.ts';
import { type PendingRun, type PendingRuns, recordOf, runsIn } from '../../../model/pending-run.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import { living } from '../executors/ownership.ts';
import { cancellationOf, endedAs } from './run-records.ts';

export interface CanceledRuns {
  readonly changes: readonly StateChange[];
  /** A run whose owner lives is still to be aborted by that owner. */
  readonly runs: readonly RunRecord[];
}

export interface Canceling {
  readonly why: string;
  readonly now: Millis;
  /** Also what somebody else has marked and nobody is left to end. Once in a plan. Default: no */
  readonly endsLeft?: boolean;
}

/**
 * A run without a live owner ends here and now. One that a live process may be executing is marked: its owner aborts it
 * within two seconds and records the end, so that nobody else begins the same asset and key before it has let go.
 */
export function cancelRuns(
  view: StateView,
  chosen: (runs: PendingRuns, run: PendingRun) => boolean,
  { why, now, endsLeft = false }: Canceling,
): CanceledRuns {
  const alive = living(view);
  const losing = new Set<string>();
  const finished: FinishedRun[] = [];
  const canceling: string[] = [];
  const records: RunRecord[] = [];
  for (const runs of view.runs()) {
    const owned = runs.owner !== null && alive.has(runs.owner);
    for (const run of runsIn(runs)) {
      const isChosen = chosen(runs, run);
      if (!isChosen && (owned || !run.canceling || !endsLeft)) continue;
      if (owned) {
        canceling.push(run.id);
        records.push(recordOf(runs, run));
      } else {
        const ended = endedAs(runs, run, {
          status: 'CANCELED',
          failure: run.canceling ? cancellationOf(run) : { reason: 'canceled', why },
          now,
        });
        finished.push(ended);
        if (isChosen) records.push(ended.record);
        if (runs.owner !== null) losing.add(runs.owner);
      }
    }
  }
  const changes: StateChange[] = [];
  if (canceling.length > 0)
    changes.push({ type: 'runs-canceling', ids: canceling, ...(why !== CANCELED_BY_HAND && { why }) });
  if (finished.length > 0) {
    changes.push({ type: 'runs-finished', runs: finished });
    // Who takes up a dead process's runs takes it out of the state. Nobody will, when there is nothing left to take up.
    for (const id of losing) changes.push({ type: 'executor-left', id });
  }
  return { changes, runs: records };
}

/** What somebody has marked and whose process has died since: whoever changes runs or keys by hand ends it. */
export const NEEDS_OF_LEFT: Needs = { runs: [{ canceling: true }], executors: true };

/** Ends what was marked and has nobody left who would end it. */
export function endLeft(view: StateView, now: Millis): readonly StateChange[] {
  return cancelRuns(view, () => false, { why: CANCELED_BY_HAND, now, endsLeft: true }).changes;
}

export function needsOfCanceling(set: string, keys: Iterable<string | null>): Needs {
  return { runs: [{ set, keys }], executors: true };
}

/** Cancels what is queued or started for keys that leave their set. @param by what takes them out, in words */
export function cancelRunsOfKeys(
  view: StateView,
  set: string,
  keys: readonly string[],
  { by, ...how }: Omit<Canceling, 'why'> & { readonly by: string },
): readonly StateChange[] {
  if (view.runs().length === 0) return [];
  const gone = new Set(keys);
  return cancelRuns(
    view,
    (runs, run) => runs.set === set && run.partitionKey !== null && gone.has(run.partitionKey),
    { ...how, why: keyRemoved(by) },
  ).changes;
}
