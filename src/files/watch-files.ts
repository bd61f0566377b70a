/** Tells that files of a pipeline may have been edited, wherever they are. */
import fs from 'node:fs';
import path from 'node:path';

/**
 * Calls back also for what turns out to be no edit.
 * @param files of a folder among them, each file that comes or goes
 * @returns what ends it
 */
export async function watchFiles(files: readonly string[], onChange: () => void): Promise<() => void> {
  const { watchFolder } = await import('./watch-folder.ts');
  const folders = new Map<string, Set<string> | 'all'>();
  for (const file of new Set(files.flatMap(withTarget))) {
    if (isFolder(file)) {
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

function isFolder(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory();
  } catch {
    return false;
  }
}
