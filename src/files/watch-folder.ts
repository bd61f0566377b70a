/** Tells when names in a folder change, as soon as the system says so. Whoever needs to be sure looks now and then all the same. */
import fs from 'node:fs';

/** A folder that is not there yet, or that the system watches no more of, is asked for again. */
const AGAIN_AFTER_MS = 1000;

/**
 * Calls back when a file whose name passes was made, replaced or removed. Keeps no process alive.
 * @returns what ends it
 */
export function watchFolder(
  folder: string,
  passes: (name: string) => boolean,
  onChange: () => void,
): () => void {
  let watcher: fs.FSWatcher | undefined;
  let again: NodeJS.Timeout | undefined;
  const later = (): void => {
    watcher?.close();
    watcher = undefined;
    again = setTimeout(begin, AGAIN_AFTER_MS).unref();
  };
  const begin = (): void => {
    try {
      watcher = fs.watch(folder, { persistent: false }, (_, name) => {
        if (name === null || passes(name)) onChange();
      });
      // Where the folder itself is replaced or removed.
      watcher.on('error', later);
    } catch {
      later();
    }
  };
  begin();
  return () => {
    watcher?.close();
    clearTimeout(again);
  };
}
