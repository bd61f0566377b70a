/** The tags that a sensor gave the run of a key, for the later runs of that key that no sensor asks for. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { QueuedRuns } from '../../state/changes.ts';
import type { StateView } from '../../state/state-view.ts';
import type { StateStore } from '../../state/store.ts';
import type { TagsOf } from '../plan/materialize/plan-materialize.ts';

/**
 * Those of the newest run of each key that a sensor asked for or that carries tags itself: it may outlive the sensor's own
 * run in the history, which is bounded. A run without a key has none. One question for each set.
 *
 * @param planned the runs to be queued; other keys have no tags here
 */
export async function earlierTags(
  store: StateStore,
  view: StateView,
  { pipeline, planned }: { readonly pipeline: Pipeline; readonly planned: readonly QueuedRuns[] },
): Promise<TagsOf> {
  const keysBySet = new Map<string, (string | null)[]>();
  // A long history is not read where no sensor can have given a tag.
  if (view.sensorNames().length > 0)
    for (const { set, keys } of planned)
      if (set !== null) keysBySet.set(set, [...(keysBySet.get(set) ?? []), ...keys]);
  const tags = new Map<string, ReadonlyMap<string | null, QueuedRuns['tags']>>();
  for (const [set, keys] of keysBySet) {
    const assets = [...pipeline.assets.values()].filter((asset) => asset.set === set).map(({ name }) => name);
    const { runs } = await store.runs({ assets, keys, isTagged: true, newestOfEachKey: true });
    tags.set(set, new Map(runs.map((run) => [run.partitionKey, run.tags])));
  }
  return (set, key) => tags.get(set ?? '')?.get(key) ?? {};
}
