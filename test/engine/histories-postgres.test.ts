/**
 * The random histories of `histories.test.ts`, with the state in PostgreSQL beside the one in memory.
 *
 * `DYNPART_RUNS=500 npx vitest run test/engine/histories-postgres.test.ts` tries so many; `DYNPART_SEED` and `DYNPART_PATH` try one again.
 */
import * as fc from '../support/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HistoryTally, live } from '../support/history-life.ts';
import { SharedPostgres } from '../support/history-postgres.ts';
import { SharedMemory } from '../support/history-stores.ts';
import { anyHistory } from '../support/history-steps.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { PostgresRig } from '../support/postgres-rig.ts';

/** Each takes a second or two: a step is some dozen questions. */
const IN_NPM_TEST = 3;
const { DYNPART_RUNS, DYNPART_PATH } = process.env;
const RUNS = DYNPART_PATH === undefined ? Number(DYNPART_RUNS ?? IN_NPM_TEST) : 1;
const AGAIN = {
  ...(DYNPART_PATH !== undefined && { path: DYNPART_PATH }),
  // To find a shorter one would take minutes.
  endOnFailure: true,
};

let cluster: PostgresCluster;
let rig: PostgresRig;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  rig = await PostgresRig.make(cluster);
});

afterAll(async () => {
  await rig.dispose();
  cluster[Symbol.dispose]();
});

describe('a random history of several processes', () => {
  it(
    `comes to the same in PostgreSQL as in memory, and to what the model says (${RUNS} histories)`,
    async () => {
      const tally = new HistoryTally();
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          const memory = await live(history, (clock) => new SharedMemory(clock), tally);
          const emptied = await SharedPostgres.emptied(rig);
          const database = await live(history, (clock) => new SharedPostgres(emptied, clock), tally);
          database.forEach((snapshot, at) =>
            expect([at, history[at], snapshot]).toEqual([at, history[at], memory[at]]),
          );
        }),
        { numRuns: RUNS, ...AGAIN },
      );
      if (RUNS > IN_NPM_TEST) console.log(RUNS, 'histories:', Object.fromEntries(tally.counts));
      const expected = ['commits by hand', 'commits of processes', 'run SUCCESS', 'tick SUCCESS'];
      // Three may hold none of one kind.
      expect(DYNPART_PATH !== undefined || tally.counts.size > 0).toBe(true);
      if (RUNS > IN_NPM_TEST) expect(expected.filter((what) => !tally.counts.has(what))).toEqual([]);
    },
    Math.max(300_000, RUNS * 60_000),
  );
});
