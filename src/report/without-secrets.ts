/** What users keep in items, metadata and messages, made fit to be passed on: without what addresses carry, and not too long. */
import type { JsonValue } from '../model/json-value.ts';
import { withoutQueries } from '../model/without-queries.ts';

/** A text as the page shows it: so cut, and of a longer one its beginning and how long it is. */
export function shownText(text: string, most: number): string {
  // Of a very long one no more is looked at than can be shown.
  const part = text.slice(0, 4 * most);
  const shown = withoutQueries(part);
  if (part.length === text.length && shown.length <= most) return shown;
  return `${shown.slice(0, most).toWellFormed()} … (cut: it has ${text.length} characters)`;
}

/** A value as the page shows it: each of its texts likewise, and as a whole no more than so many characters of JSON. */
export function shownValue(value: JsonValue, most: number): JsonValue {
  const json = JSON.stringify(value);
  if (json.length > most && typeof value !== 'string') return shownText(json, most);
  return withTexts(value, (text) => shownText(text, most));
}

function withTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((one) => withTexts(one, change));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [withoutQueries(name), withTexts(one, change)]),
  );
}
