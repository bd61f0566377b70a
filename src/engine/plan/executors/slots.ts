/** Shares the runs that may be started at the same time among the processes that execute runs. Pure. */
import type { StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';

/**
 * How many runs an executor may have started: what it wants, as far as the others leave room. Where others wait, nobody
 * takes more than an equal share, so that a long backfill does not keep a short tick waiting.
 */
export function slotsFor(view: StateView, executor: string, wanted: number, concurrency: number): number {
  const others = view.executors().filter(({ id, alive }) => alive && id !== executor);
  const theirs = others.map(({ slots, wants }) => ({ taken: slots, waiting: wants }));
  return Math.max(0, Math.min(wanted, fairShare(concurrency, theirs)));
}

/** Of the slots that stand for an executor, those that it may fill: where others wait, what runs and is more than its share is not replaced. */
export function shareTaken(
  view: StateView,
  { executor, concurrency }: { readonly executor: { readonly id: string }; readonly concurrency: number },
  wanted: number,
): number {
  return Math.min(slotsOf(view, executor.id), slotsFor(view, executor.id, wanted, concurrency));
}

function slotsOf(view: StateView, executor: string): number {
  return view.executors().find(({ id }) => id === executor)?.slots ?? 0;
}

/** What one of several may have of something that has a limit: what the others leave of it. Below 0 where they have too much. */
export function fairShare(
  limit: number,
  others: readonly { readonly taken: number; readonly waiting: number }[],
): number {
  const left = others.reduce((rest, { taken }) => rest - taken, limit);
  // Where others have nothing of it and wait, nobody takes more than an equal share.
  const isWaitedFor = others.some(({ taken, waiting }) => taken === 0 && waiting > 0);
  return isWaitedFor
    ? Math.min(left, Math.max(1, Math.floor(limit / (others.length + 1))))
    : Math.min(left, limit);
}

export type KeepTo = (share: number) => number;

export function needsOfRoom(executor: string): Needs {
  return { executors: true, ownedBy: [executor] };
}

/**
 * An executor's entry for runs that become its own in this commit, on top of those that it owns already. It stands in
 * the same commit, so that no run is ever seen with an owner that is not there.
 * @param keepTo has the executor begin no more than its share, and answers with what it uses. Default: it keeps all that it has
 */
export function roomFor(
  view: StateView,
  executor: string,
  added: number,
  { concurrency, keepTo }: { readonly concurrency: number; readonly keepTo?: KeepTo | undefined },
): StateChange[] {
  if (added === 0) return [];
  const owned = view.ownedBy(executor);
  const share = slotsFor(view, executor, owned + added, concurrency);
  // What is started takes its room until it has ended.
  const slots = Math.max(keepTo?.(share) ?? slotsOf(view, executor), share);
  return [{ type: 'executor', id: executor, slots, wants: Math.max(0, owned + added - slots) }];
}
