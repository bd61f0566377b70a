/**
 * The compiled files of one pipeline, kept together in the user's cache folder.
 *
 * A pack is used only when everything that it was made from is as it was: the versions, every source byte for byte, the
 * files that would have been found first, the packages. Otherwise it counts as if it were not there.
 */
import fs from 'node:fs';
import path from 'node:path';
import { checksum } from './checksum.ts';

/** Where an import of a local file leads. */
export type Edge =
  | { readonly kind: 'dynpart' }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'local' | 'native'; readonly file: string };

export interface PackedFile {
  readonly source: string;
  readonly code: string;
  /** By specifier, as far as they were followed. */
  readonly edges: Readonly<Record<string, Edge>>;
}

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

/** The pack in a file, if it is whole and nothing has changed. */
export function readPack(file: string, madeWith: string): ModulePack | null {
  try {
    const pack = parsePack(readOwn(file));
    return pack !== null && pack.madeWith === madeWith && isFresh(pack) ? pack : null;
  } catch {
    // Whatever is in it: a cache cannot break a load.
    return null;
  }
}

/** Keeps a pack. Whole or not at all; without permission or room there is none next time. */
export function writePack(file: string, pack: ModulePack): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const body = JSON.stringify(pack);
    // A name that is taken, be it by a link, is not written through; and nobody else is to change what will be executed.
    fs.writeFileSync(temporary, `${checksum(body)}\n${body}`, { flag: 'wx', mode: 0o600 });
    fs.renameSync(temporary, file);
  } catch {
    removeQuietly(temporary);
  }
}

/** The text of a file that nobody but this user can have written: what is in a pack is executed. */
function readOwn(file: string): string | null {
  const fd = fs.openSync(file, 'r');
  try {
    return isPrivate(fs.fstatSync(fd)) ? fs.readFileSync(fd, 'utf8') : null;
  } finally {
    fs.closeSync(fd);
  }
}

/** Whether it is this user's, and no one else may write to it. Where there are no users (Windows) nobody can tell. */
export function isPrivate({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0);
}

function parsePack(text: string | null): ModulePack | null {
  if (text === null) return null;
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  // A damaged pack must not be run, however little is wrong with it.
  if (end === -1 || checksum(body) !== text.slice(0, end)) return null;
  return JSON.parse(body) as ModulePack;
}

function isFresh({ files, absent, witnesses, links }: ModulePack): boolean {
  return (
    Object.entries(files).every(([file, { source }]) => readText(file) === source) &&
    Object.entries(witnesses).every(([file, content]) => readText(file) === content) &&
    Object.entries(links).every(([file, target]) => realPath(file) === target) &&
    !absent.some((file) => fs.existsSync(file))
  );
}

/** The endings that an import without one is tried with. */
const ENDINGS = ['.js', '.mjs', '.cjs', '.ts', '.tsx', '.mts', '.cts', '.mtsx', '.ctsx', '.json'];

/** All that an import of a relative or absolute path may mean. */
export function candidatesOf(specifier: string, importer: string): string[] {
  const base = path.resolve(path.dirname(importer), specifier.replace(/^file:\/\//, ''));
  return [base, ...ENDINGS.flatMap((ending) => [`${base}${ending}`, path.join(base, `index${ending}`)])];
}

/** Where a path leads in the end; `null` when it leads nowhere. */
export function realPath(file: string): string | null {
  try {
    return fs.realpathSync(file);
  } catch {
    return null;
  }
}

function removeQuietly(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // It was never made.
  }
}

export function readText(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
