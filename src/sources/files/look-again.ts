/** A second look at files that are new or changed: whether they are the same still, and may be read. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { causeOf } from '../../files/system-errors.ts';
import type { FoundFile, Question, Tell } from './questions.ts';
import { lookAt } from './walk.ts';

/** One for all files: to make it takes longer than to read a small one. */
const part = Buffer.alloc(1024 * 1024);

/** Call by call, as `walk`. */
export function lookAgain(
  { cwd, files, hashes, passOver }: Extract<Question, { ask: 'again' }>,
  tell: Tell,
): void {
  const isPassedOver = new Set(passOver);
  let before: string | undefined;
  for (const [at, file] of files.entries()) {
    const folder = folderOf(file.path);
    if (isPassedOver.has(folder) || isPassedOver.has(file.path)) continue;
    if (hashes) tell.at(file.path, 'file');
    else if (folder !== before) tell.at((before = folder), 'folder');
    try {
      if (!isSame(lookAt(cwd, file.path), file)) continue;
      const whole = path.join(cwd, file.path);
      if (!hashes) fs.accessSync(whole, fs.constants.R_OK);
      const hash = hashes ? hashOf(whole, tell) : null;
      if (!hashes || isSame(lookAt(cwd, file.path), file)) tell.whole(at, hash);
    } catch (error) {
      if (!isLost(cwd, file)) tell.unseen(file.path, causeOf(error));
    }
    tell.alive();
  }
}

/** `''` is the folder itself. */
export function folderOf(file: string): string {
  return file.slice(0, Math.max(file.lastIndexOf('/'), 0));
}

function isSame(a: FoundFile | null, b: FoundFile): boolean {
  return a !== null && a.bytes === b.bytes && a.touched === b.touched && a.inode === b.inode;
}

function isLost(cwd: string, file: FoundFile): boolean {
  try {
    return lookAt(cwd, file.path) === null;
  } catch {
    return false;
  }
}

function hashOf(file: string, tell: Tell): string {
  const hash = createHash('sha256');
  const open = fs.openSync(file, 'r');
  try {
    for (;;) {
      const read = fs.readSync(open, part);
      if (read === 0) return hash.digest('hex');
      hash.update(part.subarray(0, read));
      tell.alive();
    }
  } finally {
    fs.closeSync(open);
  }
}
