/** Tells when names in a folder change, as soon as the system says so; where it may not say so, by a look each second. */
import fs from 'node:fs';

/** A folder of which the system may not tell, or that is not there yet, is looked at so often. */
const LOOK_EVERY_MS = 1000;

/**
 * Calls back when a file whose name passes was made, replaced or removed, and each second where that is not told: it is only a
 * sign that something may have changed. Keeps no process alive.
 * @returns what ends it
 */
export function watchFolder(
  folder: string,
  passes: (name: string) => boolean,
  onChange: () => void,
): () => void {
  let watcher: fs.FSWatcher | undefined;
  let looks: NodeJS.Timeout | undefined;
  const begin = (): void => {
    try {
      watcher = fs.watch(folder, { persistent: false }, (_, name) => {
        if (name === null || passes(name)) onChange();
      });
      // Where the folder itself is replaced or removed.
      watcher.on('error', () => {
        watcher?.close();
        watcher = undefined;
        later();
      });
      if (!tellsAll(folder)) later();
    } catch {
      later();
    }
  };
  const later = (): void => {
    clearTimeout(looks);
    looks = setTimeout(() => {
      if (watcher === undefined) begin();
      else later();
      onChange();
    }, LOOK_EVERY_MS).unref();
  };
  begin();
  return () => {
    watcher?.close();
    clearTimeout(looks);
  };
}

/** ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, and what lies in memory or over one of them. Not networks, nor FUSE and 9P: others change what is there. */
const TELLING: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x01021994, 0x794c7630,
]);

/** Whether the system tells of every change in a folder, whoever makes it. */
function tellsAll(folder: string): boolean {
  return process.platform === 'linux' && TELLING.has(fs.statfsSync(folder).type);
}
