/** One random history of a paginated API, with ticks of `http` between the changes. */
import { SetModel } from '../../test/support/set-model.mjs';
import { chanceFrom, Lives, verdict } from './chance.mjs';

/** @typedef {{ id: number, version: number }} Entry */

/** @type {typeof import('../../src/sources/index.ts')} */
const { http } = await import(new URL('../../dist/sources.js', import.meta.url).href);

const realFetch = globalThis.fetch;

/**
 * An API with entries that come and go while its pages are read, edits, and pages that are refused.
 * @param {number} seed
 */
export async function apiHistory(seed) {
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
    next: /** @type {import('../../src/sources/http/http-options.ts').NextPage} */ (ways[upTo(3)]),
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
