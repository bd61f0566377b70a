/** What a partition key carries: the version of what it names, and a small item for all that is made of it. */
import type { JsonValue } from './json-value.ts';

export interface Carried {
  /** An etag, a hash, a time of change; `null`: none was said. */
  readonly version: string | null;
  readonly item: JsonValue;
}

/** Of a key that only is there. */
export const NOTHING_CARRIED: Carried = { version: null, item: null };

/** Bytes of UTF-8 of a version. */
const VERSION_LIMIT = 256;

/** Bytes of JSON of an item. */
const ITEM_LIMIT = 16 * 1024;

/** Bytes of JSON of all items of a state that is a file: each commit writes them all. */
export const ITEMS_LIMIT = 64 * 1024 * 1024;

/** Why a text may not be a version; `null` when it may. */
export function whyNoVersion(version: string): string | null {
  if (version === '') return 'a version is not empty';
  if (!version.isWellFormed()) return 'it holds half of a surrogate pair, which is no text';
  // A UTF-16 unit has three bytes of UTF-8 at most.
  const bytes = version.length * 3 <= VERSION_LIMIT ? 0 : Buffer.byteLength(version);
  return bytes > VERSION_LIMIT
    ? `it has ${bytes} bytes; a version has ${VERSION_LIMIT} at most (use a hash of it)`
    : null;
}

/** Why a text of JSON may not be an item; `null` when it may. */
export function whyNoItem(json: string): string | null {
  const bytes = json.length * 3 <= ITEM_LIMIT ? 0 : Buffer.byteLength(json);
  return bytes > ITEM_LIMIT
    ? `it has ${bytes} bytes of JSON; an item has ${ITEM_LIMIT} at most (keep what is larger as the value of an asset)`
    : null;
}

/** Whether what is asked for is another version than what is there: none counts as another one than some. */
export function isChanged(before: Carried, asked: Carried): boolean {
  return asked.version !== null && asked.version !== before.version;
}
