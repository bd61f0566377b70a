/** What a process takes up of the runs without a live owner: all of them, or its share of those that it can execute. Pure. */
import type { PendingRun, PendingRuns } from '../../../model/pending-run.ts';
import type { Millis } from '../../../model/time.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { Plan } from '../../../state/store.ts';
import { heldByBlocked } from './blocked.ts';
import { type Claim, claimRuns } from './claim-runs.ts';
import { roomFor } from './slots.ts';

/** All that processes have in hand or in the queue: who takes runs up looks at the others. */
export const PENDING: Needs = { runs: ['all'], executors: true };

/** Who takes up only some looks at no more than these. */
export const needsToTake = (most: number, of: readonly string[]): Needs =>
  most === Infinity ? PENDING : { runs: [{ takeable: most, of }], executors: true };

export interface TakeUpOptions {
  /** The executor that takes them up. */
  readonly owner: string;
  readonly now: Millis;
  readonly concurrency: number;
  /** So many at most. `Infinity`: all that it finds, whoever's assets they make. */
  readonly most: number;
  readonly wanted: (runs: PendingRuns, run: PendingRun) => boolean;
  /** Whether the pipeline has all of their assets. */
  readonly canMake: (runs: PendingRuns) => boolean;
}

/** Of workers with different pipelines each takes what it can make. */
export function planTakeUp(view: StateView, options: TakeUpOptions): Plan<Claim> {
  const { owner, now, concurrency, most, wanted, canMake } = options;
  // What would wait for a blocked process stays in the queue.
  const isHeld = heldByBlocked(view);
  let taken = 0;
  const isTaken = (runs: PendingRuns, run: PendingRun): boolean =>
    taken < most &&
    wanted(runs, run) &&
    // What is being canceled, anybody can end.
    (run.canceling || most === Infinity || canMake(runs)) &&
    !isHeld?.(runs.assets, run.partitionKey) &&
    taken++ < most;
  const claimed = claimRuns(view, { owner, now, wanted: isTaken });
  return {
    changes: [...claimed.changes, ...roomFor(view, owner, claimed.owned.length, concurrency)],
    outcome: claimed,
  };
}
