/** Who owns what, as a view has it. Pure. */
import type { StateView } from '../../../state/state-view.ts';
import { runsIn } from '../../../model/pending-run.ts';

/** Work in the hands of another live process: an asset and key, and since which serial it is that process's. */
export interface WorkElsewhere {
  readonly asset: string;
  readonly partitionKey: string | null;
  readonly ownedSince: number;
}

/** The executors whose process lives. */
export function living(view: StateView): Set<string> {
  return new Set(view.executors().flatMap(({ id, alive }) => (alive ? [id] : [])));
}

/** Whether the executor stands in the state. */
export function isListed(view: StateView, executor: string): boolean {
  return view.executors().some(({ id }) => id === executor);
}

/** What other live processes own: assets and keys that are not to be begun here before they have let go. */
export function* workElsewhere(view: StateView, executor: string): Generator<WorkElsewhere> {
  const alive = living(view);
  alive.delete(executor);
  if (alive.size === 0) return;
  for (const runs of view.runs()) {
    if (runs.owner === null || !alive.has(runs.owner)) continue;
    for (const { partitionKey } of runsIn(runs)) {
      for (const asset of runs.assets) yield { asset, partitionKey, ownedSince: runs.ownedSince };
    }
  }
}
