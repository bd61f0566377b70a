/**
 * `node bench/sources/histories.mjs [COUNT [SEED]]`: random histories of a table and of a paginated API, with ticks of `rows` and `http` between
 * the changes, against a model that is far simpler: what is there when all is quiet must be in the set, in its version, and must
 * have been added once.
 *
 * A table has transactions that commit late (up to nine minutes, with an overlap of ten), ties, edits, deletions, rows of the
 * future, and clocks that are set back by up to an hour, or forward. An API has entries that come and go while its pages are read, edits, and
 * pages that are refused. A history that fails is told by its seed.
 */
import { SetModel } from '../../test/support/set-model.mjs';

/** @typedef {{ id: number, at: Date, version: number, commits: number }} Row */
/** @typedef {{ id: number, version: number }} Entry */
/** @typedef {{ lost: number, twice: number, wrong: number }} Verdict */

/** @type {typeof import('../../src/sources/index.ts')} */
const { http, rows } = await import(new URL('../../dist/sources.js', import.meta.url).href);

const MINUTE = 60_000;
const [count = 10_000, first = 1] = process.argv.slice(2).map(Number);

/** Chance that can be had again (mulberry32). @param {number} seed */
function chanceFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each key was added in its present life. */
class Lives {
  /** @type {Map<string, number>} */
  added = new Map();

  /** @param {{ added: string[], removed: string[] }} tick */
  see({ added, removed }) {
    for (const key of added) this.added.set(key, (this.added.get(key) ?? 0) + 1);
    for (const key of removed) this.added.delete(key);
  }

  get twice() {
    return [...this.added.values()].filter((times) => times > 1).length;
  }
}

/** @param {SetModel} set @param {readonly { id: number, version: number }[]} there @param {Lives} lives @returns {Verdict} */
function verdict(set, there, lives) {
  const lost = there.filter(({ id }) => !set.keys.has(String(id))).length;
  const wrong = there.filter(
    ({ id, version }) => set.keys.has(String(id)) && set.keys.get(String(id))?.version !== String(version),
  ).length;
  return { lost, twice: lives.twice, wrong };
}

// ── A table ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const realNow = Date.now;

/** @param {number} seed */
async function tableHistory(seed) {
  const chance = chanceFrom(seed);
  const upTo = (/** @type {number} */ most) => Math.floor(chance() * most);
  const reconciles = chance() < 0.5;
  let passed = 0;
  let clock = Date.UTC(2025, 0, 1, 12);
  Date.now = () => clock;
  /** Also what is not committed yet. @type {Map<number, Row>} */
  const table = new Map();
  let ids = 0;
  const set = new SetModel();
  const lives = new Lives();
  const evaluate = rows(/** @type {any} */ (set), {
    // As a database that has nothing finer than seconds: ties are the rule.
    query: (/** @type {Date | null} */ after) =>
      [...table.values()].filter(({ at, commits }) => commits <= passed && (after === null || at > after)),
    key: 'id',
    cursor: 'at',
    version: 'version',
    ...(reconciles ? { reconcile: '1h' } : {}),
  });
  const tick = async () => lives.see(await set.tick(evaluate));
  const stamp = () => new Date(Math.floor(clock / 1000) * 1000);
  const pass = (/** @type {number} */ ms) => {
    passed += ms;
    clock += ms;
  };
  for (let step = 0; step < 60; step++) {
    const what = chance();
    const committed = [...table.values()].filter(({ commits }) => commits <= passed);
    const some = committed[upTo(committed.length)];
    if (what < 0.35) {
      const commits = passed + (chance() < 0.3 ? upTo(9 * MINUTE) : 0);
      const isOdd = chance() < 0.03;
      table.set(++ids, {
        id: ids,
        at: isOdd ? new Date(Date.UTC(2099, 0, 1)) : stamp(),
        version: 1,
        commits,
      });
    } else if (what < 0.45 && some !== undefined) {
      table.set(some.id, { ...some, at: stamp(), version: some.version + 1 });
    } else if (what < 0.5 && some !== undefined && reconciles && committed.length > 1) {
      table.delete(some.id);
    } else if (what < 0.53) {
      // Forward no further than the overlap covers, unless all rows are read once in a while.
      clock += chance() < 0.5 ? -upTo(60 * MINUTE) : upTo(reconciles ? 60 * MINUTE : MINUTE / 2);
    } else if (what < 0.8) {
      pass(upTo(2 * MINUTE));
    } else {
      await tick();
    }
    // Cron comes each minute or two, whatever else happens.
    if (step % 3 === 2) await tick();
  }
  pass(10 * MINUTE);
  await tick();
  if (reconciles) {
    pass(61 * MINUTE);
    await tick();
  }
  await tick();
  const there = [...table.values()];
  const surplus = reconciles ? set.keys.size - there.length : 0;
  const found = verdict(set, there, lives);
  Date.now = realNow;
  return { ...found, wrong: found.wrong + Math.max(0, surplus) };
}

// ── A paginated API ──────────────────────────────────────────────────────────────────────────────────────────────────

const realFetch = globalThis.fetch;

/** @param {number} seed */
async function apiHistory(seed) {
  const chance = chanceFrom(seed);
  const upTo = (/** @type {number} */ most) => Math.floor(chance() * most);
  /** @type {Entry[]} */
  let entries = [];
  let ids = 0;
  let isQuiet = false;
  const [isNewestFirst, refuses, isMoving] = [chance() < 0.5, chance() < 0.7, chance() < 0.7];
  const size = 1 + upTo(5);
  const change = () => {
    const what = chance();
    const at = upTo(entries.length);
    if (what < 0.5 || entries.length === 0) {
      const entry = { id: ++ids, version: 1 };
      entries = isNewestFirst ? [entry, ...entries] : [...entries, entry];
    } else if (what < 0.75) {
      entries = entries.filter((_, where) => where !== at);
    } else {
      entries = entries.map((entry, where) =>
        where === at ? { ...entry, version: entry.version + 1 } : entry,
      );
    }
  };
  globalThis.fetch = async (given) => {
    const url = new URL(given instanceof Request ? given.url : given);
    if (!isQuiet && refuses && chance() < 0.15)
      return new Response('', { status: /** @type {number} */ ([500, 503, 429, 404, 403][upTo(5)]) });
    const from = Number(url.searchParams.get('at') ?? 0);
    const page = entries.slice(from, from + size);
    const headers = from + size < entries.length ? { link: `<?at=${from + size}>; rel="next"` } : undefined;
    const body = JSON.stringify({ page, next: from + size < entries.length ? from + size : null });
    if (!isQuiet && isMoving && chance() < 0.4) change();
    return new Response(body, headers === undefined ? {} : { headers });
  };
  const set = new SetModel();
  const lives = new Lives();
  const ways = /** @type {const} */ (['link', { token: 'next', param: 'at' }, { offset: 'at' }]);
  const evaluate = http(/** @type {any} */ (set), {
    url: 'http://api.invalid/things?key=secret',
    next: /** @type {import('../../src/sources/http.ts').NextPage} */ (ways[upTo(3)]),
    items: (/** @type {{ page: Entry[] }} */ { page }) => page,
    key: (/** @type {Entry} */ { id }) => id,
    version: (/** @type {Entry} */ { version }) => version,
    retry: { maxRetries: upTo(2), delayMs: 0 },
  });
  const tick = async () => {
    try {
      lives.see(await set.tick(evaluate));
    } catch (error) {
      if (!(/** @type {Error} */ (error).message.startsWith('cannot read '))) throw error;
    }
  };
  for (let step = 0; step < 30; step++) {
    if (chance() < 0.7) change();
    else await tick();
  }
  isQuiet = true;
  await tick();
  await tick();
  globalThis.fetch = realFetch;
  return verdict(set, entries, lives);
}

for (const [name, history] of Object.entries({ rows: tableHistory, http: apiHistory })) {
  const sum = { lost: 0, twice: 0, wrong: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const { lost, twice, wrong } = await history(seed);
    sum.lost += lost;
    sum.twice += twice;
    sum.wrong += wrong;
    if (lost + twice + wrong > 0) {
      console.log(
        `  ${name}, seed ${seed}: ${lost} lost, ${twice} made twice, ${wrong} in another version or too many`,
      );
      process.exitCode = 1;
    }
  }
  console.log(
    `${name}: ${count} histories: ${sum.lost} lost, ${sum.twice} made twice, ${sum.wrong} in another version or too many`,
  );
}
