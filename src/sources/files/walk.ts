/** All files below a folder that patterns mean, with their sizes and times; what could not be looked at is named, not passed over. */
import fs from 'node:fs';
import path from 'node:path';
import { causeOf, errno } from '../../files/system-errors.ts';
import { patternsFrom } from './patterns.ts';
import type { FoundFile, Question, Tell } from './questions.ts';

/** Entries that the system is asked for at once. */
const LISTED_AT_ONCE = 500;

/** Call by call: it is done in a process of its own, where one that does not come back is nobody else's trouble. */
export function walk(
  { cwd, patterns: wanted, ignore, passOver }: Extract<Question, { ask: 'walk' }>,
  tell: Tell,
): void {
  const patterns = patternsFrom(wanted, ignore);
  const isPassedOver = new Set(passOver);
  tell.at('', 'base');
  let root: string;
  try {
    root = fs.realpathSync.native(cwd);
  } catch (error) {
    return tell.failed(cwd, causeOf(error));
  }
  const bases = new Set(patterns.bases);
  const folders = [...bases];
  for (const folder of folders) {
    if (isPassedOver.has(folder)) continue;
    const isBase = bases.has(folder);
    const here = (): void => tell.at(folder, isBase ? 'base' : 'folder');
    here();
    let entries: fs.Dirent[];
    try {
      entries = listed(path.join(root, folder), tell);
    } catch (error) {
      if (isBase) return tell.failed(path.join(cwd, folder), causeOf(error));
      if (!isGone(error)) tell.unseen(`${folder}/`, causeOf(error));
      continue;
    }
    for (const entry of entries) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (patterns.mayHold(name)) folders.push(name);
        continue;
      }
      if (!(entry.isFile() || entry.isSymbolicLink()) || !patterns.matches(name)) continue;
      if (name.includes('\ufffd')) {
        tell.unseen(name, 'its name is no UTF-8');
        continue;
      }
      if (entry.isSymbolicLink() && isPassedOver.has(name)) continue;
      try {
        // A link may lead anywhere, also where nobody answers: it is then this one that is named.
        if (entry.isSymbolicLink()) tell.at(name, 'file');
        const file = entry.isSymbolicLink() ? linkedFile(root, name) : lookAt(root, name);
        if (entry.isSymbolicLink()) here();
        if (file !== null) tell.file(file);
      } catch (error) {
        tell.unseen(name, causeOf(error));
      }
      tell.alive();
    }
  }
}

function listed(folder: string, tell: Tell): fs.Dirent[] {
  const entries: fs.Dirent[] = [];
  const open = fs.opendirSync(folder, { bufferSize: LISTED_AT_ONCE });
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
      entries.push(entry);
      tell.alive();
    }
  } finally {
    open.closeSync();
  }
  return entries;
}

/** `null`: it is not there any more, or is no file. */
export function lookAt(root: string, name: string): FoundFile | null {
  try {
    const stat = fs.statSync(path.join(root, name));
    if (!stat.isFile()) return null;
    const { size, mtimeMs, ctimeMs, ino } = stat;
    return { path: name, bytes: size, modified: mtimeMs, touched: Math.max(mtimeMs, ctimeMs), inode: ino };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** A link counts when it leads to a file within the folder: `null` where it leads out, or nowhere. */
function linkedFile(root: string, name: string): FoundFile | null {
  let target: string;
  try {
    target = fs.realpathSync.native(path.join(root, name));
  } catch {
    return null;
  }
  return target.startsWith(root.endsWith(path.sep) ? root : root + path.sep) ? lookAt(root, name) : null;
}

/** Since it was seen. */
export function isGone(error: unknown): boolean {
  return errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR';
}
