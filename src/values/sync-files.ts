/** Makes many files durable at once. */
import fs from 'node:fs';
import { fail } from '../model/failure.ts';
import { errno, io, isThere, refusalOf, syncFolder } from '../files/durable-files.ts';

/** So many files wait for the disk at the same time: as many as there are threads, and far below the limit of open files. */
const SYNCS = 64;

/** A few are synced at once: starting the threads would take longer. */
const FEW = 8;

export async function syncFiles(files: readonly string[]): Promise<void> {
  if (files.length <= FEW) {
    for (const file of files) io('sync', file, () => syncNow(file));
    return;
  }
  const left = files.values();
  const worker = async (): Promise<void> => {
    for (const file of left) await syncFile(file);
  };
  await Promise.all(Array.from({ length: Math.min(SYNCS, files.length) }, worker));
}

export function syncFolders(folders: ReadonlySet<string>): void {
  for (const folder of folders) io('sync the folder', folder, () => syncFolder(folder));
}

/** A value that is not there any more was purged. */
function syncNow(file: string): void {
  if (!isThere(file)) return;
  const fd = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

async function syncFile(file: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null | undefined): void => (error ? reject(error) : resolve());
      fs.open(file, 'r', (openError, fd) => {
        if (openError?.code === 'ENOENT') return resolve();
        if (openError !== null) return reject(openError);
        fs.fsync(fd, (syncError) => fs.close(fd, (closeError) => settle(syncError ?? closeError)));
      });
    });
  } catch (error) {
    if (errno(error) === undefined) throw error;
    fail({ reason: 'state-io', file, action: 'sync', ...refusalOf(error) });
  }
}
