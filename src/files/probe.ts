/** Tries on a folder's file system what the state needs of one, and leaves nothing behind. */
import fs from 'node:fs';
import path from 'node:path';
import { causeOf, syncFolder, writeDurably } from './durable-files.ts';

/** What could not be done, in words. */
export interface Refused {
  readonly step: string;
  readonly cause: string;
}

/** `null`: all of it works. @param folder one that is there */
export function probe(folder: string): Refused | null {
  let step = 'make a folder in it';
  let place: string | null = null;
  try {
    place = fs.mkdtempSync(path.join(folder, '.dynpart-doctor-'));
    const [one, other, next] = ['one', 'other', 'next'].map((name) => path.join(place!, name)) as [
      string,
      string,
      string,
    ];
    step = 'write and sync a file in it (fsync)';
    writeDurably(one, 'one');
    step = 'give a file of it a second name (link)';
    fs.linkSync(one, other);
    step = 'refuse a name that is taken (link)';
    if (!refusesTaken(one, other)) throw new Error('it was given twice');
    step = 'put a file in the place of another (rename)';
    writeDurably(next, 'next');
    fs.renameSync(next, other);
    if (fs.readFileSync(other, 'utf8') !== 'next') throw new Error('another file is there');
    step = 'sync the folder (fsync)';
    syncFolder(place);
    return null;
  } catch (error) {
    return { step, cause: causeOf(error) };
  } finally {
    if (place !== null) fs.rmSync(place, { recursive: true, force: true });
  }
}

/** What makes one of two writers wait for the other. */
function refusesTaken(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return true;
    throw error;
  }
}
