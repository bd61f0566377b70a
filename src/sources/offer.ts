/** What a source found → the result of a sensor: keys that are new or changed, with what they carry, and not too many at once. */
import { createHash } from 'node:crypto';
import { whyNotAKey } from '../model/partition-key.ts';
import type { CarryingKey, DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';

/** Options that all sources have. */
export interface SourceOptions {
  /** Text before each key, so that several sources share a set. Default none. */
  readonly prefix?: string;
  /** No flood on the first tick: so many new and changed keys a tick, these first. Default: all at once. */
  readonly backlog?: Backlog;
  /**
   * Also requests a run of the sensor's `assets` for each key that is new or changed. Default: no runs are requested, and the keys
   * wait for `dynpart materialize --missing`.
   */
  readonly requestRuns?: boolean;
}

export interface Backlog {
  readonly first: 'newest' | 'oldest';
  /** Keys. */
  readonly perTick: number;
}

export interface Offer<Item> {
  /** Oldest first. Of one that comes twice the last is taken. */
  readonly found: readonly CarryingKey<Item>[];
  readonly set: DynamicPartitions<Item>;
  readonly options: SourceOptions;
}

export interface Offered {
  readonly result: SensorResult;
  /** Nothing is left for later ticks. */
  readonly isAll: boolean;
}

export async function offer<Item>(
  { partitions }: Pick<SensorContext, 'partitions'>,
  { found, set, options: { backlog, requestRuns = false } }: Offer<Item>,
): Promise<Offered> {
  const changed = await partitions(set).changed(found);
  const most = backlog?.perTick ?? Infinity;
  const isAll = changed.length <= most;
  const now = isAll ? changed : backlog?.first === 'oldest' ? changed.slice(0, most) : changed.slice(-most);
  return {
    result:
      now.length === 0
        ? {}
        : {
            dynamicPartitionsRequests: [set.buildAddRequest(now)],
            // Without run keys: what is new and what is changed is so once, as it is committed with its run.
            ...(requestRuns ? { runRequests: now.map(({ key }) => ({ partitionKey: key })) } : {}),
          },
    isAll,
  };
}

/** The text as a key: with its prefix, or its hash where it could be none. The same one each time. */
export function keyOf(text: string, prefix = ''): string {
  const key = prefix + text;
  if (whyNotAKey(key) === null) return key;
  return `${prefix}sha256:${createHash('sha256').update(text).digest('hex')}`;
}
