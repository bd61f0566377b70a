/** What a process takes up of the runs without a live owner: all of them, or its share. Pure. */
import type { PendingRun, PendingRuns } from '../../../model/pending-run.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { Plan } from '../../../state/store.ts';
import { heldByBlocked } from './blocked.ts';
import { type Claim, type ClaimOptions, claimRuns } from './claim-runs.ts';
import { roomFor } from './slots.ts';

/** All that processes have in hand or in the queue: who takes runs up looks at the others. */
export const PENDING: Needs = { runs: ['all'], executors: true };

/** Who takes up only some looks at no more than these. */
export const needsToTake = (most: number, of: readonly string[]): Needs =>
  most === Infinity ? PENDING : { runs: [{ takeable: most, of }], executors: true };

export interface TakeUpOptions extends ClaimOptions {
  readonly concurrency: number;
  /** So many at most. */
  readonly most: number;
}

export function planTakeUp(view: StateView, options: TakeUpOptions): Plan<Claim> {
  const { owner, concurrency, most, wanted } = options;
  // What would wait for a blocked process stays in the queue.
  const isHeld = heldByBlocked(view);
  let taken = 0;
  const isTaken = (runs: PendingRuns, run: PendingRun): boolean =>
    taken < most && wanted(runs, run) && !isHeld?.(runs.assets, run.partitionKey) && taken++ < most;
  const claimed = claimRuns(view, { ...options, wanted: isTaken });
  return {
    changes: [...claimed.changes, ...roomFor(view, owner, claimed.owned.length, concurrency)],
    outcome: claimed,
  };
}
