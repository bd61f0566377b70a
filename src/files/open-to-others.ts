/** Whether every user of the machine may write to the state: who can, decides what is taken for true. */
import fs from 'node:fs';
import path from 'node:path';

/** Any user who is neither the owner nor of the group. A group may share a state on purpose. */
const OTHERS_MAY_WRITE = 0o002;

/**
 * The folder of a state file, or the file itself, where others may write to it; else `undefined`. A sticky folder such as `/tmp` is
 * open as well: nobody can replace the file there, but a newer generation can be put beside it.
 */
export function openToOthers(file: string): string | undefined {
  // There every file looks as if it were.
  if (process.platform === 'win32') return undefined;
  return [path.dirname(file), file].find((place) => (modeOf(place) & OTHERS_MAY_WRITE) !== 0);
}

function modeOf(place: string): number {
  try {
    const stat = fs.statSync(place, { throwIfNoEntry: false });
    // A device such as `/dev/null` is open on purpose, and nobody should close it.
    return stat?.isFile() || stat?.isDirectory() ? stat.mode : 0;
  } catch {
    // Whatever is wrong with it is said by who reads it.
    return 0;
  }
}
