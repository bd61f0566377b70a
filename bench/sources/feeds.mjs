/**
 * `node bench/sources/feeds.mjs`: `feed` on the test corpus of feedparser (Python), which nobody here wrote, and which is fetched
 * with pip, kept in the cache folder and never in this repository (its licence, BSD 2-clause, lies beside it).
 *
 * Measured: the right number of items and the right ids, by what feedparser itself reads; then six changes of each feed, each
 * with a new item, and ticks between them: what is lost, and what is made twice.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { SetModel } from '../../test/support/set-model.mjs';

/**
 * @typedef {{ id: string | null, link: string | null, title: string | null, rest: unknown[] }} Entry
 * @typedef {{ file: string, type: string, error: string | null, entries: Entry[] }} Measure
 */

const VERSION = '6.0.11';
const here = import.meta.dirname;
const cache = path.join(
  process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'),
  'dynpart-bench',
  `feedparser-${VERSION}`,
);

/** The folder of the corpus, fetched on first use. */
function corpus() {
  const tests = path.join(cache, `feedparser-${VERSION}`, 'tests');
  if (!fs.existsSync(tests)) {
    fs.mkdirSync(cache, { recursive: true });
    const pip = (/** @type {string[]} */ ...args) =>
      execFileSync('pip', args, { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] });
    pip('install', '--quiet', '--root-user-action=ignore', '--target', 'installed', `feedparser==${VERSION}`);
    pip('download', '--quiet', '--no-binary', ':all:', '--no-deps', `feedparser==${VERSION}`);
    execFileSync('tar', ['xf', `feedparser-${VERSION}.tar.gz`], { cwd: cache });
  }
  return tests;
}

/** What feedparser reads in it. @returns {Measure[]} */
function measured() {
  const env = { ...process.env, PYTHONPATH: path.join(cache, 'installed'), PYTHONDONTWRITEBYTECODE: '1' };
  const said = execFileSync('python3', [path.join(here, 'feeds.py'), corpus()], {
    env,
    maxBuffer: 1e9,
    encoding: 'utf8',
  });
  return JSON.parse(said);
}

/** @type {typeof import('../../src/sources/index.ts')} */
const { feed } = await import(new URL('../../dist/sources.js', import.meta.url).href);

/** What the server answers. @type {{ body: Buffer, type: string }} */
let served = { body: Buffer.alloc(0), type: '' };
const server = http.createServer((_, response) => {
  response.setHeader('content-type', served.type).end(served.body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
const url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/feed`;

const measures = measured();
const counts = { files: 0, refused: 0, crashed: 0, slowestMs: 0 };
const items = { files: 0, right: 0 };
const ids = { all: 0, right: 0 };
const changes = { feeds: 0, ticks: 0, lost: 0, twice: 0, unnoticed: 0 };
/** @type {string[]} */
const odd = [];

for (const { file, type, entries } of measures) {
  const name = path.relative(corpus(), file);
  served = { body: fs.readFileSync(file), type };
  const set = new SetModel();
  const started = performance.now();
  let refusal = '';
  try {
    await set.tick(feed(/** @type {any} */ (set), url));
  } catch (error) {
    refusal = /** @type {Error} */ (error).message;
    if (refusal.startsWith('cannot read the feed')) counts.refused += 1;
    else counts.crashed += 1;
    if (entries.length > 0) odd.push(`${name}: ${refusal}`);
  }
  counts.files += 1;
  counts.slowestMs = Math.max(counts.slowestMs, performance.now() - started);
  if (entries.length === 0 || !entries.every(({ id, link, title }) => id || link || title)) continue;
  items.files += 1;
  const distinct = new Set(entries.map((entry) => entry.id ?? entry.link ?? JSON.stringify(entry)));
  if (set.keys.size === distinct.size) items.right += 1;
  else odd.push(`${name}: ${set.keys.size} items instead of ${distinct.size} ${refusal}`);
  for (const id of new Set(entries.flatMap((entry) => entry.id ?? []))) {
    ids.all += 1;
    if (set.keys.has(id)) ids.right += 1;
    else odd.push(`${name}: id ${id}, read as ${[...set.keys.keys()].join(', ')}`);
  }
  await change(name);
}
server.close();

// ── Six changes ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {string} name */
async function change(name) {
  const text = served.body.toString('utf8');
  if (!Buffer.from(text).equals(served.body) || /encoding=['"](?!utf-?8)/i.test(text.slice(0, 200))) return;
  const parts = itemsOf(text);
  if (parts.length === 0) return;
  const whole = (/** @type {readonly string[]} */ items) => {
    const [head, tail] = [
      text.slice(0, text.indexOf(/** @type {string} */ (parts[0]))),
      afterLast(text, parts),
    ];
    return head + items.join('\n') + tail;
  };
  const [first = ''] = parts;
  const fresh = asNew(first);
  const six = {
    reordered: { body: whole([...parts].reverse()) },
    'with other dates': { body: whole(parts.map(redated)) },
    're-encoded': { body: whole(parts), encode: true },
    'with an edited title': {
      body: whole([edited(first), ...parts.slice(1)]),
      updated: edited(first) === first ? 0 : 1,
    },
    'with an item twice': { body: whole([...parts, first]) },
    'without the oldest': { body: whole(parts.slice(0, -1)) },
  };
  changes.feeds += 1;
  for (const [what, { body, ...rest }] of Object.entries(six)) {
    const set = new SetModel();
    const evaluate = feed(/** @type {any} */ (set), url);
    const serve = (/** @type {string} */ body, encode = false) => {
      served = encode
        ? {
            body: Buffer.from(
              `\ufeff${body.replace(/encoding=(['"])[\w-]+/, 'encoding=$1utf-16')}`,
              'utf16le',
            ),
            type: 'application/xml',
          }
        : { body: Buffer.from(body), type: 'application/xml; charset=utf-8' };
    };
    serve(whole(parts));
    await set.tick(evaluate);
    serve(body, 'encode' in rest);
    const second = await set.tick(evaluate);
    changes.twice += second.added.length;
    if (second.added.length > 0) odd.push(`${name} ${what}: ${second.added.join(', ')} made twice`);
    const expected = 'updated' in rest ? rest.updated : 0;
    if (expected > second.updated.length) changes.unnoticed += 1;
    if (fresh !== null) {
      serve(
        body.replace(first === '' ? text : (itemsOf(body)[0] ?? '\0'), (found) => `${fresh}\n${found}`),
        'encode' in rest,
      );
      const isThere = itemsOf(body).length > 0;
      const third = await set.tick(evaluate);
      if (isThere && third.added.length < 1) changes.lost += 1;
      if (isThere && third.added.length < 1) odd.push(`${name} ${what}: the new item is lost`);
      if (third.added.length > 1) changes.twice += third.added.length - 1;
    }
    // And back as it was: what was there before is known.
    serve(whole(parts));
    const last = await set.tick(evaluate);
    changes.twice += last.added.length;
    if (last.added.length > 0) odd.push(`${name} ${what}, and back: ${last.added.join(', ')} made twice`);
    changes.ticks += 4;
  }
}

/** @param {string} text */
function itemsOf(text) {
  return [...text.matchAll(/<((?:\w+:)?(?:item|entry|ITEM))\b(?:[^>]*\/>|[^]*?<\/\1\s*>)/g)].map(
    ([whole]) => whole,
  );
}

/** @param {string} text @param {readonly string[]} parts */
function afterLast(text, parts) {
  const last = parts.at(-1) ?? '';
  return text.slice(text.lastIndexOf(last) + last.length);
}

/** Of another identity and title; `null` when that cannot be said of it. @param {string} item */
function asNew(item) {
  const changed = item
    .replace(/(<(?:\w+:)?(?:guid|id|link|title|description|summary)\b(?:[^>]*[^>/])?>)(?!\s*<\/)/g, '$1x-')
    .replace(/((?:href|about|url)\s*=\s*['"])(?=[^'"])/g, '$1x-');
  return changed === item ? null : changed;
}

/** @param {string} item */
function redated(item) {
  return item.replace(
    /(<(?:\w+:)?(?:pubDate|date|published|updated|issued|created|modified)\b[^>]*>)([^<]+)/g,
    (_, tag, date) =>
      tag + (/^\s*\d{4}-/.test(date) ? '2025-02-03T04:05:06Z' : 'Mon, 03 Feb 2025 04:05:06 GMT'),
  );
}

/** Only where something else than the title says what it is. @param {string} item */
function edited(item) {
  if (!/<(?:\w+:)?(?:guid|id)\b[^>]*>\s*[^<\s]/.test(item)) return item;
  return item.replace(/(<(?:\w+:)?title\b[^>]*>)[^<]+(?=<)/, '$1Edited');
}

const share = (/** @type {number} */ right, /** @type {number} */ all) =>
  `${right} of ${all} (${((100 * right) / all).toFixed(1)} %)`;
console.log(
  `${counts.files} XML files: ${counts.refused} refused in words, ${counts.crashed} crashed, the slowest ${Math.round(counts.slowestMs)} ms`,
);
console.log(
  `right number of items: ${share(items.right, items.files)} files whose items all have an id, link or title`,
);
console.log(`right ids: ${share(ids.right, ids.all)}`);
console.log(
  `six changes of ${changes.feeds} feeds, ${changes.ticks} ticks: ${changes.lost} lost, ${changes.twice} made twice, ${changes.unnoticed} edits not noticed`,
);
for (const line of odd) console.log(`  ${line}`);
if (counts.crashed + changes.lost + changes.twice > 0) process.exitCode = 1;
