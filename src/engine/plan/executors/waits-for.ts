/** Whom a process waits for that can begin none of its runs. Pure. */
import type { ExecutorView, StateView } from '../../../state/state-view.ts';
import { runsIn } from '../../../model/pending-run.ts';

/** Another process, and what of it is in the way. */
export type WaitsFor =
  | {
      readonly for: 'work';
      readonly pid: number;
      readonly host: string;
      readonly run: string;
      readonly asset: string;
      readonly partitionKey: string | null;
    }
  /** How many runs of other processes use it. 0: its rate keeps it, or it has just become free. */
  | { readonly for: 'pool'; readonly pool: string; readonly others: number }
  | { readonly for: 'room'; readonly pid: number; readonly host: string; readonly runs: number };

/** Who has the asset and key of a waiting run. `null` when nobody has by now. */
export function hasWorkOf(
  view: StateView,
  executor: string,
  waiting: { readonly assets: readonly string[]; readonly partitionKey: string | null },
): WaitsFor | null {
  const others = othersOf(view, executor);
  for (const runs of view.runs()) {
    const owner = others.find(({ id }) => id === runs.owner);
    const asset = runs.assets.find((name) => waiting.assets.includes(name));
    if (owner === undefined || asset === undefined) continue;
    for (const { id, partitionKey } of runsIn(runs)) {
      if (partitionKey !== waiting.partitionKey) continue;
      return { for: 'work', pid: owner.pid, host: owner.host, run: id, asset, partitionKey };
    }
  }
  return null;
}

/** How many runs of other processes are in the way in a pool: the one of these of which others have most. */
export function hasPlacesOf(view: StateView, executor: string, pools: readonly string[]): WaitsFor {
  const taken = (pool: string): number =>
    othersOf(view, executor).reduce((sum, one) => sum + (one.pools[pool]?.[0] ?? 0), 0);
  const [most] = pools
    .map((pool) => ({ pool, others: taken(pool) }))
    .sort((one, other) => other.others - one.others);
  return { for: 'pool', ...most! };
}

/** Who takes most of the room. */
export function takesRoom(view: StateView, executor: string): WaitsFor | null {
  const [most] = othersOf(view, executor).sort((one, other) => other.slots - one.slots);
  return most === undefined ? null : { for: 'room', pid: most.pid, host: most.host, runs: most.slots };
}

function othersOf(view: StateView, executor: string): ExecutorView[] {
  return view.executors().filter(({ id, alive }) => alive && id !== executor);
}
