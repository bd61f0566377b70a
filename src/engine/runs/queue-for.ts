/** The queue for the runs of a pipeline. */
import { upstreamsOf } from '../../definitions/mapping.ts';
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { PoolPlaces } from './lanes.ts';
import { RunQueue } from './run-queue.ts';

export function queueFor(pipeline: Pipeline, pools?: PoolPlaces): RunQueue {
  // Of an asset that makes many keys in one call it is calls that are counted.
  const limits = [...pipeline.assets.values()].flatMap(({ name, concurrency, batch }) =>
    // The next call gathers while one is under way: else who of it ends first would be called for alone.
    concurrency === null ? [] : [[name, concurrency * (batch === null ? 1 : 2 * batch)] as const],
  );
  // It is asked for each run, several times.
  const gathered = new Map(
    Array.from(pipeline.assets.values(), ({ name, gathers }) => [name, gathers.map(({ asset }) => asset)]),
  );
  return new RunQueue({
    limits: new Map(limits),
    upstreamsOf: (asset, key) => upstreamsOf(pipeline, asset, key),
    gatheredBy: (name) => gathered.get(name) ?? [],
    ...(pools && { pools }),
  });
}
