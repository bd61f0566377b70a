/** Small file operations that either hold or say in words what failed. Synchronous: the first `fs/promises` costs start-up. */
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import { errno, refusalOf } from './system-errors.ts';

export { causeOf, errno, refusalOf } from './system-errors.ts';

/** Runs a file operation; one that the system refuses becomes a `state-io` failure that names the file. */
export function io<T>(action: string, file: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    if (errno(error) === undefined) throw error;
    return fail({ reason: 'state-io', file, action, ...refusalOf(error) });
  }
}

/** Writes all of it: a short write is followed by another one. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  let written = 0;
  while (written < bytes.length) written += fs.writeSync(fd, bytes, written, bytes.length - written);
}

/**
 * Opens a file to add to it. Never through a symbolic link: where somebody else can write to the folder, it would lead
 * to any file that this user may write.
 */
export function openToAppend(file: string): number {
  const { O_RDWR, O_APPEND, O_CREAT } = fs.constants;
  // Windows has no such flag.
  const notThroughLinks = (fs.constants as { O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0;
  return fs.openSync(file, O_RDWR | O_APPEND | O_CREAT | notThroughLinks, 0o666);
}

/**
 * A new file with this content, on the disk when the call returns.
 * @param like what it is going to replace: its permissions are kept
 */
export function writeDurably(file: string, data: string | Uint8Array, like?: fs.Stats): void {
  const fd = fs.openSync(file, 'wx', likeNew(like));
  try {
    if (like !== undefined) takeOn(fd, like);
    writeAll(fd, data);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** With what mode a file is made that is to have the permissions of another one: nobody may read it who may not read that. */
export function likeNew(like: fs.Stats | undefined): number {
  return like === undefined ? 0o666 : like.mode & 0o777;
}

/**
 * Gives a new file the permissions of the one that it is going to replace: somebody may have narrowed or shared that. Where
 * its group cannot be kept, another group gets no more than everybody has.
 */
export function takeOn(fd: number, like: fs.Stats): void {
  // There is only one bit for all.
  if (process.platform === 'win32') return;
  const own = fs.fstatSync(fd);
  const isOfGroup =
    (own.uid === like.uid && own.gid === like.gid) ||
    given(() => fs.fchownSync(fd, like.uid, like.gid)) ||
    own.gid === like.gid ||
    given(() => fs.fchownSync(fd, own.uid, like.gid));
  const mode = like.mode & 0o777;
  const kept = isOfGroup ? mode : (mode & 0o707) | (mode & ((mode & 0o7) << 3));
  // A change of the group takes nothing from these bits, but the umask has.
  if ((own.mode & 0o777) !== kept) fs.fchmodSync(fd, kept);
}

/** Only root may give files to others; a group only to one's own. */
function given(change: () => void): boolean {
  try {
    change();
    return true;
  } catch {
    return false;
  }
}

/** Makes the entries of a folder survive a loss of power. Some file systems refuse to sync folders: they keep the entries safe by themselves. */
export function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    if (errno(error) !== 'EINVAL' && errno(error) !== 'EPERM') throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** Folders of which this process knows that their names survive a loss of power. */
const lasting = new Set<string>();

/**
 * Makes a folder and what is missing above it, and makes their names survive a loss of power.
 *
 * Nobody puts anything into a folder before its name is synced. So one with something in it needs no sync; an empty one may
 * be another process's that was killed before its sync, and a value in it would be lost with its name.
 */
export function makeFolder(folder: string): void {
  const isThere = io('make the folder', folder, () => isFolder(folder));
  if (isThere && lasting.has(folder)) return;
  const above = path.dirname(folder);
  if (!isThere) {
    makeFolder(above);
    io('make the folder', folder, () => makeMissing(folder));
    io('sync the folder', above, () => syncFolder(above));
  } else if (io('read the folder', folder, () => isEmpty(folder))) {
    io('sync the folder', above, () => syncUnlessForbidden(above));
  }
  lasting.add(folder);
}

/** Makes a folder for what need not survive a loss of power, such as signs of life; what is above it does. */
export function makePassingFolder(folder: string): void {
  if (io('make the folder', folder, () => isFolder(folder))) return;
  makeFolder(path.dirname(folder));
  io('make the folder', folder, () => makeMissing(folder));
}

/** `false` also where a part of the path is a file: making it says so. */
function isFolder(folder: string): boolean {
  try {
    return fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (error) {
    if (errno(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** Looks for one entry, however many there are. */
function isEmpty(folder: string): boolean {
  const entries = fs.opendirSync(folder, { bufferSize: 1 });
  try {
    return entries.readSync() === null;
  } finally {
    entries.closeSync();
  }
}

/** Who may not read a folder has made nothing in it: what is there is somebody else's. */
function syncUnlessForbidden(folder: string): void {
  try {
    syncFolder(folder);
  } catch (error) {
    if (errno(error) !== 'EACCES') throw error;
  }
}

/** One by one: node's own recursive way never ends where the system answers that a parent is not there although it is (`/proc`). */
export function makeMissing(folder: string, mode = 0o777): string[] {
  // Mostly it is there, and asking costs less than an error that is thrown away.
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  try {
    fs.mkdirSync(folder, mode);
    return [folder];
  } catch (error) {
    if (errno(error) === 'EEXIST' && fs.statSync(folder).isDirectory()) return [];
    if (errno(error) !== 'ENOENT' || isThere(path.dirname(folder))) throw error;
  }
  const above = makeMissing(path.dirname(folder), mode);
  return [...above, ...makeMissing(folder, mode)];
}

/** Gives a file a further name; `false` where that name is taken. The comparison that the file system itself offers. */
export function linked(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    // Another process took this one for dead and swept its file away: that is a lost race, too.
    if (errno(error) === 'ENOENT' && !isThere(from) && isThere(path.dirname(to))) return false;
    throw error;
  }
}

/** Removes a file if it is there. */
export function removeIfThere(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
  }
}

/** Removes a file where a failure was said already, or there is nothing to say. */
export function removeQuietly(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // It was renamed away, or the disk is in trouble.
  }
}

/** Closes a file that nothing depends on any more. */
export function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd);
  } catch {
    // The process ends soon, and with it the descriptor.
  }
}

/** The content of a file, or `null` when there is none. */
export function readIfThere(file: string): string | null {
  return orNull(() => fs.readFileSync(file, 'utf8'));
}

/** The same as bytes: what is damaged may be no text. */
export function bytesIfThere(file: string): Buffer | null {
  return orNull(() => fs.readFileSync(file));
}

/** Opens a file for reading; `null` when there is none. */
export function openIfThere(file: string): number | null {
  return orNull(() => fs.openSync(file, 'r'));
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Whether there is such a file. Not `existsSync`, which says that a file is not there when the disk refuses to say. */
export function isThere(file: string): boolean {
  try {
    return fs.statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errno(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** The names in a folder; none when there is no folder. */
export function namesIn(folder: string): string[] {
  return orNull(() => fs.readdirSync(folder)) ?? [];
}
