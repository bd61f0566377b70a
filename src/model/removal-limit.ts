/** How many keys of a set may go at once: a number, or a part of the set such as `10%`. */

/** `null` for anything else. */
export function parseRemovalLimit(given: unknown): ((total: number) => number) | null {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(typeof given === 'number' ? String(given) : asText(given));
  if (match === null || (match[2] === '' && match[1]!.includes('.'))) return null;
  const number = Number(match[1]);
  return (total) => (match[2] === '%' ? Math.floor((total * number) / 100) : number);
}

function asText(given: unknown): string {
  return typeof given === 'string' ? given : '';
}
