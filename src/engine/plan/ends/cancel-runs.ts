/** Cancels runs. Pure: says which changes do it. */
import type { RunRecord } from '../../../model/run.ts';
import type { Millis } from '../../../model/time.ts';
import type { FinishedRun, StateChange } from '../../../state/changes.ts';
import { type PendingRun, type PendingRuns, recordOf, runsIn } from '../../../model/pending-run.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import { living } from '../executors/ownership.ts';
import { endedAs } from './run-records.ts';

export interface CanceledRuns {
  readonly changes: readonly StateChange[];
  /** A run whose owner lives is still to be aborted by that owner. */
  readonly runs: readonly RunRecord[];
}

/**
 * A run without a live owner ends here and now. One that a live process may be executing is marked: its owner aborts it
 * within two seconds and records the end, so that nobody else begins the same asset and key before it has let go.
 */
export function cancelRuns(
  view: StateView,
  chosen: (runs: PendingRuns, run: PendingRun) => boolean,
  { why, now }: { readonly why: string; readonly now: Millis },
): CanceledRuns {
  const alive = living(view);
  const losing = new Set<string>();
  const finished: FinishedRun[] = [];
  const canceling: string[] = [];
  const records: RunRecord[] = [];
  for (const runs of view.runs()) {
    const owned = runs.owner !== null && alive.has(runs.owner);
    for (const run of runsIn(runs)) {
      if (!chosen(runs, run)) continue;
      if (owned) {
        canceling.push(run.id);
        records.push(recordOf(runs, run));
      } else {
        const ended = endedAs(runs, run, {
          status: 'CANCELED',
          failure: { reason: 'canceled', why },
          now,
        });
        finished.push(ended);
        records.push(ended.record);
        if (runs.owner !== null) losing.add(runs.owner);
      }
    }
  }
  const changes: StateChange[] = [];
  if (canceling.length > 0) changes.push({ type: 'runs-canceling', ids: canceling });
  if (finished.length > 0) {
    changes.push({ type: 'runs-finished', runs: finished });
    // Who takes up a dead process's runs takes it out of the state. Nobody will, when there is nothing left to take up.
    for (const id of losing) changes.push({ type: 'executor-left', id });
  }
  return { changes, runs: records };
}

export function needsOfCanceling(set: string, keys: Iterable<string | null>): Needs {
  return { runs: [{ set, keys }], executors: true };
}

/** Cancels what is queued or started for keys that leave their set. */
export function cancelRunsOfKeys(
  view: StateView,
  set: string,
  keys: readonly string[],
  now: Millis,
): readonly StateChange[] {
  if (view.runs().length === 0) return [];
  const gone = new Set(keys);
  return cancelRuns(
    view,
    (runs, run) => runs.set === set && run.partitionKey !== null && gone.has(run.partitionKey),
    {
      why: 'its partition key was removed',
      now,
    },
  ).changes;
}
