/**
 * Puts a file where a user asked for it: whole or not at all, and never in the place of a file that dynpart did not make.
 *
 * Every command that writes a file for the user goes through this, so that none of them can replace a state, a value or
 * anything else that took longer to make.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import { io, removeQuietly, syncFolder, writeAll, writeDurably } from './durable-files.ts';

export interface WholeFile {
  readonly content: string;
  /** Whether a file that begins so was made by the same command: only such a file is replaced. */
  readonly isOwn: (head: string) => boolean;
  /** Why a file must stay, whatever it holds; `null` when nothing but its content counts. */
  readonly whyKept?: (target: string) => string | null;
}

/** `isOwn` is given so many bytes of what is there. */
const HEAD_BYTES = 4096;

/**
 * Writes to a path: through links, and into pipes and devices as it comes. A file is replaced only when it is empty or
 * the command's own; it keeps its permissions.
 * @returns the path behind all links
 * @throws FailureError `file-in-the-way` for any other file and for folders; `state-io` when the system refuses
 */
export function writeWhole(asked: string, { content, isOwn, whyKept }: WholeFile): string {
  const target = io('write', asked, () => behindLinks(asked));
  const there = io('write', target, () => fs.statSync(target, { throwIfNoEntry: false }));
  const refuse = (why: string): never => fail({ reason: 'file-in-the-way', file: asked, why });
  if (there?.isDirectory()) return refuse('it is a folder');
  const kept = whyKept?.(target) ?? null;
  if (kept !== null) return refuse(kept);
  if (there !== undefined && !there.isFile()) {
    io('write', target, () => writeInto(target, content));
    return target;
  }
  if (there !== undefined && there.size > 0 && !isOwn(io('read', target, () => headOf(target))))
    return refuse('it was not made by this command');
  io('write', target, () => replace(target, content, there));
  return target;
}

/** Under a name of its own first, so that nobody ever reads half of it. */
function replace(target: string, content: string, there: fs.Stats | undefined): void {
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    writeDurably(temporary, content, there);
    fs.renameSync(temporary, target);
    syncFolder(path.dirname(target));
  } finally {
    removeQuietly(temporary);
  }
}

function writeInto(target: string, content: string): void {
  const fd = fs.openSync(target, 'w');
  try {
    writeAll(fd, content);
  } finally {
    fs.closeSync(fd);
  }
}

function headOf(file: string): string {
  const fd = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(HEAD_BYTES);
    return bytes.toString('utf8', 0, fs.readSync(fd, bytes));
  } finally {
    fs.closeSync(fd);
  }
}

/** Where a path leads: a rename over a link would replace the link (`/dev/stdout` is one), also one that leads nowhere. */
function behindLinks(file: string): string {
  const there = fs.statSync(file, { throwIfNoEntry: false });
  if (there !== undefined) return there.isFile() || there.isDirectory() ? fs.realpathSync(file) : file;
  const link = fs.lstatSync(file, { throwIfNoEntry: false });
  if (link?.isSymbolicLink()) return behindLinks(path.resolve(path.dirname(file), fs.readlinkSync(file)));
  return path.join(realPath(path.dirname(file)), path.basename(file));
}

function realPath(folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch {
    // It is not there: writing says so.
    return folder;
  }
}
