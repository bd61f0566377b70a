/** Partitions definitions: a named set of partition keys that starts empty and grows at run time. */
import { brand } from './brand.ts';
import type { StandardSchema } from './schema.ts';
import { markPlace } from '../model/place.ts';

/** A key that carries something: `version` says when it changed, `item` is what assets of this key are given. */
export interface CarryingKey<Item = unknown> {
  readonly key: string;
  /**
   * Text of 1 to 256 bytes, such as an etag or a hash. Another one than that of a known key replaces version and item, and
   * makes what was made from the older one stale.
   */
  readonly version?: string | undefined;
  /** JSON of at most 16 KiB: kept with the key, and given to every run of it as `item`. */
  readonly item?: Item | undefined;
}

/** A key of an add request: alone, or with what it carries. */
export type KeyToAdd<Item = unknown> = string | CarryingKey<Item>;

/** Asks that keys be added to a set. Keys that are there already are reported as skipped, or as updated. */
export interface AddRequest {
  readonly type: 'add';
  readonly set: string;
  readonly keys: readonly KeyToAdd[];
}

/** Asks that keys be removed from a set. Keys that are not there are reported as skipped. */
export interface DeleteRequest {
  readonly type: 'delete';
  readonly set: string;
  readonly keys: readonly string[];
}

/** What a sensor may return in `dynamicPartitionsRequests`. */
export type PartitionsRequest = AddRequest | DeleteRequest;

/** A Standard Schema (standardschema.dev, version 1) of what keys carry: zod, valibot and arktype make them. */
export type ItemSchema<Item = unknown> = StandardSchema<unknown, Item>;

/** The options of `dynamicPartitions()`. */
export interface PartitionsOptions<Item = unknown> {
  /** Checks each item that is added; what it returns is kept. zod, valibot, arktype, or anything with `~standard`. */
  readonly item?: ItemSchema<Item>;
  /** Which keys leave the set by themselves. Default: none. */
  readonly retain?: RetainOptions;
}

/**
 * A rule by which each tick takes keys out, as `partitions remove --keep-out` does: of the keys that it names those that are made or
 * skipped for all assets, and that nothing is queued or running for. With both `keepLast` and `olderThan` a key must fit both.
 */
export interface RetainOptions {
  /** So many of the keys that were added last stay. */
  readonly keepLast?: number;
  /** Only keys that were added longer ago: a duration such as `'90d'`. */
  readonly olderThan?: string;
  /** Their values are deleted, too. Default `false`. */
  readonly purge?: boolean;
  /** More keys at once than this are left alone, and the tick says so: a number, or a part of the set. Default `'50%'`. */
  readonly maxRemove?: number | `${number}%`;
}

/** A set of partition keys that is known only by its name; its keys live in the state. */
export interface DynamicPartitions<Item = unknown> {
  readonly [brand]: 'dynamic-partitions';
  readonly name: string;
  /** As the user wrote it; `definePipeline` checks it. */
  readonly options: PartitionsOptions<Item>;
  /** A request to add keys, in this order, for a sensor's result. A key that is named twice carries what came last. */
  buildAddRequest(keys: Iterable<KeyToAdd<Item>>): AddRequest;
  /** A request to remove keys, for a sensor's result. */
  buildDeleteRequest(keys: Iterable<string>): DeleteRequest;
}

/**
 * Defines a set of partition keys that starts empty. Two definitions of one name are one set.
 *
 * The keys are kept in the state, in the order in which they were added (as Dagster's `DynamicPartitionsDefinition`).
 * `Item` is the type of what each key carries: `ctx.item` in assets of the set.
 *
 * @param name the set's name; checked by `definePipeline`
 * @throws TypeError from the request builders when `keys` is a bare string instead of a list
 */
export function dynamicPartitions<Item = unknown>(
  name: string,
  options: PartitionsOptions<Item> = {},
): DynamicPartitions<Item> {
  const definition: DynamicPartitions<Item> = {
    [brand]: 'dynamic-partitions',
    name,
    options,
    buildAddRequest: (keys) => ({ type: 'add', set: name, keys: list(keys) }),
    buildDeleteRequest: (keys) => ({ type: 'delete', set: name, keys: list(keys) }),
  };
  return Object.freeze(markPlace(definition, dynamicPartitions));
}

function list<Key>(keys: Iterable<Key>): readonly Key[] {
  // A string is an iterable of its letters: taking it would add one key a letter.
  if (typeof keys === 'string')
    throw new TypeError(`keys must be a list of strings; for one key write ['${keys as string}']`);
  return [...keys];
}
