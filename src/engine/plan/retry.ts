/** New runs for finished ones: the same key, and those of its assets that did not succeed. Pure. */
import { fail } from '../../model/failure.ts';
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { RunRecord } from '../../model/run.ts';
import { isoTime } from '../../model/time.ts';
import type { QueuedRuns } from '../../state/changes.ts';
import type { StateView } from '../../state/slice.ts';
import { type MaterializeMoment, nearestKeys } from './materialize.ts';

/** @throws FailureError when an asset or a key is not there any more */
export function planRetry(
  view: StateView,
  pipeline: Pipeline,
  runs: readonly RunRecord[],
  moment: MaterializeMoment,
): QueuedRuns[] {
  return runs.map((run, at) => {
    const failed = run.assets.filter(({ status }) => status !== 'SUCCESS').map(({ asset }) => asset);
    const names = failed.length > 0 ? failed : run.assets.map(({ asset }) => asset);
    const gone = names.filter((name) => !pipeline.assets.has(name));
    if (gone.length > 0)
      fail({ reason: 'unknown-name', thing: 'asset', names: gone, nearest: [], known: pipeline.assets.size });
    const assets = [...pipeline.assets.values()].filter(({ name }) => names.includes(name));
    const set = assets[0]?.set ?? null;
    const { partitionKey } = run;
    if (set !== null && partitionKey !== null && !view.present(set, [partitionKey]).has(partitionKey)) {
      fail({
        reason: 'unknown-keys',
        sets: [set],
        keys: [partitionKey],
        nearest: nearestKeys(view, set, partitionKey),
      });
    }
    return {
      group: moment.group,
      createdAt: isoTime(moment.now),
      sensor: run.sensor,
      set,
      assets: assets.map(({ name }) => name),
      tags: run.tags,
      origin: 'materialize',
      retryOf: run.id,
      firstNumber: at + 1,
      keys: [partitionKey],
      runKeys: run.runKey === null ? null : [run.runKey],
    };
  });
}
