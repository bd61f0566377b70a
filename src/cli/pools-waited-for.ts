/** Which pools runs wait for, over all processes: said with runs that are queued. */
import type { ExecutorView, StateView } from '../state/state-view.ts';
import { counted, printable } from '../model/text.ts';

/** A line for each pool in which a run of a living process waits. */
export function poolsWaitedFor(executors: readonly ExecutorView[]): string[] {
  const pools = new Map<string, { taken: number; waiting: number }>();
  for (const { alive, pools: shares } of executors) {
    if (!alive) continue;
    for (const [pool, [taken, waiting]] of Object.entries(shares)) {
      const before = pools.get(pool) ?? { taken: 0, waiting: 0 };
      pools.set(pool, { taken: before.taken + taken, waiting: before.waiting + waiting });
    }
  }
  return [...pools]
    .filter(([, { waiting }]) => waiting > 0)
    .map(
      ([pool, { taken, waiting }]) =>
        `${counted(waiting, 'run')} ${waiting === 1 ? 'waits' : 'wait'} for pool ${printable(pool)}, where ${taken === 1 ? '1 place is' : `${counted(taken, 'place')} are`} taken`,
    );
}

/** What keeps the process that has a queued run in hand: whether it is this very run is known to that process alone. */
export function poolsOfQueued(view: StateView, run: string): string[] {
  const owner = view.run(run)?.runs.owner;
  const by = view.executors().find(({ id }) => id === owner);
  if (by === undefined) return [];
  return poolsWaitedFor([by]).map((line) => `in process ${by.pid} on ${by.host}: ${line}`);
}
