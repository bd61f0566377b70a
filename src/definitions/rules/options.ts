/** Options of every definition: which there are, numbers above 0, and words to choose from. */
import { LONGEST_MS, meantDuration, parseDuration } from '../../model/duration.ts';
import { didYouMean } from '../../model/nearest.ts';
import { nameOfType } from '../../model/partition-key.ts';
import { problem, type Problems, said } from './problem.ts';

/** Whose options are looked at: the definition, and how a message names it. */
export interface Owner {
  readonly definition: unknown;
  readonly name: string;
}

export function* checkKnown(
  { definition, name }: Owner,
  options: object,
  known: readonly string[],
): Problems {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    yield problem(
      definition,
      'unknown-option',
      `${name} has an unknown option '${option}'${didYouMean(option, known)}`,
    );
  }
}

export function* checkAboveZero(
  { definition, name }: Owner,
  option: string,
  value: unknown,
  unit: 'milliseconds' | 'seconds' | 'days' | 'a whole number',
): Problems {
  if (value === undefined) return;
  const whole = unit === 'a whole number';
  if ((whole ? Number.isInteger(value) : Number.isFinite(value)) && (value as number) > 0) return;
  yield problem(
    definition,
    'invalid-option',
    `${option} of ${name} must be ${whole ? unit : `a number of ${unit}`} above 0`,
  );
}

const ISOLATIONS: readonly unknown[] = ['process', 'none'];

export function* checkIsolation({ definition, name }: Owner, isolation: unknown): Problems {
  if (isolation === undefined || ISOLATIONS.includes(isolation)) return;
  const given = typeof isolation === 'string' ? said(isolation) : nameOfType(isolation);
  yield problem(
    definition,
    'invalid-option',
    `isolation of ${name} must be 'process' or 'none', not ${given}`,
  );
}

export function* checkDuration({ definition, name }: Owner, option: string, value: unknown): Problems {
  if (value === undefined) return;
  const ms = parseDuration(value);
  if (ms !== null && ms > 0 && ms <= LONGEST_MS) return;
  const meant = typeof value === 'string' && ms === null ? meantDuration(value) : null;
  yield problem(
    definition,
    'invalid-option',
    `${option} of ${name} must be a duration of a year at most such as '30m', '26h' or '7d', not ${typeof value === 'string' ? said(value) : nameOfType(value)}${meant === null ? '' : `; did you mean '${meant}'?`}`,
  );
}
