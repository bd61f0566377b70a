/** Assets: named things that a pipeline produces, one value for each partition key. */
import type { MetadataValue } from '../model/json-value.ts';
import { brand } from './brand.ts';
import type { Checks } from './check.ts';
import type { PeriodName } from './every.ts';
import type { DynamicPartitions } from './partitions.ts';
import type { PoolOption } from './pool.ts';
import type { Skip } from './skip.ts';
import type { GatherOptions, WhichKeys } from './which-keys.ts';
import { markPlace } from '../model/place.ts';
import type { Exec, Log } from './user-context.ts';

/** How often, and how long after a failure, an asset is tried again. */
export interface RetryPolicy {
  /** Tries after the first one. Default 1. */
  readonly maxRetries?: number;
  /** Milliseconds before the first retry. Default 0. */
  readonly delayMs?: number;
  /** How the delay grows: the same each time, `n ×`, or `(2ⁿ − 1) ×`. Default `'constant'`. */
  readonly backoff?: 'constant' | 'linear' | 'exponential';
  /** `'full'`: a random part of the delay; `'plus-minus'`: up to twice it, or none. Default `'none'`. (Dagster's `Jitter`.) */
  readonly jitter?: 'none' | 'full' | 'plus-minus';
  /**
   * A key that failed is requested again by `automation` after each of these, from each failure on: `['10m', '1h', '1d']`. Then it
   * waits for a person. They begin anew after a success, and with another version of the key or another `codeVersion`.
   */
  readonly later?: readonly string[];
}

/** When an asset is made without anybody asking. */
export type Automate<Item = unknown> = 'missing' | 'stale' | AutomateOptions<Item>;

export interface AutomateOptions<Item = unknown> {
  readonly when: 'missing' | 'stale';
  /** Only for keys for which it answers `true`. It must answer alike each time, and at once. */
  only?(key: string, item: Item): boolean;
  /** Also the keys that were in the set before the asset was automated. Default `false`. */
  readonly backlog?: boolean;
  /** At most once in each of these. What comes up later in the same one waits for the next; failed keys are tried again as `retry.later` says. */
  readonly every?: PeriodName;
  /**
   * From when on in each period: `':15'` of each hour, `'07:00'` of each day, `'mon 07:00'` of each week, `'1 07:00'` of each month.
   * Default: from its beginning. A time that a change of clocks skips is moved forward, one that it repeats counts once.
   */
  readonly at?: string;
  /** Of `at`, such as `'Europe/Berlin'`. Default: that of the machine. */
  readonly timeZone?: string;
  /**
   * Of an asset that takes many upstream keys with `onMissing: 'skip'`: it is asked for when all of them are there, or all but so
   * many. Default: however many are not there, when none of them is being made or about to be requested.
   */
  readonly waitFor?: 'all' | { readonly allBut: number };
}

/** Durations such as `'26h'` or `'2d'`, counted from the last time that the asset was made, for whatever key. At least one of them. */
export interface FreshFor {
  /** `status` warns. */
  readonly warn?: string;
  /** It is overdue: `status --exit-code` exits with 10. */
  readonly fail?: string;
}

/** Where code of an asset runs: in a process of its own, or in that of the command. */
export type Isolation = 'process' | 'none';

/** The run that materializes an asset now. */
export interface RunInfo {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** 1 for the first try of this asset in this run. */
  readonly attempt: number;
}

// `any` and not `unknown`: an asset of any value type must fit where an upstream is asked for.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyAsset = Asset<any>;

declare const givenType: unique symbol;

/** Many keys of an asset, as an input or in `deps`. Made by `allKeys`, `lastKeys` and `mapKeys`. */
export interface KeysOf<Given = unknown> {
  readonly [brand]: 'keys';
  readonly asset: AnyAsset;
  readonly which: WhichKeys;
  /** As the user wrote it; `definePipeline` checks it. */
  readonly options: GatherOptions;
  /** Only a type: what `materialize` receives. */
  readonly [givenType]?: Given;
}

// oxlint-disable-next-line typescript/no-explicit-any
export type AnyKeysOf = KeysOf<any>;

/** The upstream assets of an asset, by the name under which it receives their values: of the same key, or of many. */
export type AssetInputs = Readonly<Record<string, AnyAsset | AnyKeysOf>>;

/** The values of upstream assets, by input name. */
export type InputValues<Inputs extends AssetInputs> = {
  readonly [Name in keyof Inputs]: Inputs[Name] extends Asset<infer Value>
    ? Value
    : Inputs[Name] extends KeysOf<infer Given>
      ? Given
      : never;
};

/** What `materialize` is given. */
export interface AssetContext<Inputs extends AssetInputs = AssetInputs, Key = string, Item = unknown> {
  /** `null` for an asset without partitions. */
  readonly partitionKey: Key;
  /** What the key carries, as its sensor or `partitions add --item` gave it; `null` when that is nothing. */
  readonly item: Item;
  /** The version of the key that this run makes something of; `null` when none was given. */
  readonly version: string | null;
  readonly inputs: InputValues<Inputs>;
  readonly run: RunInfo;
  readonly log: Log;
  readonly exec: Exec;
  /** Aborted at the timeout, on Ctrl-C, and when the run is canceled. */
  readonly signal: AbortSignal;
  /** Adds to the metadata of this materialization; a later value of one name replaces the earlier one. */
  readonly addMetadata: (metadata: Readonly<Record<string, MetadataValue>>) => void;
}

/** The options of `asset()`. */
export interface AssetOptions<
  Value,
  Inputs extends AssetInputs = AssetInputs,
  Partitions extends DynamicPartitions | undefined = DynamicPartitions | undefined,
> {
  /** Unique in the pipeline: letters, digits, `_`, `-` and `.`, at most 200. */
  readonly name: string;
  /** The set whose keys this asset is made for. Without it the asset is materialized once, without a key. */
  readonly partitions?: Partitions;
  /** Upstream assets whose values this asset receives: of the same key, or of many with `allKeys` and `lastKeys`. */
  readonly inputs?: Inputs;
  /** Upstream assets that only have to come first: for the same key, or for many. */
  readonly deps?: readonly (AnyAsset | AnyKeysOf)[];
  /**
   * Made without anybody asking, by the built-in sensor `automation`: `'missing'` once for each key, `'stale'` also again when it is
   * stale. Keys that were in the set before are a backlog, which waits for `materialize` unless `backlog` says otherwise.
   */
  readonly automate?: Automate<Partitions extends DynamicPartitions<infer Item> ? Item : null>;
  /**
   * What must be true of a value before it is kept: functions by name, or a Standard Schema. Asked after `materialize` returned and before
   * the value is saved, not of a `skip`. One that fails keeps the value out, and what was on record stands. Each may take `timeoutMs`, or five
   * minutes without one. To have `value` typed, write them after `materialize`.
   */
  readonly checks?: Checks<
    NoInfer<Value>,
    Partitions extends DynamicPartitions ? string : null,
    Partitions extends DynamicPartitions<infer Item> ? Item : null
  >;
  /** How an asset that failed is tried again. What failed a check is not tried again within the run: the same code would make the same. */
  readonly retry?: RetryPolicy;
  /** Milliseconds after which a try is aborted. Default: none. */
  readonly timeoutMs?: number;
  /** How many keys of this asset may be materialized at the same time. Default: no limit of its own. */
  readonly concurrency?: number;
  /**
   * What its runs use, such as a host or a licence: the name of a pool of `definePipeline`, or a function of the key. A run begins when there
   * is room in the pools of all its assets, and has it until it ends.
   */
  readonly pool?: PoolOption<
    Partitions extends DynamicPartitions ? string : null,
    Partitions extends DynamicPartitions<infer Item> ? Item : null
  >;
  /**
   * `'process'`: its code runs in a process of its own, taken from those that are kept ready. It may use a whole core, and one that crashes,
   * leaks, blocks or calls `process.exit` ends alone. Default: as `definePipeline` says, else `'none'`.
   */
  readonly isolation?: Isolation;
  /** How old the newest value of this asset may be before `status` warns, and before it calls the asset overdue. */
  readonly freshFor?: FreshFor;
  readonly description?: string;
  readonly group?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Which code makes it: any text that you change with the code, up to 256 bytes. Another one makes what was made with the one
   * before stale; the first one is taken for what made all that is there.
   */
  readonly codeVersion?: string;
  /** `materialize` is given many keys at once: see `BatchAssetOptions`. */
  readonly batch?: undefined;
  /** Makes the value for one key, or returns `skip(reason)` where there is nothing to make. What it returns is kept by the I/O manager: JSON, or raw bytes (`Uint8Array`). */
  materialize(
    context: AssetContext<
      Inputs,
      Partitions extends DynamicPartitions ? string : null,
      Partitions extends DynamicPartitions<infer Item> ? Item : null
    >,
  ): Value | Skip | Promise<Value | Skip>;
}

/** One of the keys that an asset with `batch` is given at once. */
export interface BatchKey<Inputs extends AssetInputs = AssetInputs, Item = unknown> {
  readonly partitionKey: string;
  /** What the key carries; `null` when that is nothing. */
  readonly item: Item;
  /** `null` when none was given. */
  readonly version: string | null;
  readonly inputs: InputValues<Inputs>;
}

/** What `materialize` of an asset with `batch` is given. */
export interface BatchContext<Inputs extends AssetInputs = AssetInputs, Item = unknown> extends Pick<
  AssetContext,
  'log' | 'exec' | 'signal'
> {
  /** One to `batch` of them, in the order in which they were requested. */
  readonly keys: readonly BatchKey<Inputs, Item>[];
  /** Of the first key; each key has a run of its own. */
  readonly run: RunInfo;
  /** Adds to the metadata of the key that is yielded next. */
  readonly addMetadata: AssetContext['addMetadata'];
}

/** The options of `asset()` for code that makes many keys at once: a bulk API, a model that is loaded once. */
export interface BatchAssetOptions<
  Value,
  Inputs extends AssetInputs = AssetInputs,
  Partitions extends DynamicPartitions = DynamicPartitions,
> extends Omit<AssetOptions<Value, Inputs, Partitions>, 'batch' | 'materialize' | 'partitions'> {
  readonly partitions: Partitions;
  /** How many keys are made in one call at most. `concurrency` counts calls, and a call counts as one run of the pipeline's. */
  readonly batch: number;
  /**
   * Yields `[key, value]` or `[key, skip(reason)]` as each is made. What was yielded is kept, whatever becomes of the rest; a key that
   * it was given and did not yield has failed. `timeoutMs` is that of the whole call.
   */
  materialize(
    context: BatchContext<Inputs, Partitions extends DynamicPartitions<infer Item> ? Item : null>,
  ): AsyncIterable<readonly [string, Value | Skip]> | Iterable<readonly [string, Value | Skip]>;
}

declare const valueType: unique symbol;

/** A named thing that a pipeline produces, one `Value` for each partition key. */
export interface Asset<Value = unknown> {
  readonly [brand]: 'asset';
  readonly name: string;
  /** Only a type: what `materialize` returns, as downstream assets receive it. */
  readonly [valueType]?: Value;
  /** As the user wrote it; `definePipeline` checks it. */
  readonly options: AssetOptions<unknown>;
}

/**
 * Defines an asset.
 *
 * @example
 * const audio = asset({ name: 'audio', partitions: episodes, materialize: ({ partitionKey }) => fetchAudio(partitionKey) });
 */
export function asset<
  Value,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- without inputs there is no input to ask for
  const Inputs extends AssetInputs = Record<never, never>,
  Partitions extends DynamicPartitions | undefined = undefined,
>(options: AssetOptions<Value, Inputs, Partitions>): Asset<Value>;
/**
 * Defines an asset of which many keys are made in one call.
 *
 * @example
 * const sizes = asset({
 *   name: 'sizes', partitions: files, batch: 100,
 *   async *materialize({ keys }) {
 *     for (const { key, size } of await api.sizesOf(keys.map(({ partitionKey }) => partitionKey))) yield [key, size];
 *   },
 * });
 */
export function asset<
  Value,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- as above
  const Inputs extends AssetInputs = Record<never, never>,
  Partitions extends DynamicPartitions = DynamicPartitions,
>(options: BatchAssetOptions<Value, Inputs, Partitions>): Asset<Value>;
export function asset<Value>(options: { readonly name: string }): Asset<Value> {
  const definition = {
    [brand]: 'asset' as const,
    name: options?.name,
    options: options as unknown as AssetOptions<unknown>,
  };
  return Object.freeze(markPlace(definition, asset));
}
