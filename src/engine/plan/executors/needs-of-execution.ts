/** What a process must know of others while it executes runs, and whether its runs rest on what others make. Pure. */
import { upstreamsOf } from '../../../definitions/mapping.ts';
import type { Pipeline } from '../../../definitions/pipeline.ts';
import type { Needs } from '../../../state/needs.ts';
import type { OwnedRun } from './owned-run.ts';

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
