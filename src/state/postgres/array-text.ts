/** Texts of a column as the database reads an array. The driver looks into each of them three times. */

const ESCAPED = /["\\]/;

/** What a statement is given: arrays of texts as one text, all else as it is. */
export function valueOf(value: unknown): unknown {
  return Array.isArray(value) && value.every(isText) ? arrayText(value) : value;
}

function isText(value: unknown): value is string | null {
  return typeof value === 'string' || value === null;
}

export function arrayText(texts: readonly (string | null)[]): string {
  const json = JSON.stringify(texts);
  // Where nothing had to be escaped, a list reads alike in both.
  if (!json.includes('\\')) return `{${json.slice(1, -1)}}`;
  return `{${texts.map((text) => (text === null ? 'null' : quoted(text))).join(',')}}`;
}

function quoted(text: string): string {
  return `"${ESCAPED.test(text) ? text.replaceAll(/["\\]/g, String.raw`\$&`) : text}"`;
}
