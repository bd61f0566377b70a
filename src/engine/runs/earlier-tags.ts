/** The tags that a sensor gave the run of a key, for the later runs of that key that no sensor asks for. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { RunRecord } from '../../model/run.ts';
import type { QueuedRuns } from '../../state/changes.ts';
import type { PendingRuns, StateView } from '../../state/slice.ts';
import type { StateStore } from '../../state/store.ts';
import type { TagsOf } from '../plan/materialize.ts';
import { runsIn } from '../plan/run-records.ts';

/**
 * Those of the newest run of each key that a sensor asked for or that carries such tags itself: it may outlive the sensor's own
 * run in the history, which is bounded. A run without a key has none. One reading of the history for all keys.
 *
 * @param planned the runs to be queued; keys that are not among them have the tags of their pending runs
 */
export async function earlierTags(
  store: StateStore,
  view: StateView,
  { pipeline, planned }: { readonly pipeline: Pipeline; readonly planned: readonly QueuedRuns[] },
): Promise<TagsOf> {
  const tags = new Map<string, RunRecord['tags']>();
  const tagsOf: TagsOf = (set, key) => tags.get(nameOf(set, key)) ?? {};
  // A long history is not read where no sensor can have given a tag.
  if (view.sensorNames().length === 0) return tagsOf;
  for (const runs of view.runs()) {
    if (runs.set === null || !isTagging(runs)) continue;
    for (const { partitionKey } of runsIn(runs)) tags.set(nameOf(runs.set, partitionKey), runs.tags);
  }
  const left = new Set<string>();
  for (const { set, keys } of planned) {
    if (set === null) continue;
    for (const key of keys) if (!tags.has(nameOf(set, key))) left.add(nameOf(set, key));
  }
  if (left.size === 0) return tagsOf;
  await store.finishedRuns({
    limit: 1,
    where: (run) => {
      const set = pipeline.assets.get(run.assets[0]?.asset ?? '')?.set ?? null;
      const name = nameOf(set, run.partitionKey);
      if (isTagging(run) && left.delete(name)) tags.set(name, run.tags);
      return left.size === 0;
    },
  });
  return tagsOf;
}

/** A run that somebody asked for by hand before its key had tags says nothing about them. */
function isTagging({ sensor, tags }: Pick<PendingRuns, 'sensor' | 'tags'>): boolean {
  return sensor !== null || Object.keys(tags).length > 0;
}

function nameOf(set: string | null, key: string | null): string {
  return JSON.stringify([set, key]);
}
