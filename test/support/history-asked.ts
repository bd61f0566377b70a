/** What is asked for in a history, as sensors return it and `materialize` takes it. */
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import type { SensorResult } from '../../src/definitions/sensor.ts';
import type { Selection } from '../../src/engine/plan/materialize/selection.ts';
import { type Choice, itemOf, type TickRequest } from './history-model.ts';

/** What a sensor returns that asks for this. */
export function resultOf({ requests, runs, cursor }: TickRequest): SensorResult {
  return {
    ...(cursor !== null && { cursor }),
    dynamicPartitionsRequests: requests.map(({ add, set, keys, versions }) => {
      const partitions = dynamicPartitions(set);
      const carrying = keys.map((key, at) => {
        const version = versions?.[at] ?? null;
        return version === null ? key : { key, version, item: itemOf(key, version) };
      });
      return add ? partitions.buildAddRequest(carrying) : partitions.buildDeleteRequest(keys);
    }),
    runRequests: runs.map(({ key, runKey, assets }) => ({
      assets,
      ...(key !== null && { partitionKey: key }),
      ...(runKey !== null && { runKey }),
    })),
  };
}

/** What `materialize` is to choose. */
export function selectionOf({ assets, keys, missing, failed, waits, add, newest, limit }: Choice): Selection {
  const all = keys === null && !missing && !failed;
  const order = newest ? 'newest' : 'oldest';
  return { assets, keys, waits, all, missing, failed, stale: false, prefix: null, order, limit, add };
}
