/** Partitions definitions: a named set of partition keys that starts empty and grows at run time. */
import { brand } from './brand.ts';
import { markPlace } from '../model/place.ts';

/** Asks that keys be added to a set. Keys that are there already are reported as skipped. */
export interface AddRequest {
  readonly type: 'add';
  readonly set: string;
  readonly keys: readonly string[];
}

/** Asks that keys be removed from a set. Keys that are not there are reported as skipped. */
export interface DeleteRequest {
  readonly type: 'delete';
  readonly set: string;
  readonly keys: readonly string[];
}

/** What a sensor may return in `dynamicPartitionsRequests`. */
export type PartitionsRequest = AddRequest | DeleteRequest;

/** A set of partition keys that is known only by its name; its keys live in the state. */
export interface DynamicPartitions<Name extends string = string> {
  readonly [brand]: 'dynamic-partitions';
  readonly name: Name;
  /** A request to add keys, in this order, for a sensor's result. */
  buildAddRequest(keys: Iterable<string>): AddRequest;
  /** A request to remove keys, for a sensor's result. */
  buildDeleteRequest(keys: Iterable<string>): DeleteRequest;
}

/**
 * Defines a set of partition keys that starts empty. Two definitions of one name are one set.
 *
 * The keys are kept in the state, in the order in which they were added (as Dagster's `DynamicPartitionsDefinition`).
 *
 * @param name the set's name; checked by `definePipeline`
 * @throws TypeError from the request builders when `keys` is a bare string instead of a list
 */
export function dynamicPartitions<const Name extends string>(name: Name): DynamicPartitions<Name> {
  const definition: DynamicPartitions<Name> = {
    [brand]: 'dynamic-partitions',
    name,
    buildAddRequest: (keys) => ({ type: 'add', set: name, keys: list(keys) }),
    buildDeleteRequest: (keys) => ({ type: 'delete', set: name, keys: list(keys) }),
  };
  return Object.freeze(markPlace(definition, dynamicPartitions));
}

function list(keys: Iterable<string>): readonly string[] {
  // A string is an iterable of its letters: taking it would add one key a letter.
  if (typeof keys === 'string')
    throw new TypeError(`keys must be a list of strings; for one key write ['${keys}']`);
  return [...keys];
}
