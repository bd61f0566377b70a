/** One random history of a table, with ticks of `rows` between the changes. */
import { SetModel } from '../../test/support/set-model.mjs';
import { chanceFrom, Lives, verdict } from './chance.mjs';

/** @import { Verdict } from './chance.mjs' */
/** @typedef {{ id: number, at: Date, version: number, commits: number }} Row */
/** What can be read of the table at one time. @typedef {Row[]} Poll */

/** @type {typeof import('../../src/sources/index.ts')} */
const { rows } = await import(new URL('../../dist/sources.js', import.meta.url).href);

const MINUTE = 60_000;
const realNow = Date.now;

/**
 * A table with transactions that commit late (up to nine minutes, with an overlap of ten), ties, edits, deletions, rows of the future, and
 * clocks that are set back by up to an hour, or forward.
 * @param {number} seed
 * @param {{ isCalm?: boolean }} options calm: clocks go right, no row is of the future, none is deleted
 * @returns {Promise<Verdict & { reconciles: boolean, polls: Poll[], there: Row[] }>}
 */
export async function tableHistory(seed, { isCalm = false } = {}) {
  const chance = chanceFrom(seed);
  const upTo = (/** @type {number} */ most) => Math.floor(chance() * most);
  const reconciles = chance() < 0.5 && !isCalm;
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
  /** @type {Poll[]} */
  const polls = [];
  const tick = async () => {
    polls.push([...table.values()].filter(({ commits }) => commits <= passed));
    lives.see(await set.tick(evaluate));
  };
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
      const isOdd = chance() < 0.03 && !isCalm;
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
      if (!isCalm) clock += chance() < 0.5 ? -upTo(60 * MINUTE) : upTo(reconciles ? 60 * MINUTE : MINUTE / 2);
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
  return { ...found, wrong: found.wrong + Math.max(0, surplus), reconciles, polls, there };
}
