/** The rules for a set: its name, and what its items must be. */
import { nameOfType } from '../../model/partition-key.ts';
import type { DynamicPartitions } from '../partitions.ts';
import { checkName } from './names.ts';
import { checkKnown } from './options.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

const OPTIONS = ['item'];

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
  const { item } = options as Readonly<Record<string, unknown>>;
  if (item === undefined) return;
  const standard = (item as Readonly<Record<string, unknown>> | null)?.['~standard'];
  if (!isRecord(standard) || typeof (standard as Record<string, unknown>)['validate'] !== 'function')
    yield problem(
      set,
      'invalid-option',
      `item of ${name} must be a schema with '~standard', as zod, valibot and arktype make them, not ${nameOfType(item)}`,
    );
}
