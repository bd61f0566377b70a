/** Whether users share a folder on purpose, each with files of their own: `/tmp` and its like are sticky. */
import fs from 'node:fs';

const STICKY = 0o1000;

export function isShared(folder: string): boolean {
  try {
    return (fs.statSync(folder).mode & STICKY) !== 0;
  } catch {
    // Gone by now.
    return false;
  }
}
