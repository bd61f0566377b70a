/** Tells that files may have been edited, wherever they are. */
import fs from 'node:fs';
import path from 'node:path';
import { statOf } from './stat-of.ts';
import { watchFolder } from './watch-folder.ts';

/**
 * Calls back also for what turns out to be no edit.
 * @param files of a folder among them, each file that comes or goes
 * @returns what ends it
 */
export function watchFiles(files: readonly string[], onChange: () => void): () => void {
  const folders = new Map<string, Set<string> | 'all'>();
  for (const file of new Set(files.flatMap(withTarget))) {
    if (statOf(file)?.isDirectory() === true) {
      folders.set(file, 'all');
      continue;
    }
    const folder = path.dirname(file);
    const names = folders.get(folder) ?? new Set();
    if (names !== 'all') folders.set(folder, names.add(path.basename(file)));
  }
  const stops = Array.from(folders, ([folder, names]) =>
    watchFolder(folder, (name) => names === 'all' || names.has(name), onChange),
  );
  return () => stops.forEach((stop) => stop());
}

/** Of a link the file that it stands for, too. */
function withTarget(file: string): string[] {
  try {
    return [file, fs.realpathSync(file)];
  } catch {
    return [file];
  }
}
