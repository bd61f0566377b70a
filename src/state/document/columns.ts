/**
 * Columns: lists, and strings of letters, that have an entry for each key of a set or for each run of a group. They stay
 * aligned because whatever takes entries out takes them out of all columns, by position.
 */
import { positionsOf } from './key-positions.ts';

/** A string has a letter for each entry; where it is too short, the missing ones are `.`. */
export type Column = string | readonly unknown[];

/** The entries at these positions, in their order. */
export function take<C extends Column>(column: C, positions: readonly number[]): C {
  const taken =
    typeof column === 'string'
      ? positions.map((at) => column[at] ?? '.').join('')
      : positions.map((at) => column[at]);
  return taken as C;
}

/** All but the entries at these positions, which come in ascending order. */
export function without<C extends Column>(column: C, positions: readonly number[]): C {
  if (typeof column !== 'string') {
    const gone = new Set(positions);
    return column.filter((_, at) => !gone.has(at)) as unknown as C;
  }
  let kept = '';
  let from = 0;
  for (const position of positions) {
    kept += column.slice(from, position);
    from = position + 1;
  }
  return (kept + column.slice(from)) as C;
}

/** Times as `[count, at]`, so many entries each: without those at these positions, which come in ascending order. */
export function timesWithout(
  times: readonly (readonly [count: number, at: string])[],
  positions: readonly number[],
): [number, string][] {
  const left: [number, string][] = [];
  let end = 0;
  let next = 0;
  for (const [count, at] of times) {
    end += count;
    let kept = count;
    while (next < positions.length && positions[next]! < end) {
      kept--;
      next++;
    }
    if (kept === 0) continue;
    const last = left.at(-1);
    // What stood between two of one time is gone: a clock that was put back wrote it.
    if (last?.[1] === at) last[0] += kept;
    else left.push([kept, at]);
  }
  return left;
}

/** Gives the entries of some keys this letter, in a string that has one for each key of a set. */
export function put(
  letters: string,
  all: readonly string[],
  keys: readonly string[],
  letter: string,
): string {
  // Keys that were just added stand at the end, in the same order: nothing has to be looked up.
  const tail = all.length - keys.length;
  if (tail >= 0 && keys.every((key, at) => key === all[tail + at]))
    return letters.slice(0, tail).padEnd(tail, '.') + letter.repeat(keys.length);
  const buffer = Buffer.alloc(all.length, '.', 'latin1');
  buffer.write(letters, 'latin1');
  const code = letter.charCodeAt(0);
  for (const position of positionsOf(all, keys).values()) buffer[position] = code;
  return buffer.toString('latin1');
}

/** Changes all of these columns of a record alike: a column that is added to the names is aligned from then on. */
export function alike<T extends object>(
  record: T,
  names: readonly (keyof T)[],
  change: <C extends Column>(column: C) => C,
): T {
  const changed = names.map((name) => [name, change(record[name] as Column)]);
  return { ...record, ...(Object.fromEntries(changed) as Partial<T>) };
}
