/** Writes a value into the file in which it waits, with the owner and the mode of the one that it is going to replace. */
import fs from 'node:fs';
import { errno, likeNew, removeIfThere, takeOn, writeAll } from '../files/durable-files.ts';
import { ENDINGS } from './places.ts';

/**
 * @param place where it belongs, without an ending
 * @returns what tells it from a file that another process puts in its place
 */
export function writeStaged(file: string, place: string, bytes: string | Uint8Array): string {
  const like = inPlace(place);
  const fd = openAnew(file, likeNew(like));
  try {
    if (like !== undefined) takeOn(fd, like);
    writeAll(fd, bytes);
    return markOf(fs.fstatSync(fd, { bigint: true }));
  } finally {
    fs.closeSync(fd);
  }
}

/** Whether another process has put one there since, for the same run: two have a run at work where it was taken from one that lives. */
export function isAnothers(file: string, mark: string): boolean {
  const there = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return there !== undefined && markOf(there) !== mark;
}

function markOf({ ino, mtimeNs }: fs.BigIntStats): string {
  return `${ino}-${mtimeNs}`;
}

/** An interrupted execution of the same run may have left one; and nothing is written through a link. */
function openAnew(file: string, mode: number): number {
  try {
    return fs.openSync(file, 'wx', mode);
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    removeIfThere(file);
    return fs.openSync(file, 'wx', mode);
  }
}

/** The value that is going to be replaced, however it is kept: somebody may have narrowed or shared its file. */
function inPlace(place: string): fs.Stats | undefined {
  for (const ending of ENDINGS) {
    const like = fs.lstatSync(`${place}${ending}`, { throwIfNoEntry: false });
    if (like?.isFile() === true) return like;
  }
  return undefined;
}
