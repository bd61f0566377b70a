/** A request of a sensor to add keys to a set, or to delete keys from it. */
import type { Pipeline } from '../../../definitions/pipeline.ts';
import { isPartitionKey, nameOfType } from '../../../model/partition-key.ts';
import { quoted } from '../../../model/text.ts';
import { type KeysToAdd, parseKeysToAdd } from './keys-to-add.ts';
import { checkKey, readOnce } from './read-once.ts';

export interface PartitionRequest extends KeysToAdd {
  readonly type: 'add' | 'delete';
  readonly set: string;
}

export function parsePartitionRequest(
  problems: string[],
  value: unknown,
  at: number,
  pipeline: Pipeline,
): PartitionRequest[] {
  const where = `dynamicPartitionsRequests[${at}]`;
  const {
    type,
    set,
    keys: given,
  } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if ((type !== 'add' && type !== 'delete') || typeof set !== 'string' || !Array.isArray(given)) {
    problems.push(
      `${where} must come from buildAddRequest() or buildDeleteRequest(), not be ${nameOfType(value)}`,
    );
    return [];
  }
  if (!pipeline.sets.includes(set)) {
    problems.push(
      `${where} names set ${quoted(set)}, which the pipeline does not have; add it to partitions of definePipeline`,
    );
  }
  const keys = readOnce(problems, given, () => `keys of ${where}`);
  if (type === 'add')
    return [{ type, set, ...parseKeysToAdd(problems, keys, { where, schema: pipeline.items.get(set) }) }];
  const before = problems.length;
  for (const key of keys) checkKey(problems, key, where);
  // What else is wrong is looked for with those that are right.
  const usable = problems.length === before ? (keys as string[]) : keys.filter(isPartitionKey);
  return [{ type, set, keys: usable }];
}
