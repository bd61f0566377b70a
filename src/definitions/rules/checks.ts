/** The rules for an asset's checks: named functions, or Standard Schemas. */
import { isPartitionKey, nameOfType } from '../../model/partition-key.ts';
import { quoted } from '../../model/text.ts';
import { isSchema } from '../schema.ts';
import type { Owner } from './options.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

/** Bytes of UTF-8 of a check's name. */
const LONGEST_NAME = 200;

export function* checkChecks({ definition, name }: Owner, checks: unknown): Problems {
  if (checks === undefined || isSchema(checks)) return;
  const wrong = (what: string): ReturnType<typeof problem> => problem(definition, 'invalid-option', what);
  if (!isRecord(checks))
    return yield wrong(
      `checks of ${name} must be functions by name such as { filled: ({ value }) => value.length > 0 || 'it is empty' }, or a schema with '~standard', not ${nameOfType(checks)}`,
    );
  for (const [check, given] of Object.entries(checks)) {
    if (!isPartitionKey(check) || Buffer.byteLength(check) > LONGEST_NAME)
      yield wrong(
        `checks of ${name} has ${quoted(check.slice(0, 60))} as a name: use 1 to ${LONGEST_NAME} bytes without control characters`,
      );
    if (typeof given !== 'function' && !isSchema(given))
      yield wrong(
        `check ${said(check)} of ${name} must be a function, or a schema with '~standard', not ${nameOfType(given)}`,
      );
  }
}
