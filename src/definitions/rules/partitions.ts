/** The rules for a set: its name, and what its items must be. */
import { parseDuration } from '../../model/duration.ts';
import { parseRemovalLimit } from '../../model/removal-limit.ts';
import { nameOfType } from '../../model/partition-key.ts';
import type { DynamicPartitions } from '../partitions.ts';
import { isSchema } from '../schema.ts';
import { checkName } from './names.ts';
import { checkAboveZero, checkKnown } from './options.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

const OPTIONS = ['item', 'retain'];
const RETAIN = ['keepLast', 'olderThan', 'purge', 'maxRemove'];

export function* checkSet(set: DynamicPartitions): Problems {
  yield* checkName(set, 'set', set.name);
  const { options } = set;
  const name = `set ${said(set.name)}`;
  if (!isRecord(options))
    return yield problem(
      set,
      'invalid-option',
      `the options of ${name} must be an object, not ${nameOfType(options)}`,
    );
  yield* checkKnown({ definition: set, name }, options, OPTIONS);
  const { item, retain } = options as Readonly<Record<string, unknown>>;
  yield* checkRetain(set, `retain of ${name}`, retain);
  if (item === undefined) return;
  if (!isSchema(item))
    yield problem(
      set,
      'invalid-option',
      `item of ${name} must be a schema with '~standard', as zod, valibot and arktype make them, not ${nameOfType(item)}`,
    );
}

function* checkRetain(set: DynamicPartitions, name: string, retain: unknown): Problems {
  if (retain === undefined) return;
  const wrong = (message: string): ReturnType<typeof problem> => problem(set, 'invalid-option', message);
  if (!isRecord(retain))
    return yield wrong(`${name} must be an object such as { keepLast: 100 }, not ${nameOfType(retain)}`);
  yield* checkKnown({ definition: set, name }, retain, RETAIN);
  const { keepLast, olderThan, purge, maxRemove } = retain as Readonly<Record<string, unknown>>;
  yield* checkAboveZero({ definition: set, name }, 'keepLast', keepLast, 'a whole number');
  if (olderThan !== undefined && !((parseDuration(olderThan) ?? 0) > 0))
    yield wrong(`olderThan in ${name} must be a duration such as '90d', not ${JSON.stringify(olderThan)}`);
  if (keepLast === undefined && olderThan === undefined)
    yield wrong(`${name} needs keepLast, olderThan or both: else it would name every key`);
  if (purge !== undefined && typeof purge !== 'boolean')
    yield wrong(`purge in ${name} must be true or false, not ${nameOfType(purge)}`);
  if (maxRemove !== undefined && parseRemovalLimit(maxRemove) === null)
    yield wrong(
      `maxRemove in ${name} must be a number or a part such as '50%', not ${JSON.stringify(maxRemove)}`,
    );
}
