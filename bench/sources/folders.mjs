/**
 * `node bench/sources/folders.mjs`: `files` beside eight processes that write 10,000 files slowly, in pieces, some of them under
 * another name first and some with an old time. Counted: files that a tick offers before they are whole, and files that no tick
 * offers. Then 100,000 files: what a tick takes that finds all of them, and one that finds nothing new.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SetModel } from '../../test/support/set-model.mjs';

/** @type {typeof import('../../src/sources/index.ts')} */
const { files } = await import(new URL('../../dist/sources.js', import.meta.url).href);

const WRITERS = 8;
const EACH = Number(process.argv[2] ?? 10_000) / WRITERS;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-folders-'));
try {
  await writtenSlowly(path.join(folder, 'slowly'));
  await many(path.join(folder, 'many'));
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

/** @param {string} cwd */
async function writtenSlowly(cwd) {
  fs.mkdirSync(cwd);
  let writing = WRITERS;
  for (let at = 0; at < WRITERS; at++)
    spawn(process.execPath, [path.join(import.meta.dirname, 'writer.mjs'), cwd, `w${at}`, String(EACH)], {
      stdio: 'inherit',
    }).on('exit', () => (writing -= 1));
  const set = new SetModel();
  const evaluate = files(/** @type {any} */ (set), '*.csv', { cwd, settle: '1s' });
  const counts = { ticks: 0, half: 0, updated: 0 };
  for (let idle = 0; idle < 4;) {
    const wasWriting = writing > 0;
    const { added, updated } = await set.tick(evaluate);
    counts.ticks += 1;
    counts.updated += updated.length;
    for (const key of added)
      if (!/^end of \d+ pieces$/m.test(fs.readFileSync(path.join(cwd, key), 'utf8'))) counts.half += 1;
    if (!wasWriting && added.length === 0) idle += 1;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const missed = fs.readdirSync(cwd).filter((name) => !set.keys.has(name)).length;
  console.log(
    `${set.keys.size} files of ${WRITERS} writers in ${counts.ticks} ticks: ${counts.half} half files seen, ${missed} missed, ${counts.updated} seen twice`,
  );
  if (counts.half + missed + counts.updated > 0 || set.keys.size !== EACH * WRITERS) process.exitCode = 1;
}

/** @param {string} cwd */
async function many(cwd) {
  for (let at = 0; at < 100; at++) {
    const inner = path.join(cwd, String(at));
    fs.mkdirSync(inner, { recursive: true });
    for (let file = 0; file < 1000; file++) fs.writeFileSync(path.join(inner, `${file}.csv`), '');
  }
  const set = new SetModel();
  const evaluate = files(/** @type {any} */ (set), '*/*.csv', { cwd, settle: '0s' });
  for (const what of ['finds all of them', 'finds nothing new']) {
    const started = performance.now();
    await set.tick(evaluate);
    console.log(
      `a tick that ${what}: ${((performance.now() - started) / 1000).toFixed(1)} s, ${set.keys.size} files`,
    );
  }
}
