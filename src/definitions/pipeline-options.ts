/** What a user hands to `definePipeline()`. */
import type { AnyAsset, Isolation } from './asset.ts';
import type { IoManager } from './io-manager.ts';
import type { Notify } from './notify.ts';
import type { HistoryRetention } from '../model/history-retention.ts';
import type { DynamicPartitions } from './partitions.ts';
import type { PoolOptions } from './pool.ts';
import type { Sensor } from './sensor.ts';

/** The options of `definePipeline()`. */
export interface PipelineOptions {
  readonly assets?: readonly AnyAsset[];
  readonly sensors?: readonly Sensor[];
  /** Sets that no asset names but a sensor fills. */
  readonly partitions?: readonly DynamicPartitions[];
  /** Where values are kept. Default: files in `values/` beside the state file. */
  readonly ioManager?: IoManager;
  /** How many runs of this state may be started at the same time, over all processes. Default 10. */
  readonly concurrency?: number;
  /** Of the assets that do not say it themselves. Default `'none'`. */
  readonly isolation?: Isolation;
  /**
   * Of assets with `isolation: 'process'`. `limit`: how many processes a command keeps at most, each for one asset and key at a time;
   * default: as many as there are cores. `memoryMb`: how much one may take (of JavaScript's heap, in MiB) before it ends; default:
   * what Node.js allows.
   */
  readonly processes?: { readonly limit?: number; readonly memoryMb?: number };
  /**
   * How many runs may use something at once, over all processes, by name: `{ api: { limit: 2, rate: { calls: 10, perSeconds: 60 } } }`. Of
   * `default` each name that is not here is a pool of its own.
   */
  readonly pools?: Readonly<Record<string, PoolOptions>>;
  /** `perTick`: how many runs the built-in sensor `automation` requests in one tick. Default 10,000. */
  readonly automation?: { readonly perTick?: number };
  /** Who is told when something goes wrong. Default: nobody. */
  readonly notify?: readonly Notify[];
  /** How much of the past is kept: `{ days?, runs?, ticks? }`. Default: what fits into files of 128 MiB of runs, and 8 MiB of ticks for each sensor. */
  readonly history?: HistoryRetention;
}
