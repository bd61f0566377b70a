/** What a process takes up of the runs without a live owner, all of them or its share, and which of them end instead. Pure. */
import { type PendingRun, type PendingRuns, runsIn } from '../../../model/pending-run.ts';
import { MAX_EXECUTIONS } from '../../../model/run.ts';
import type { Millis } from '../../../model/time.ts';
import type { FinishedRun, StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { ExecutorView, StateView } from '../../../state/state-view.ts';
import type { Plan } from '../../../state/store.ts';
import { cancellationOf, endedAs } from '../ends/run-records.ts';
import { heldByBlocked } from './blocked.ts';
import { asQueued, ownedRun, type OwnedRun } from './owned-run.ts';
import { living } from './ownership.ts';
import { type KeepTo, roomFor } from './slots.ts';

export interface Claim {
  readonly changes: readonly StateChange[];
  readonly owned: readonly OwnedRun[];
  /** Runs that ended here instead: interrupted too often, or canceled while their owner was dying. */
  readonly ended: readonly FinishedRun[];
}

export interface ClaimOptions {
  /** The executor that takes them up. */
  readonly owner: string;
  readonly now: Millis;
  /** Which of the runs without a live owner. */
  readonly wanted: (runs: PendingRuns, run: PendingRun) => boolean;
}

/** All that processes have in hand or in the queue: who takes runs up looks at the others. */
export const PENDING: Needs = { runs: ['all'], executors: true };

/** Who takes up only some looks at no more than these. */
export const needsToTake = (most: number, of: readonly string[]): Needs =>
  most === Infinity ? PENDING : { runs: [{ takeable: most, of }], executors: true };

export interface TakeUpOptions extends ClaimOptions {
  readonly concurrency: number;
  /** See `roomFor`. */
  readonly keepTo?: KeepTo | undefined;
  /** So many at most. */
  readonly most: number;
  /** Where there are no more than that, each living executor gets its part of them, and this one so many in any case. Default: `most`. */
  readonly atLeast?: number;
}

/** What any tick may resume: everything without a live owner, except what is for a worker. */
export function forTick(runs: PendingRuns): boolean {
  return runs.origin !== 'worker';
}

/** Whether there is anything to take up. Cheap: asked at every tick. */
export function hasUnowned(view: StateView, wanted: (runs: PendingRuns) => boolean): boolean {
  const pending = view.runs();
  if (pending.length === 0) return false;
  const alive = living(view);
  return pending.some((runs) => (runs.owner === null || !alive.has(runs.owner)) && wanted(runs));
}

/** Whether anything is being canceled that no live process is left to end. */
export function hasCanceled(view: StateView): boolean {
  return hasUnowned(view, (runs) => runs.canceling().length > 0);
}

export function planTakeUp(view: StateView, options: TakeUpOptions): Plan<Claim> {
  const { owner, wanted } = options;
  // What would wait for a blocked process stays in the queue.
  const isHeld = heldByBlocked(view);
  const isWanted = (runs: PendingRuns, run: PendingRun): boolean =>
    wanted(runs, run) && !isHeld?.(runs.assets, run.partitionKey);
  const most = shareOf(view, options, isWanted);
  let taken = 0;
  const isTaken = (runs: PendingRuns, run: PendingRun): boolean =>
    taken < most && isWanted(runs, run) && taken++ < most;
  const claimed = claimRuns(view, { ...options, wanted: isTaken });
  return {
    changes: [...claimed.changes, ...roomFor(view, owner, claimed.owned.length, options)],
    outcome: claimed,
  };
}

/** Who took all that is left would be at work when the others have nothing to do any more. */
function shareOf(
  view: StateView,
  { owner, most, atLeast = most }: TakeUpOptions,
  isWanted: ClaimOptions['wanted'],
): number {
  if (atLeast >= most) return most;
  const alive = living(view);
  alive.delete(owner);
  if (alive.size === 0) return most;
  let found = 0;
  for (const runs of view.runs()) {
    if (runs.owner !== null && alive.has(runs.owner)) continue;
    for (const run of runsIn(runs)) if (isWanted(runs, run) && ++found >= most) return most;
  }
  return Math.max(atLeast, Math.ceil(found / (alive.size + 1)));
}

export function claimRuns(view: StateView, options: ClaimOptions): Claim {
  const alive = living(view);
  const dead = new Map(
    view
      .executors()
      .filter((executor) => !executor.alive)
      .map((executor) => [executor.id, executor]),
  );
  const claimed: OwnedRun[] = [];
  const ended: FinishedRun[] = [];
  const interruptedNow = new Set<string>();
  // Who dies idle leaves too; who keeps all that it owns is no reason for a commit.
  const keeping = new Set<string>();
  const losing = new Set<string>();
  for (const runs of view.runs()) {
    if (runs.owner !== null && alive.has(runs.owner)) continue;
    for (const run of runsIn(runs)) {
      const isWanted = options.wanted(runs, run);
      if (runs.owner !== null) (isWanted ? losing : keeping).add(runs.owner);
      if (!isWanted) continue;
      const end = whyItEnds(runs, run, dead.get(runs.owner ?? ''), options.now);
      if (end !== null) {
        ended.push(end);
        continue;
      }
      const wasBegun = dead.get(runs.owner ?? '')?.interrupted.has(run.id) ?? false;
      if (wasBegun) interruptedNow.add(run.id);
      claimed.push(ownedRun(runs, run, run.interrupted + (wasBegun ? 1 : 0)));
    }
  }
  const changes: StateChange[] = [];
  if (claimed.length > 0) {
    changes.push({
      type: 'runs-claimed',
      ids: claimed.map(({ id }) => id),
      owner: options.owner,
      interrupted: interruptedNow,
    });
  }
  if (ended.length > 0) changes.push({ type: 'runs-finished', runs: ended });
  for (const id of dead.keys()) if (!keeping.has(id)) changes.push({ type: 'executor-left', id });
  return { changes, owned: asQueued(claimed), ended };
}

function whyItEnds(
  runs: PendingRuns,
  run: PendingRun,
  owner: ExecutorView | undefined,
  now: Millis,
): FinishedRun | null {
  if (run.canceling) {
    return endedAs(runs, run, { status: 'CANCELED', failure: cancellationOf(run), now });
  }
  const executions = run.interrupted + (owner?.interrupted.has(run.id) ? 1 : 0);
  if (executions < MAX_EXECUTIONS) return null;
  return endedAs(runs, run, {
    status: 'FAILURE',
    failure: { reason: 'interrupted', run: run.id, executions },
    now,
  });
}
