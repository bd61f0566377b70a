/** Other upstream keys than the same one: what an asset may take as an input, or wait for, that is made of many keys. */
import type { AnyAsset, Asset, KeysOf } from './asset.ts';
import { brand } from './brand.ts';
import type { GatherOptions, OnMissing, WhichKeys } from './which-keys.ts';

/**
 * The values of many keys of an asset, in the order of their set. None of them is loaded before it is asked for, and none is kept:
 * 100,000 values are never in memory at once.
 *
 * @example
 * for await (const [key, value] of inputs.audio) total += value.bytes;
 */
export interface KeyedValues<Value = unknown> extends AsyncIterable<readonly [key: string, value: Value]> {
  /** How many keys there are. */
  readonly size: number;
  /** The keys, in the order of their set. */
  keys(): IterableIterator<string>;
  /** Whether the value of this key is among them. */
  has(key: string): boolean;
  /** Loads the value of a key; `undefined` for a key that is not among them. */
  get(key: string): Promise<Value | undefined>;
}

/**
 * All keys of an asset that has a set: for totals, a digest, an index. A key that is added, removed or made again makes stale what
 * was made of all of them.
 *
 * @example
 * const digest = asset({ name: 'digest', inputs: { transcripts: allKeys(transcript) }, materialize: … });
 */
export function allKeys<Value>(asset: Asset<Value>, options: GatherOptions = {}): KeysOf<KeyedValues<Value>> {
  return keysOf(asset, { kind: 'all' }, options);
}

/**
 * The last `count` keys of an asset, by the order in which they were added to its set. Fewer where the set has not so many.
 *
 * @param count a whole number above 0
 */
export function lastKeys<Value>(
  asset: Asset<Value>,
  count: number,
  options: GatherOptions = {},
): KeysOf<KeyedValues<Value>> {
  return keysOf(asset, { kind: 'last', count }, options);
}

/** What `materialize` receives of mapped keys: the value where one is named, and a collection where a list is. */
export type MappedValues<Value, Keys, On extends OnMissing> = Keys extends string
  ? On extends 'skip'
    ? Value | undefined
    : Value
  : KeyedValues<Value>;

/**
 * Other keys of an asset than the same one: those that a function names for each key of the asset that takes them.
 *
 * @param map answers with one key, whose value is given, or with a list, which is given as a collection. At once, and always alike
 *   for the same key: it is asked whenever keys change.
 * @example
 * const day = asset({ name: 'day', partitions: days, inputs: { hours: mapKeys(hour, (day) => hoursOf(day)) }, materialize: … });
 */
export function mapKeys<Value, Keys extends string | readonly string[], const On extends OnMissing = 'fail'>(
  asset: Asset<Value>,
  map: (key: string) => Keys,
  options: GatherOptions<On> = {},
): KeysOf<MappedValues<Value, Keys, On>> {
  return keysOf(asset, { kind: 'mapped', map }, options);
}

function keysOf<Given>(asset: AnyAsset, which: WhichKeys, options: GatherOptions): KeysOf<Given> {
  return Object.freeze({ [brand]: 'keys' as const, asset, which, options });
}
