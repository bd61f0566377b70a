/** What may be taken up, where there is more than was asked for: each group has its turn. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunsNeed } from '../../../src/state/needs.ts';
import { MemoryStore } from '../../../src/state/memory/memory-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { queuedRuns } from '../../support/builders.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const keysOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${name}${at}`);

it('is some of each group that was queued for the same assets, in turns, and what was queued for others comes behind', async () => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  const groups = [
    { group: 'large', keys: keysOf('l', 500) },
    ...keysOf('s', 5).map((group) => ({ group, keys: [`key of ${group}`] })),
    { group: 'other', keys: keysOf('o', 3), assets: ['transcript'] },
  ];
  for (const runs of groups)
    await store.commit({}, () => ({
      changes: [{ type: 'runs-queued', runs: queuedRuns(runs), owner: null }],
      outcome: undefined,
    }));
  const takeable = async (most: number): Promise<Record<string, number>> => {
    const view = await store.read({ runs: [{ takeable: most }], executors: true });
    return Object.fromEntries(view.runs().map(({ group, count }) => [group, count]));
  };
  const small = { s0: 1, s1: 1, s2: 1, s3: 1, s4: 1 };
  expect(await takeable(7)).toEqual({ large: 2, ...small });
  expect(await takeable(70)).toEqual({ large: 12, ...small });
  expect(await takeable(5000)).toEqual({ large: 500, ...small, other: 3 });
  // Without others it is all of it.
  const ids = [...Object.keys(small).map((group) => `${group}-1`), ...[1, 2, 3].map((at) => `other-${at}`)];
  await store.commit({}, () => ({
    changes: [{ type: 'runs-claimed', ids, owner: 'somebody', interrupted: new Set() }],
    outcome: undefined,
  }));
  expect(await takeable(70)).toMatchObject({ large: 70 });
  await rig.dispose();
});

it('is of some assets alone where it is asked so, and what is there besides can be asked for, as of the state in memory', async () => {
  const rig = await PostgresRig.make(cluster);
  const memory = new MemoryStore(new FakeClock());
  const answers: unknown[] = [];
  for (const store of [rig.store, memory]) {
    for (const runs of [
      { group: 'foreign', keys: keysOf('f', 20), assets: ['rare'] },
      { group: 'both', keys: keysOf('b', 3), assets: ['plain', 'rare'] },
      { group: 'own', keys: keysOf('o', 3), assets: ['plain'] },
    ])
      await store.commit({}, () => ({
        changes: [{ type: 'runs-queued', runs: queuedRuns(runs), owner: null }],
        outcome: undefined,
      }));
    const counts = async (need: RunsNeed): Promise<Record<string, number>> => {
      const view = await store.read({ runs: [need], executors: true });
      return Object.fromEntries(view.runs().map(({ group, count }) => [group, count]));
    };
    answers.push([
      await counts({ takeable: 2, of: ['plain'] }),
      await counts({ takeable: 100, of: ['plain', 'rare'] }),
      await counts({ takeable: 100, of: [] }),
      await counts({ besides: ['plain'], most: 22 }),
      await counts({ besides: ['plain', 'rare'], most: 1 }),
    ]);
  }
  expect(answers[0]).toEqual([
    { own: 2 },
    { foreign: 20, both: 3, own: 3 },
    {},
    { foreign: 20, both: 2 },
    {},
  ]);
  expect(answers[1]).toEqual(answers[0]);
  await rig.dispose();
});
