/**
 * `node bench/size.mjs`: packs dynpart, installs it into an empty folder, and says what is there then: each library, and each part of dynpart
 * itself. Bytes of files, as `du --apparent-size` counts them. Wants the registry, or a full cache.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-size-'));

/** @param {string} place */
function bytesIn(place) {
  const stats = fs.statSync(place);
  if (!stats.isDirectory()) return stats.size;
  return fs
    .readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0);
}

/** @param {number} bytes */
const inMegabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/** @param {string} title @param {Map<string, number>} sizes */
function print(title, sizes) {
  const sum = [...sizes.values()].reduce((a, b) => a + b, 0);
  console.log(`${title}: ${inMegabytes(sum)}`);
  for (const [name, bytes] of [...sizes].toSorted(([, a], [, b]) => b - a))
    console.log(`  ${inMegabytes(bytes).padStart(8)}  ${name}`);
}

try {
  const pack = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const [{ filename, size }] = JSON.parse(execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...quiet, path.join(folder, filename)], { cwd: folder, stdio: 'ignore' });
  console.log(`the tarball: ${inMegabytes(size)}`);

  const modules = path.join(folder, 'node_modules');
  const packages = fs
    .readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? fs.readdirSync(path.join(modules, name)).map((each) => `${name}/${each}`)
        : [name],
    );
  print('installed', new Map(packages.map((name) => [name, bytesIn(path.join(modules, name))])));

  /** @type {Map<string, number>} */
  const parts = new Map();
  const own = path.join(modules, 'dynpart');
  /** @param {string} part @param {string} place */
  const add = (part, place) => parts.set(part, (parts.get(part) ?? 0) + bytesIn(place));
  for (const name of fs.readdirSync(own)) if (name !== 'dist') add(name, path.join(own, name));
  for (const name of fs.readdirSync(path.join(own, 'dist'))) {
    const part = /^(?:cli|evaluator|sources|testing)\b/.exec(name)?.[0] ?? name;
    if (name !== 'types') add(`dist/${part}`, path.join(own, 'dist', name));
  }
  const types = path.join(own, 'dist/types');
  for (const name of fs.readdirSync(types))
    add(name === 'sources' ? 'dist/types/sources' : 'dist/types', path.join(types, name));
  print('of dynpart itself', parts);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
