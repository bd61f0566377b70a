/**
 * One benchmark in a process of its own, started by run.mjs. What a benchmark reads would make that process large, and
 * a large process starts others slower (1.5 ms more at 400 MB, a tenth of `node -e 0`): on both sides, which hides a difference.
 */
import fs from 'node:fs';
import { removeFolders, use } from './harness.mjs';

const [, , name = '', options = '', file = ''] = process.argv;
/** @type {import('./harness.mjs').Options} */
const parsed = JSON.parse(options);
use(parsed);
try {
  const { measure, title } = await import(`./${name}.mjs`);
  fs.writeFileSync(file, JSON.stringify({ name, title, rows: await measure(parsed) }));
} finally {
  removeFolders();
}
