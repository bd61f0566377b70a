/** Who owns what, as a view has it. Pure. */
import { upstreamsOf } from '../../../definitions/mapping.ts';
import type { Pipeline } from '../../../definitions/pipeline.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { OwnedRun } from './claim-runs.ts';
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

/** What a process looks at while it executes runs: others, and whether what its runs depend on and do not make is there. */
export function needsOfExecution(
  { pipeline, executor }: { readonly pipeline: Pipeline; readonly executor: { readonly id: string } },
  owned: () => Iterable<OwnedRun>,
): Needs {
  return {
    runs: [{ owned: true }],
    ownedBy: [executor.id],
    executors: true,
    // By the time of the asking: a process takes on more runs as it goes.
    get keys() {
      const ofSets = [...owned()].flatMap(({ runs: { set }, partitionKey }) =>
        set === null ? [] : [[set, partitionKey] as const],
      );
      return [...new Set(ofSets.map(([set]) => set))].map((name) => ({
        set: name,
        keys: ofSets.flatMap(([set, key]) => (set === name ? [key] : [])),
        carried: true as const,
      }));
    },
    get statuses() {
      return [...owned()].flatMap(({ assets, partitionKey }) => {
        const above = assets.flatMap((name) => upstreamsOf(pipeline, name, partitionKey));
        return above.map(({ asset, set, key }) => ({ asset, set, keys: [key] }));
      });
    },
  };
}

/** Whether what it makes rests on anything that other runs make. */
export function looksUp(
  { assets: known }: Pick<Pipeline, 'assets'>,
  { assets }: Pick<OwnedRun, 'assets'>,
): boolean {
  return assets.some((name) => {
    const { upstream = [], gathers = [] } = known.get(name) ?? {};
    return gathers.length > 0 || upstream.some((above) => !assets.includes(above));
  });
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
