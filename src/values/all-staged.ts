/** What waits in the folders of values, found by its names: after a loss of power no journal is to be relied on. */
import path from 'node:path';
import type { StagedValue } from '../definitions/staged-values.ts';
import { io, namesIn, removeQuietly } from '../files/durable-files.ts';
import { asStaged, stagedFileOf } from './journal.ts';
import { isPurge, purgeIn } from './staged-purge.ts';

/**
 * Newest first, also of processes that live. Without its asset and key: only its name is known, but for what is to be purged.
 * @param journaled what journals tell of: a purge of one that lives is its own business
 */
export function allStaged(valuesFolder: string, journaled: readonly StagedValue[]): StagedValue[] {
  const known = new Set(journaled.map(stagedFileOf));
  return namesIn(valuesFolder)
    .filter((name) => name !== '.tmp')
    .flatMap((name) => {
      const folder = path.join(valuesFolder, name);
      return io('read the folder', folder, () => namesIn(folder)).flatMap((file): StagedValue[] => {
        const staged = asStaged(file);
        if (staged === null) return [];
        const value = { run: staged.run, asset: '', key: null, file: path.join(folder, staged.becomes) };
        if (!isPurge(staged.run)) return [value];
        if (known.has(stagedFileOf(value))) return [];
        const meant = purgeIn(stagedFileOf(value));
        return [meant === null ? value : { ...value, asset: meant.asset, key: meant.partitionKey }];
      });
    })
    .sort((one, other) => (one.run < other.run ? 1 : -1));
}

/**
 * Names that files had while they took their place: a loss of power may have kept such a name alone.
 * @param journaled asked once all names are read: what a process that lives has just put beside them is in its journal by then
 */
export function dropPassing(valuesFolder: string, journaled: () => readonly StagedValue[]): void {
  const passing = namesIn(valuesFolder).flatMap((name) => {
    const folder = path.join(valuesFolder, name);
    return namesIn(folder)
      .filter((file) => file.endsWith('~') && asStaged(file.slice(0, -1)) !== null)
      .map((file) => path.join(folder, file));
  });
  if (passing.length === 0) return;
  const known = new Set(journaled().map((value) => `${stagedFileOf(value)}~`));
  for (const file of passing) if (!known.has(file)) removeQuietly(file);
}
