/** New runs for finished ones: the same key, and those of its assets that came to no end. Pure. */
import { fail } from '../../../model/failure.ts';
import type { Pipeline } from '../../../definitions/pipeline.ts';
import type { RunRecord } from '../../../model/run.ts';
import type { QueuedRuns } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import { queueRuns, type RunsAsked, type RunsMoment } from '../queue/queue-runs.ts';

export function needsOfRetry(pipeline: Pipeline, runs: readonly RunRecord[]): Needs {
  return {
    keys: runs.flatMap(({ assets, partitionKey }) =>
      assets.flatMap(({ asset }) => {
        const set = pipeline.assets.get(asset)?.set ?? null;
        return set === null ? [] : [{ set, keys: [partitionKey] }];
      }),
    ),
  };
}

/** @throws FailureError when an asset or a key is not there any more */
export function planRetry(
  view: StateView,
  pipeline: Pipeline,
  runs: readonly RunRecord[],
  moment: RunsMoment,
): QueuedRuns[] {
  return queueRuns(
    moment,
    runs.map((run) => askedFor(view, pipeline, run)),
  );
}

function askedFor(view: StateView, pipeline: Pipeline, run: RunRecord): RunsAsked {
  // What found nothing to make has come to its end as well.
  const failed = run.assets
    .filter(({ status, skipReason }) => status !== 'SUCCESS' && skipReason === null)
    .map(({ asset }) => asset);
  const names = failed.length > 0 ? failed : run.assets.map(({ asset }) => asset);
  const gone = names.filter((name) => !pipeline.assets.has(name));
  if (gone.length > 0)
    fail({ reason: 'unknown-name', thing: 'asset', names: gone, nearest: [], known: pipeline.assets.size });
  const assets = [...pipeline.assets.values()].filter(({ name }) => names.includes(name));
  const set = assets[0]?.set ?? null;
  const { partitionKey } = run;
  if (set !== null && partitionKey !== null && !view.present(set, [partitionKey]).has(partitionKey)) {
    fail({ reason: 'unknown-keys', sets: [set], keys: [partitionKey] });
  }
  return {
    sensor: run.sensor,
    set,
    assets: assets.map(({ name }) => name),
    tags: run.tags,
    origin: 'materialize',
    retryOf: run.id,
    keys: [partitionKey],
    runKeys: [run.runKey],
  };
}
