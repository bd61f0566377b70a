/** Gives staged values the names under which everybody finds them, or takes away those of what was skipped. */
import fs from 'node:fs';
import path from 'node:path';
import type { StagedValue } from '../definitions/staged-values.ts';
import { errno, io, isThere, removeIfThere, removeQuietly } from '../files/durable-files.ts';
import { isRemoval, placeOf, stagedFileOf } from './journal.ts';
import { syncFolders } from './sync-files.ts';
import { ENDINGS } from './places.ts';

/**
 * A loss of power may take back each name by itself. So a value keeps the name under which it waits until its place is safe,
 * and until a value of another kind, which might be found instead, is gone for good.
 */
export function putInPlace(values: readonly StagedValue[]): void {
  // One that is not there any more was purged.
  const there = values.filter((staged) => io('read', staged.file, () => isThere(stagedFileOf(staged))));
  for (const staged of there.filter((one) => !isRemoval(one)))
    io('write', staged.file, () => linkOver(stagedFileOf(staged), staged.file));
  syncFolders(foldersOf(there));
  const older = there.flatMap((staged) =>
    ENDINGS.map((ending) => `${placeOf(staged)}${ending}`).filter(
      (file) => file !== staged.file && io('read', file, () => isThere(file)),
    ),
  );
  for (const file of older) io('remove', file, () => removeIfThere(file));
  syncFolders(new Set(older.map((file) => path.dirname(file))));
  for (const staged of there) removeQuietly(stagedFileOf(staged));
}

function foldersOf(values: readonly StagedValue[]): Set<string> {
  return new Set(values.map(({ file }) => path.dirname(file)));
}

/** Gives a file a further name, whatever has that name now. Where there are no hard links, the name is all that it has. */
function linkOver(from: string, to: string): void {
  // Mostly nothing has it yet, and one call is enough: of ten thousand small values the names take as long as all else.
  const isDone = linked(from, to);
  if (isDone !== 'taken') return;
  const between = `${from}~`;
  removeIfThere(between);
  if (linked(from, between) === 'gone') return;
  fs.renameSync(between, to);
  // rename(2) leaves two names of one file as they are: the value was in its place already.
  removeIfThere(between);
}

function linked(from: string, to: string): 'linked' | 'taken' | 'gone' {
  try {
    fs.linkSync(from, to);
    return 'linked';
  } catch (error) {
    // Purged in the meantime.
    if (errno(error) === 'ENOENT') return 'gone';
    if (errno(error) === 'EEXIST') return 'taken';
    if (!hasNoLinks(error)) throw error;
    fs.renameSync(from, to);
    return 'linked';
  }
}

function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errno(error) ?? '');
}
