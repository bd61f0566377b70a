/** All files below a folder that patterns mean, with their sizes and times; what could not be looked at is named, not passed over. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { causeOf, errno } from '../../files/system-errors.ts';
import type { Patterns } from './patterns.ts';

export interface FoundFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** When the file, or what the system keeps of it, last changed. */
  readonly touched: number;
  readonly inode: number;
}

export interface Unseen {
  readonly name: string;
  readonly error: string;
}

export interface Walked {
  readonly files: readonly FoundFile[];
  readonly unseen: readonly Unseen[];
}

/** A file server that is gone lets everybody wait, for good. */
const MOST_PATIENCE_MS = 15_000;
const FOLDERS_AT_ONCE = 8;
const FILES_AT_ONCE = 32;

/** @throws Error when the folder itself, or one that a pattern names, is not there or does not answer */
export async function walk(cwd: string, patterns: Patterns, signal: AbortSignal): Promise<Walked> {
  const files: FoundFile[] = [];
  const unseen: Unseen[] = [];
  const root = await patient(fs.realpath(cwd), cwd).catch((error: unknown) => fail(cwd, error));
  const folders: string[] = [...patterns.bases];
  const first = new Set(folders);
  const one = async (folder: string): Promise<void> => {
    signal.throwIfAborted();
    const whole = path.join(root, folder);
    let entries;
    try {
      entries = await patient(fs.readdir(whole, { withFileTypes: true }), whole);
    } catch (error) {
      if (first.has(folder)) fail(path.join(cwd, folder), error);
      // Gone since it was seen.
      if (errno(error) !== 'ENOENT' && errno(error) !== 'ENOTDIR')
        unseen.push({ name: `${folder}/`, error: causeOf(error) });
      return;
    }
    const meant: { readonly name: string; readonly isLink: boolean }[] = [];
    for (const entry of entries) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (patterns.mayHold(name)) folders.push(name);
      } else if ((entry.isFile() || entry.isSymbolicLink()) && patterns.matches(name)) {
        if (name.includes('\ufffd')) unseen.push({ name, error: 'its name is no UTF-8' });
        else meant.push({ name, isLink: entry.isSymbolicLink() });
      }
    }
    await inParallel(meant, FILES_AT_ONCE, async ({ name, isLink }) => {
      signal.throwIfAborted();
      try {
        const file = isLink ? await linkedFile(root, name) : await lookAt(root, name);
        if (file !== null) files.push(file);
      } catch (error) {
        unseen.push({ name, error: causeOf(error) });
      }
    });
  };
  await inParallel(folders, FOLDERS_AT_ONCE, one);
  return { files, unseen };
}

/** `null`: it is not there any more, or is no file. */
export async function lookAt(root: string, name: string): Promise<FoundFile | null> {
  try {
    const stat = await fs.stat(path.join(root, name));
    if (!stat.isFile()) return null;
    const { size, mtimeMs, ctimeMs, ino } = stat;
    return { path: name, bytes: size, modified: mtimeMs, touched: Math.max(mtimeMs, ctimeMs), inode: ino };
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return null;
    throw error;
  }
}

/** A link counts when it leads to a file within the folder: `null` where it leads out, or nowhere. */
async function linkedFile(root: string, name: string): Promise<FoundFile | null> {
  const target = await fs.realpath(path.join(root, name)).catch(() => null);
  return target?.startsWith(root.endsWith(path.sep) ? root : root + path.sep) ? lookAt(root, name) : null;
}

/** Works through a list that may grow meanwhile. */
async function inParallel<T>(
  list: readonly T[],
  most: number,
  work: (each: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let busy = 0;
  await new Promise<void>((resolve, reject) => {
    const start = (): void => {
      while (busy < most && next < list.length) {
        busy += 1;
        const ended = (): void => {
          busy -= 1;
          start();
        };
        work(list[next++]!).then(ended, reject);
      }
      if (busy === 0) resolve();
    };
    start();
  });
}

async function patient<T>(asked: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const impatient = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} does not answer: is it on a file server that is gone?`)),
      MOST_PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([asked, impatient]);
  } finally {
    clearTimeout(timer);
  }
}

function fail(folder: string, error: unknown): never {
  throw new Error(`cannot look for files in ${folder}: ${causeOf(error)}`, { cause: error });
}
