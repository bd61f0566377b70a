/**
 * Whatever order timers, looks, answers and ends come in: nothing is made twice at once, limits hold, every run comes to its end, nobody
 * waits for what does not come, and what is on record has a value.
 *
 * `DYNPART_RUNS=500 npx vitest run test/engine/runs/any-order.test.ts` tries so many; `DYNPART_SEED=17` tries that one, and tells it.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { liveInAnyOrder } from '../../support/any-order.ts';

const IN_NPM_TEST = 30;
const { DYNPART_RUNS, DYNPART_SEED } = process.env;
const RUNS = Number(DYNPART_RUNS ?? IN_NPM_TEST);
/** The same each time, and others where more are asked for: what one in hundreds finds is for whoever looks for it. */
const FIRST = Number(DYNPART_SEED ?? (RUNS > IN_NPM_TEST ? Date.now() % 1_000_000_000 : 1));
const SEEDS = Array.from({ length: DYNPART_SEED === undefined ? RUNS : 1 }, (_, at) => FIRST + at);

beforeEach(() => void vi.spyOn(console, 'log').mockReturnValue());
afterEach(() => void vi.restoreAllMocks());

it(
  `runs come to their end in ${SEEDS.length} random orders of events`,
  async () => {
    const counts = new Map<string, number>();
    for (const seed of SEEDS) {
      const world = await liveInAnyOrder(seed, { hasFaults: seed % 4 === 0 });
      for (const [what, count] of world.counts) counts.set(what, (counts.get(what) ?? 0) + count);
      if (DYNPART_SEED !== undefined) process.stdout.write(`${world.trace.join('\n')}\n`);
      const wrong = world.problem && `DYNPART_SEED=${seed}: ${world.problem.message}`;
      expect(wrong, world.trace.slice(-40).join('\n')).toBeNull();
    }
    // Or they were too tame to say anything.
    if (SEEDS.length < IN_NPM_TEST) return;
    expect(counts.get('calls for several keys')).toBeGreaterThan(0);
    expect(counts.get('calls for one key')).toBeGreaterThan(0);
  },
  Math.max(60_000, SEEDS.length * 10_000),
);
