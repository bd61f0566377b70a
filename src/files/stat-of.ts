/** Looks at a file that may be out of reach: what keeps from it is told by whoever wants to read it. */
import fs from 'node:fs';

/** `undefined` also where a folder on the way is closed, or links lead in a circle. */
export function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Whether two names are those of one file that is there. */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map(statOf);
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
