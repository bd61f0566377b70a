/**
 * The compiled files of one pipeline, kept together in the user's cache folder.
 *
 * A pack is used only when everything that decides what is imported is as it was: the versions, the files that would have
 * been found first, the packages. Otherwise it counts as if it were not there. The code of a file is used only while its
 * source is the same byte for byte: after an edit that file is compiled anew, and no other.
 */
import fs from 'node:fs';
import path from 'node:path';
import { causeOf } from '../files/durable-files.ts';
import { checksum } from './checksum.ts';

/** Where an import of a local file leads. */
export type Edge =
  | { readonly kind: 'own' | 'builtin'; readonly name: string }
  | { readonly kind: 'local' | 'native'; readonly file: string };

export interface PackedFile {
  readonly source: string;
  readonly code: string;
  /** By specifier, as far as they were followed. */
  readonly edges: Readonly<Record<string, Edge>>;
}

/** A file as it is now; without its code where the file was edited since the pack was made. */
export interface FreshFile extends Omit<PackedFile, 'code'> {
  readonly code: string | null;
}

export type FreshPack = ReadonlyMap<string, FreshFile>;

export interface ModulePack {
  /** What else decides how files are compiled and found. */
  readonly madeWith: string;
  readonly files: Readonly<Record<string, PackedFile>>;
  /** Where links led: another target is another file, also when the old one is still there. */
  readonly links: Readonly<Record<string, string>>;
  /** Files and folders that were not there and would have been taken first. */
  readonly absent: readonly string[];
  /** Further files that decide, such as package.json and tsconfig.json, with their content; `null`: not there. */
  readonly witnesses: Readonly<Record<string, string | null>>;
}

/** The pack in a file, if the pack is whole and its imports lead where they led. Of an edited source the pack has only the imports. */
export function readPack(file: string, madeWith: string): FreshPack | null {
  try {
    const pack = parsePack(readOwn(file));
    return pack !== null && pack.madeWith === madeWith && leadsWhereItLed(pack) ? freshFiles(pack) : null;
  } catch {
    // Whatever is in it: a cache cannot break a load.
    return null;
  }
}

/** The bytes of a file that nobody but this user can have written or put there: what is in a pack is executed. */
function readOwn(file: string): Buffer | null {
  // Where there is no pack, which is seldom, asking costs less than an error that is thrown away.
  const folder = fs.statSync(path.dirname(file), { throwIfNoEntry: false });
  if (folder === undefined || !isPrivate(folder) || !fs.existsSync(file)) return null;
  const fd = fs.openSync(file, 'r');
  try {
    return isPrivate(fs.fstatSync(fd)) ? fs.readFileSync(fd) : null;
  } finally {
    fs.closeSync(fd);
  }
}

/** Whether a file or folder is this user's, and nobody else may write to it. Where there are no users (Windows) nobody can tell. */
export function isPrivate({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0);
}

function parsePack(bytes: Buffer | null): ModulePack | null {
  if (bytes === null) return null;
  const end = bytes.indexOf('\n');
  const body = bytes.subarray(end + 1);
  // A damaged pack must not be run, however little is wrong with it.
  if (end === -1 || checksum(body) !== bytes.toString('utf8', 0, end)) return null;
  return JSON.parse(body.toString('utf8')) as ModulePack;
}

/** `null` when a file is gone: where its imports lead now is for the compiler to find out. */
function freshFiles({ files }: ModulePack): FreshPack | null {
  const fresh = new Map<string, FreshFile>();
  for (const [file, packed] of Object.entries(files)) {
    const source = readText(file);
    if (source === null) return null;
    fresh.set(file, source === packed.source ? packed : { source, code: null, edges: packed.edges });
  }
  return fresh;
}

function leadsWhereItLed({ absent, witnesses, links }: ModulePack): boolean {
  return (
    Object.entries(witnesses).every(([file, content]) => readText(file) === content) &&
    Object.entries(links).every(([file, target]) => realPath(file) === target) &&
    !absent.some((file) => fs.existsSync(file))
  );
}

/** Where a path leads in the end; `null` when it leads nowhere. */
export function realPath(file: string): string | null {
  try {
    return fs.realpathSync.native(file);
  } catch {
    return null;
  }
}

/** A file that is there and cannot be read. */
export class UnreadableFile extends Error {
  readonly file: string;

  constructor(file: string, cause: unknown) {
    super(`cannot read ${file}: ${causeOf(cause)}`, { cause });
    this.file = file;
  }
}

/** The text of a file that must be there. @throws UnreadableFile */
export function readSource(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new UnreadableFile(file, error);
  }
}

export function readText(file: string): string | null {
  try {
    // Most that are asked for are not there, and asking costs less than an error that is thrown away.
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}
