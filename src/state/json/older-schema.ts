/** The copy of a state of an older schema that is kept before the first commit in a newer one. */
import { SCHEMA } from '../document/state-document.ts';
import { type Found, foundIn, stateContent } from './state-text.ts';

/** `null` where the file does not hold any more what was read. */
export function copyOfOlder({
  file,
  serial,
}: NonNullable<Found['older']>): { readonly name: string; readonly text: string | Buffer } | null {
  const text = stateContent(file);
  if (text === null || text.length === 0) return null;
  const { document, older } = foundIn(text, file);
  if (older?.serial !== serial) return null;
  // By the time that it speaks of, so that a try that was killed is found again, and is not kept twice.
  const at = (/[\d:.TZ-]+/.exec(document.writtenBy.at)?.[0] ?? 'unknown').slice(0, 40).replace(/[:.]/g, '-');
  return { name: `before-schema-${SCHEMA}-${at}`, text };
}
