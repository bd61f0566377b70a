/**
 * Text from user code as records keep it: well-formed Unicode, and no longer than its limit.
 *
 * Half of a surrogate pair (a text cut in the middle of an emoji) makes JSON that other tools refuse to read.
 */

/** Bytes of UTF-8 of an error's words with the places in the user's files, of a skip reason, and of a cursor in a record. */
export const ERROR_LIMIT = 8 * 1024;

/** Bytes of UTF-8 of a sensor's cursor. */
export const CURSOR_LIMIT = 1024 * 1024;

/** The text, cut to so many bytes of UTF-8. The words that say so count among these bytes. */
export function recordable(text: string, mostBytes: number): string {
  const whole = text.toWellFormed();
  // A UTF-16 unit has three bytes of UTF-8 at most: most texts need no count.
  if (whole.length * 3 <= mostBytes) return whole;
  const bytes = Buffer.from(whole);
  if (bytes.length <= mostBytes) return whole;
  const said = ` … (cut: it has ${bytes.length} bytes)`;
  // The cut may fall inside a letter: what is left of it is left out.
  const kept = bytes.toString('utf8', 0, mostBytes - Buffer.byteLength(said)).replace(/\ufffd{1,3}$/, '');
  return kept + said;
}

/** JSON with well-formed texts only, as a copy that nobody else holds. */
export function recordableJson(json: string): unknown {
  // JSON escapes nothing but lone halves so; an escaped backslash before a `u` is the user's own text.
  return JSON.parse(
    json.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/gi, (found) => (found === '\\\\' ? found : '\ufffd')),
  );
}
