/** Why a file that was named, or is imported, is not read: nothing has that name, or something keeps from it. */
import fs from 'node:fs';
import { causeOf, errno } from '../files/system-errors.ts';
import type { Failure } from '../model/failure.ts';

/** What keeps a file from being read, in words; `null` where nothing does, and where nothing has that name. */
export function whatKeepsFrom(file: string): string | null {
  try {
    const stat = fs.statSync(file);
    if (stat.isDirectory()) return 'it is a folder';
    return stat.isFile() ? null : 'it is no file, but a pipe or a device';
  } catch (error) {
    if (errno(error) !== 'ENOENT') return causeOf(error);
    return isLink(file) ? 'it is a symbolic link that leads nowhere' : null;
  }
}

function isLink(file: string): boolean {
  try {
    return fs.lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Why a pipeline file that was given is none. */
export function failureOfGiven(file: string): Failure {
  const cause = whatKeepsFrom(file);
  return cause === null
    ? { reason: 'pipeline-not-found', file, given: true }
    : { reason: 'pipeline-unreadable', file, cause };
}
