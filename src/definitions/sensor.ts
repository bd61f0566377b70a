/** Sensors: user functions that look at the outside world and say which keys and runs follow from it. */
import type { AnyAsset } from './asset.ts';
import { brand } from './brand.ts';
import type { CarryingKey, DynamicPartitions, PartitionsRequest } from './partitions.ts';
import { markPlace } from '../model/place.ts';
import type { InputOf, OutputOf, StandardSchema } from './schema.ts';
import type { Exec, Log } from './user-context.ts';

/** Seconds between two ticks of a sensor unless it says otherwise (Dagster's default). */
export const DEFAULT_INTERVAL_SECONDS = 30;

/** Seconds that one evaluation may take unless the sensor says otherwise. */
export const DEFAULT_TIMEOUT_SECONDS = 60;

/**
 * The keys of one set as they were when the tick began. Read-only. Every answer is a promise: the set may be in a database and
 * may have a million keys. One that is used without `await` throws, with the line and what to write.
 */
export interface PartitionsView<Item = unknown> {
  /** All keys in the order of adding: `for await (const key of partitions(set).keys())`. */
  keys(): AsyncIterable<string>;
  count(): Promise<number>;
  has(key: string): Promise<boolean>;
  /**
   * Those of the given keys that are not in the set, each once, in the order given: the right way to find what is new.
   * Keys that were removed with `--keep-out` are not new.
   */
  missing(keys: Iterable<string>): Promise<string[]>;
  /**
   * The twin of `missing` for keys that carry a version: those of the given that are not in the set, or are there with another
   * version, each once (the last one given), in the order given. One without a version is only looked for by its key.
   */
  changed<Given extends CarryingKey<Item>>(items: Iterable<Given>): Promise<Given[]>;
  /** What a key carries; `undefined`: it is not in the set. */
  get(key: string): Promise<{ readonly version: string | null; readonly item: Item } | undefined>;
  /** What the keys carry, asked for at once. Those that are not in the set are not in the answer. */
  getMany(
    keys: Iterable<string>,
  ): Promise<ReadonlyMap<string, { readonly version: string | null; readonly item: Item }>>;
  /** What became of an asset of this set for each of the keys, in their order. */
  status(asset: AnyAsset | string, keys: readonly string[]): Promise<AssetStatus[]>;
}

/** What is on record of an asset and key. One whose last run failed is `failed`, also when what was made before stands. */
export type AssetStatus = 'missing' | 'failed' | 'skipped' | 'materialized' | 'stale';

/** What `evaluate` is given. */
export interface SensorContext<Cursor = string> {
  /** How far the last tick got; `null` at the first one. Text, or what the schema of the sensor's `cursor` makes of it. */
  readonly cursor: Cursor | null;
  /** The keys of a set at the start of this tick. */
  readonly partitions: <Item>(set: DynamicPartitions<Item> | string) => PartitionsView<Item>;
  /** When this sensor's last tick began, or `null`. */
  readonly lastTickAt: Date | null;
  readonly log: Log;
  readonly exec: Exec;
  /** Aborted at the timeout and on Ctrl-C: hand it to `fetch`. */
  readonly signal: AbortSignal;
}

/** Asks for one run: these assets, for this key. */
export interface RunRequest {
  readonly partitionKey?: string;
  /** Launches at most one run per sensor, ever. Removing the key releases it. */
  readonly runKey?: string;
  /** What to materialize instead of the sensor's own `assets`. */
  readonly assets?: readonly (AnyAsset | string)[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** A part of what a sensor looks at, and why it could not be looked at. */
export interface SourceFailure {
  readonly name: string;
  readonly error: string;
}

/** What a sensor may return. Everything in it lands in one commit, or nothing of it. */
export interface SensorResult<Cursor = string> {
  /** How far this tick got: text, or the JSON that the schema of the sensor's `cursor` takes. Left out: the cursor stays. */
  readonly cursor?: Cursor;
  /** Applied in this order; run requests are checked against the outcome. */
  readonly dynamicPartitionsRequests?: readonly PartitionsRequest[];
  readonly runRequests?: readonly RunRequest[];
  /** Why there is nothing to do. Not together with run requests. */
  readonly skipReason?: string;
  /** What could not be looked at: the rest is committed, and the tick's exit code is 3. */
  readonly failures?: readonly SourceFailure[];
}

type Returned<Cursor> = SensorResult<Cursor> | void | null | undefined;

/** The schema of a cursor; `undefined`: it is text. */
export type CursorSchema = StandardSchema | undefined;

/** The options of `sensor()`. */
export interface SensorOptions<Schema extends CursorSchema = undefined> {
  /** Unique in the pipeline: letters, digits, `_`, `-` and `.`, at most 200. */
  readonly name: string;
  /** What its run requests materialize unless a request names others. */
  readonly assets?: readonly AnyAsset[];
  /** Least seconds between two ticks, for `watch` and `tick --due`. Default 30. */
  readonly minimumIntervalSeconds?: number;
  /**
   * When it ticks instead, as five fields of a crontab: `'0 7 * * mon-fri'`. For `watch` and `tick --due`: at the first look at or after such
   * a time, once however many were missed; one that has never ticked does so at once. An hour that a change of clocks skips counts at its
   * end, one that comes twice counts once. Not together with `minimumIntervalSeconds`.
   */
  readonly cron?: string;
  /** Of `cron`: an IANA name such as `'Europe/Berlin'`. Default: that of the machine. */
  readonly timeZone?: string;
  /**
   * What the cursor is, as a Standard Schema (zod, valibot, arktype): then it is any JSON of at most 1 MiB, typed, and checked when it is read
   * and when it is returned. One that does not fit any more fails the tick, and stays. Default: text.
   */
  readonly cursor?: Schema;
  /** Seconds that one evaluation may take. Default 60. */
  readonly timeoutSeconds?: number;
  /** Whether it ticks before anyone said `sensor start` or `stop`. Default `'running'`. */
  readonly defaultStatus?: 'running' | 'stopped';
  /**
   * A duration such as `'7d'`: when it has brought no new key for so long, `status` calls it overdue. It counts from the last tick that
   * added keys; before that, from when this was first asked of the sensor.
   */
  readonly expectNewKeysEvery?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  evaluate(
    context: SensorContext<Schema extends StandardSchema ? OutputOf<Schema> : string>,
  ): CursorReturned<Schema> | Promise<CursorReturned<Schema>>;
}

type CursorReturned<Schema> = Returned<Schema extends StandardSchema ? InputOf<Schema> : string>;

/** A user function that reports what changed outside. */
export interface Sensor {
  readonly [brand]: 'sensor';
  readonly name: string;
  /** As the user wrote it; `definePipeline` checks it. */
  readonly options: Omit<SensorOptions<CursorSchema>, 'evaluate'> & {
    evaluate(context: SensorContext<unknown>): Returned<unknown> | Promise<Returned<unknown>>;
  };
}

/** Defines a sensor. */
export function sensor<const Schema extends CursorSchema = undefined>(
  options: SensorOptions<Schema>,
): Sensor {
  const definition = {
    [brand]: 'sensor' as const,
    name: options?.name,
    options: options as unknown as Sensor['options'],
  };
  return Object.freeze(markPlace(definition, sensor));
}
