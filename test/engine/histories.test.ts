/**
 * Whatever order things happen in: random histories of several processes that tick, materialize, cancel, die and start
 * again, with the real planners and sessions over both stores, against a model far simpler than the code.
 *
 * `DYNPART_RUNS=5000 npx vitest run test/engine/histories.test.ts` tries so many histories; what it tried is printed. The
 * report of a failure gives a seed and a path: `DYNPART_SEED` and `DYNPART_PATH` try that one again.
 */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { HistoryTally, live } from '../support/history-life.ts';
import { SharedFile, SharedMemory } from '../support/history-stores.ts';
import { anyHistory } from '../support/history-steps.ts';

const IN_NPM_TEST = 200;
const { DYNPART_RUNS, DYNPART_PATH } = process.env;
const RUNS = DYNPART_PATH === undefined ? Number(DYNPART_RUNS ?? IN_NPM_TEST) : 1;
/** One that failed. */
const AGAIN = DYNPART_PATH === undefined ? {} : { path: DYNPART_PATH, endOnFailure: true };

/** What must have happened, or the histories were too tame to say anything. */
const OFTEN = [
  'commits by hand',
  'commits of processes',
  'conflicts',
  'run CANCELED',
  'run FAILURE',
  'run SUCCESS',
  'tick BUSY',
  'tick FAILURE',
  'tick SUCCESS',
  'killed now',
  'asset on record before its run',
  'failed and to be tried again',
  'begun in pool narrow',
  'begun in pool slow',
  'by hand while no function can be asked',
  'told as opened',
  'told as recovered',
  'a hook failed',
];
/** In a long run. */
const SELDOM = [
  'run interrupted',
  'tick SKIPPED',
  'killed before its commit',
  'killed between history and commit',
  'killed after its commit',
  'killed when a run begins',
  'killed when a value is saved',
  'killed when values are flushed',
  'killed before its tick is recorded',
  'several keys in one call',
  'taken out by a rule',
  'waited for a process of its own',
  'told again, since nobody knew of it',
];

describe('a random history of several processes', () => {
  it(
    `comes to what the model says after every step, in memory and in a file (${RUNS} histories)`,
    async () => {
      const tally = new HistoryTally();
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          tally.add('steps', history.length);
          const memory = await live(history, (clock) => new SharedMemory(clock), tally);
          const file = await live(history, (clock) => new SharedFile(clock), tally);
          file.forEach((snapshot, at) => expect(snapshot).toEqual(memory[at]));
        }),
        { numRuns: RUNS, ...AGAIN },
      );
      if (RUNS > IN_NPM_TEST) console.log(RUNS, 'histories:', Object.fromEntries(tally.counts));
      const expected = [...(RUNS >= IN_NPM_TEST ? OFTEN : []), ...(RUNS >= 500 ? SELDOM : [])];
      expect(expected.filter((what) => !((tally.counts.get(what) ?? 0) > 0))).toEqual([]);
    },
    Math.max(180_000, RUNS * 10_000),
  );
});
