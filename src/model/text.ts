/** Text from outside, made fit for a terminal: nothing in it moves the cursor, changes colours or turns the reading direction. */

// Controls of both blocks, bidirectional marks and overrides, line and paragraph separators, the byte order mark.
const DANGEROUS =
  // oxlint-disable-next-line no-control-regex -- naming the control characters is the point
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const ALL_DANGEROUS = new RegExp(DANGEROUS.source, 'g');

/** Whether a character, or one in a text, may not be shown as it is. */
export function isDangerous(text: string): boolean {
  return DANGEROUS.test(text) || /[\n\t]/.test(text);
}

/** A key or name as a record prints it: a JSON string with escapes where it would otherwise be misread. */
export function printable(key: string): string {
  const plain = !isDangerous(key) && !/^[\s"]|\s$/.test(key);
  return plain ? key : quoted(key);
}

/** A text of several words or lines, such as a message: dangerous characters are shown as escapes. */
export function clean(text: string): string {
  return DANGEROUS.test(text)
    ? text.replace(ALL_DANGEROUS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : text;
}

/** A key or name in quotes, as a JSON string: nothing in it can disturb a terminal. */
export function quoted(text: string): string {
  return toJson(text);
}

/** At most five of many, then how many more there are. */
export function listed(items: readonly string[], most = 5): string {
  const rest = items.length - most;
  return items.slice(0, most).map(quoted).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** A key or path as it can be pasted into a shell; one that ends with a line, which a shell takes off, stays a word. */
export function shellQuoted(text: string, word = 'KEY'): string {
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(text)) return text;
  if (!isDangerous(text)) return singleQuoted(text);
  // What would disturb the terminal is written as its bytes.
  return text.endsWith('\n') ? word : `"$(printf ${singleQuoted(octal(text))})"`;
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** As `printf` takes it. */
function octal(text: string): string {
  return Array.from(text, (char) =>
    isDangerous(char)
      ? Array.from(new TextEncoder().encode(char), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(
          '',
        )
      : char.replace('\\', '\\\\').replace('%', '%%'),
  ).join('');
}

/** JSON for a stream that may be a terminal: the same value, with dangerous characters as escapes. */
export function toJson(value: unknown): string {
  return clean(JSON.stringify(value));
}

/** `1 key`, `2 keys`, `12,000 keys`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** A whole number with its thousands set apart. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
