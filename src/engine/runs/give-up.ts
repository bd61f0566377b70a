/** Runs that this process took on and does not execute: given back to the queue, or ended as canceled. */
import type { StateView } from '../../state/state-view.ts';
import { heldByBlocked, isRoomBlocked } from '../plan/executors/blocked.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import { sayLeft } from './left-of.ts';
import type { OwnRuns } from './own-runs.ts';
import type { RunLoopOptions } from './run-loop-options.ts';

/** What waits for a blocked process would wait until somebody ends that process. */
export function giveUpHeld(
  runs: OwnRuns,
  view: StateView,
  { executor, concurrency, onInterrupt, emit }: RunLoopOptions,
): void {
  const isHeld = heldByBlocked(view);
  if (isHeld === null) return;
  const hasNoRoom = runs.underWay.isIdle && isRoomBlocked(view, executor.id, concurrency);
  const held = runs.queue.takeWhere((run) => hasNoRoom || isHeld(run.assets, run.partitionKey));
  for (const run of held) {
    if (onInterrupt === 'release' || isOfSensor(run)) runs.unexecuted.push(run);
    else runs.endCanceled(run, null, 'it waited for a process that is blocked');
  }
  if (held.length > 0) sayLeft(runs, emit);
}

/** The runs that go back to the queue. Those that wait end as canceled, unless a sensor asked for them. */
export function giveUp(
  runs: OwnRuns,
  how: { readonly waiting: boolean; readonly isCanceled: boolean; readonly why: string },
): OwnedRun[] {
  const unexecuted = runs.unexecuted.splice(0);
  const rest = how.waiting ? runs.queue.takeAll() : [];
  // What a sensor requested is not lost with the command that happened to execute it: the cursor is past it.
  const isCanceled = (run: OwnedRun): boolean => how.isCanceled && !isOfSensor(run);
  for (const run of rest) if (isCanceled(run)) runs.endCanceled(run, null, how.why);
  return [...unexecuted, ...rest.filter((run) => !isCanceled(run))];
}

/** Whether a sensor asked for this very run. A retry of such a run was asked for by hand. */
function isOfSensor({ runs }: OwnedRun): boolean {
  return runs.sensor !== null && runs.retryOf === null;
}
