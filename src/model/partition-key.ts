/** The string that names one partition, and the one place that says which strings may. */

declare const checked: unique symbol;

/** A partition key that was checked: 1 to 1,024 bytes of UTF-8, no control characters, no lone surrogates. */
export type PartitionKey = string & { readonly [checked]: true };

/** The longest partition key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/** Why a string cannot be a partition key; `null` when it can. */
export function whyNotAKey(value: unknown): string | null {
  if (typeof value !== 'string') return `a key is a string, not ${nameOfType(value)}`;
  if (value === '') return 'it is empty';
  // A key of at most a third of the limit in UTF-16 units cannot be too long in UTF-8: most keys skip the count.
  if (value.length * 3 > MAX_KEY_BYTES) {
    const bytes = Buffer.byteLength(value, 'utf8');
    if (bytes > MAX_KEY_BYTES) return `it has ${bytes} bytes; a key has ${MAX_KEY_BYTES} at most`;
  }
  // A loop, not an expression: a tick may bring a hundred thousand keys, and most are short.
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 0x20 || code === 0x7f)
      return `it holds the control character U+${code.toString(16).toUpperCase().padStart(4, '0')} at position ${at + 1}`;
  }
  if (!value.isWellFormed()) return 'it holds half of a surrogate pair, which is no text';
  return null;
}

/** Whether a value may be a partition key. */
export function isPartitionKey(value: unknown): value is PartitionKey {
  return whyNotAKey(value) === null;
}

/** What kind of thing a value is, in words for a message: `a number`, `null`, `an array`. */
export function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'an array';
  const type = typeof value;
  return type === 'object' ? 'an object' : `a ${type}`;
}
