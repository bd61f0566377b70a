/** Writes files slowly, in many pieces: `node writer.mjs FOLDER NAME COUNT`. Each ends with a line that says how long it is. */
import fs from 'node:fs/promises';
import path from 'node:path';

const [folder = '.', name = 'w', count = '1'] = process.argv.slice(2);
const ways = /** @type {const} */ (['in pieces', 'in pieces', 'renamed', 'with an old time']);
let next = 0;

async function write() {
  const at = next++;
  const way = ways[at % ways.length];
  const file = path.join(folder, `${name}-${at}.csv`);
  const place = way === 'renamed' ? `${file}.part` : file;
  const opened = await fs.open(place, 'w');
  const pieces = 3 + (at % 5);
  for (let piece = 0; piece < pieces; piece++) {
    await opened.write(`${'x'.repeat(1 + ((at * 37) % 500))}\n`);
    // Long pauses, but shorter than the time to settle.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
  }
  await opened.write(`end of ${pieces} pieces\n`);
  await opened.close();
  if (way === 'with an old time') await fs.utimes(place, 1_700_000_000, 1_700_000_000);
  if (place !== file) await fs.rename(place, file);
}

// Twelve at once.
await Promise.all(
  Array.from({ length: 12 }, async () => {
    while (next < Number(count)) await write();
  }),
);
