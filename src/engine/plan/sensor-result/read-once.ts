/** Reads parts of what a sensor returned, each once, and says what is wrong with them. */
import { didYouMean } from '../../../model/nearest.ts';
import { whyNotAKey } from '../../../model/partition-key.ts';
import { quoted } from '../../../model/text.ts';

/**
 * A list as it is at this moment, each entry read once and by its number: the user's own may answer differently when it is
 * asked again, and what was checked must be what is committed.
 */
export function readOnce(problems: string[], list: readonly unknown[], where: () => string): unknown[] {
  const copy: unknown[] = [];
  for (let at = 0; at < list.length; at++) {
    const item = list[at];
    // Also the end of a list that claims to have billions of entries.
    if (item === undefined && !(at in list)) {
      problems.push(`${where()} has nothing at ${at}`);
      break;
    }
    copy.push(item);
  }
  return copy;
}

export function checkFields(
  problems: string[],
  where: () => string,
  value: object,
  known: readonly string[],
): void {
  if (hasOnly(value, known)) return;
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue;
    problems.push(`${where()} has an unknown field ${quoted(field)}${didYouMean(field, known)}`);
  }
}

/** Without a list of its names, which a hundred thousand requests would each have made. `false` also for what is inherited. */
function hasOnly(value: object, known: readonly string[]): boolean {
  // oxlint-disable-next-line guard-for-in -- what is inherited counts, too
  for (const field in value) if (!known.includes(field)) return false;
  return true;
}

export function checkKey(problems: string[], key: unknown, where: string): void {
  const why = whyNotAKey(key);
  if (why === null) return;
  problems.push(
    typeof key === 'string'
      ? `key ${quoted(key.length > 60 ? `${key.slice(0, 60)}…` : key)} in ${where}: ${why}`
      : `${where}: ${why}`,
  );
}
