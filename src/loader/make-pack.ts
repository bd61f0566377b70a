/** Makes the pack of a pipeline whose code was compiled, or found, just now. Loaded when there is something to keep. */
import fs from 'node:fs';
import path from 'node:path';
import { checksum } from './checksum.ts';
import { tsconfigsAbove } from './compiler.ts';
import { isPrivate, type ModulePack, readText, realPath } from './module-pack.ts';
import type { ModuleRunner } from './module-runner.ts';

/** A pack of what was run; `null` when it could not be told later whether it is still good. */
export function packOf(runner: ModuleRunner, file: string, madeWith: string): ModulePack | null {
  const tsconfigs = tsconfigsAbove(file);
  const absent = new Set<string>();
  const links: Record<string, string> = {};
  const witnesses: Record<string, string | null> = { ...tsconfigs };
  const inheritsAliases = Object.values(tsconfigs).some((text) => text?.includes('"extends"'));
  for (const [importer, { edges }] of runner.files) {
    for (const [specifier, edge] of Object.entries(edges)) {
      if (edge.kind !== 'local' && edge.kind !== 'native') continue;
      // Files that are not compiled are not compared: they must be there, and be the same ones.
      const real = edge.kind === 'native' ? realPath(edge.file) : null;
      if (real !== null) links[edge.file] = real;
      if (/^(\.{1,2}\/|\/|file:)/.test(specifier)) {
        for (const candidate of candidatesBefore(edge.file, specifier, importer)) {
          const target = realPath(candidate);
          if (target === null) absent.add(candidate);
          else if (target === edge.file && candidate !== target) links[candidate] = target;
        }
      } else if (edge.kind === 'local' || inheritsAliases || specifier.startsWith('#')) {
        // A path alias, or what could become one: what else it could have meant is only known to the compiler.
        return null;
      } else if (!witnessPackage(specifier, importer, { absent, links, witnesses })) return null;
    }
  }
  return { madeWith, files: Object.fromEntries(runner.files), absent: [...absent], links, witnesses };
}

interface Evidence {
  readonly absent: Set<string>;
  readonly links: Record<string, string>;
  readonly witnesses: Record<string, string | null>;
}

/** An import means another package when the package was installed anew or linked elsewhere, or when a nearer one appears. */
function witnessPackage(
  specifier: string,
  importer: string,
  { absent, links, witnesses }: Evidence,
): boolean {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  for (let folder = path.dirname(importer); ; folder = path.dirname(folder)) {
    const place = path.join(folder, 'node_modules', name);
    const real = realPath(place);
    if (real !== null) {
      links[place] = real;
      const manifest = path.join(place, 'package.json');
      witnesses[manifest] = readText(manifest);
      return true;
    }
    absent.add(place);
    // Its own name, or something else that no folder of packages answers.
    if (folder === path.dirname(folder)) return false;
  }
}

/** The endings that an import without one is tried with. */
const ENDINGS = ['.js', '.mjs', '.cjs', '.ts', '.tsx', '.mts', '.cts', '.mtsx', '.ctsx', '.json'];

/**
 * What an import of a relative or absolute path may mean besides the file that it led to. One that says its file's whole
 * name means that file first; and in a folder that is not there, nothing is.
 */
function candidatesBefore(file: string, specifier: string, importer: string): string[] {
  const base = path.resolve(path.dirname(importer), specifier.replace(/^file:\/\//, ''));
  const target = realPath(base);
  if (target === file) return [base];
  const inside = target === null ? [] : ENDINGS.map((ending) => path.join(base, `index${ending}`));
  return [base, ...ENDINGS.map((ending) => `${base}${ending}`), ...inside];
}

/** Keeps a pack. Whole or not at all; without permission or room there is none next time. */
export function writePack(file: string, pack: ModulePack, makeFolder: (folder: string) => void): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    makeFolder(path.dirname(file));
    if (!isPrivate(fs.statSync(path.dirname(file)))) return;
    const body = Buffer.from(JSON.stringify(pack));
    // A name that is taken, be it by a link, is not written through; and nobody else is to change what will be executed.
    const head = Buffer.from(`${checksum(body)}\n`);
    fs.writeFileSync(temporary, Buffer.concat([head, body]), { flag: 'wx', mode: 0o600 });
    fs.renameSync(temporary, file);
    tidy(path.dirname(file));
  } catch {
    removeQuietly(temporary);
  }
}

/** Of so many pipelines; one more is compiled again when its turn comes. */
const MOST_PACKS = 500;

/** A pack that was not made anew for so long is of a pipeline that has gone or moved, or is made once more. */
const KEPT_MS = 90 * 24 * 60 * 60_000;

/** Removes packs of pipelines that are gone, and what processes were killed over. Only where a pack was written anyway. */
function tidy(folder: string): void {
  const oldest = Date.now() - KEPT_MS;
  const packs = fs
    .readdirSync(folder)
    .filter((name) => /\.pack(\.\d+\.tmp)?$/.test(name))
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, at: fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((a, b) => b.at - a.at);
  for (const [at, pack] of packs.entries())
    if (at >= MOST_PACKS || pack.at < oldest) removeQuietly(pack.file);
}

function removeQuietly(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // It was never made.
  }
}
