/** Finds keys in a long list without an index of its own at start-up: one scan with a small map of what is wanted. */

const scans = new WeakMap<readonly string[], { count: number; index: Map<string, number> | null }>();

/** A list that was scanned so often earns a full index: a long-running process asks again and again. */
const SCANS_BEFORE_INDEX = 8;

/** Where each of `wanted` stands in `keys`. Keys that are not there are not in the answer. */
export function positionsOf(keys: readonly string[], wanted: Iterable<string>): Map<string, number> {
  if (keys.length === 0) return new Map();
  const index = indexOf(keys);
  const found = new Map<string, number>();
  if (index !== null) {
    for (const key of wanted) {
      const position = index.get(key);
      if (position !== undefined) found.set(key, position);
    }
    return found;
  }
  const looked = wanted instanceof Set ? (wanted as Set<string>) : new Set(wanted);
  if (looked.size === 0) return found;
  for (let position = 0; position < keys.length; position++) {
    const key = keys[position]!;
    if (looked.has(key)) {
      found.set(key, position);
      if (found.size === looked.size) break;
    }
  }
  return found;
}

/** What is known of a list goes on with the one that it grew to: a thousand commits that add a key each do not make a thousand indexes. */
export function grownFrom(keys: readonly string[], added: readonly string[]): string[] {
  const grown = keys.concat(added);
  const known = scans.get(keys);
  if (known === undefined) return grown;
  // Away from where it was: another list may grow from there.
  scans.delete(keys);
  if (known.index !== null) for (const [at, key] of added.entries()) known.index.set(key, keys.length + at);
  scans.set(grown, known);
  return grown;
}

function indexOf(keys: readonly string[]): Map<string, number> | null {
  const known = scans.get(keys) ?? { count: 0, index: null };
  if (known.index === null && ++known.count > SCANS_BEFORE_INDEX) {
    known.index = new Map(keys.map((key, position) => [key, position]));
  }
  scans.set(keys, known);
  return known.index;
}
