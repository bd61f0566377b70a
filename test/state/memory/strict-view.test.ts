/** A view shows what was declared: what a plan forgot fails here, and not where a database answers. */
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../src/state/memory/memory-store.ts';
import type { Needs } from '../../../src/state/needs.ts';
import type { StateView } from '../../../src/state/state-view.ts';
import { finishedRun, keysAdded, queuedRuns } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PAGE = { set: 'letters', limit: 1 };
const CANDIDATES = {
  set: 'letters',
  inStates: null,
  assets: ['audio'],
  alsoOf: [],
  prefix: null,
  order: 'oldest',
} as const;
const OLDEST = { set: 'letters', addedBefore: null, keepLast: 1 };
const COUNTS = { asset: 'audio', set: 'letters' };

/** A question, what it needs, and what is not enough for it. */
const QUESTIONS: readonly (readonly [
  name: string,
  ask: (view: StateView) => unknown,
  enough: Needs,
  less: Needs,
])[] = [
  [
    'the names of sets',
    (view) => view.setNames(),
    { sets: true },
    { keys: [{ set: 'letters', keys: 'all' }] },
  ],
  ['the size of a set', (view) => view.size('letters'), { sets: true }, {}],
  [
    'all keys',
    (view) => view.keys('letters'),
    { keys: [{ set: 'letters', keys: 'all' }] },
    { keys: [{ set: 'letters', keys: ['a', 'b', 'c'] }] },
  ],
  [
    'whether a key is there',
    (view) => view.present('letters', ['a']),
    { keys: [{ set: 'letters', keys: ['a', 'b'] }] },
    { keys: [{ set: 'letters', keys: ['b'] }] },
  ],
  [
    'whether a key is kept out',
    (view) => view.keptOut('letters', ['z']),
    { keys: [{ set: 'letters', keys: ['z'] }] },
    { keys: [{ set: 'other', keys: ['z'] }] },
  ],
  [
    'whether the oldest keys are there',
    (view) => view.present('letters', view.oldest(OLDEST)),
    { oldest: [OLDEST] },
    { oldest: [{ ...OLDEST, keepLast: 2 }] },
  ],
  ['a page', (view) => view.page(PAGE), { pages: [PAGE] }, { pages: [{ ...PAGE, limit: 2 }] }],
  [
    'a status',
    (view) => view.statusOf('audio', 'letters', ['a']),
    { statuses: [{ asset: 'audio', set: 'letters', keys: ['a'] }] },
    { statuses: [{ asset: 'text', set: 'letters', keys: ['a'] }] },
  ],
  [
    'candidates',
    (view) => [...view.candidates(CANDIDATES)],
    { candidates: [CANDIDATES] },
    { candidates: [{ ...CANDIDATES, order: 'newest' }] },
  ],
  ['counts', (view) => view.counts(COUNTS), { counts: [COUNTS] }, { counts: [{ ...COUNTS, asset: 'text' }] }],
  ['a sensor', (view) => view.sensor('feed').cursor, { sensors: ['feed'] }, { sensors: ['other'] }],
  ['the names of sensors', (view) => view.sensorNames(), { sensors: 'all' }, { sensors: ['feed'] }],
  [
    'spent run keys',
    (view) => view.spentRunKeys('feed', ['once']),
    { runKeys: [{ sensor: 'feed', runKeys: ['once'] }] },
    { runKeys: [{ sensor: 'feed', runKeys: ['twice'] }] },
  ],
  ['runs', (view) => view.runs().length, { runs: ['all'] }, {}],
  ['a run', (view) => view.run('g-1')?.run.id, { runs: [{ ids: ['g-1'] }] }, { runs: [{ ids: ['g-2'] }] }],
  ['the executors', (view) => view.executors(), { executors: true }, {}],
];

async function storeWith(): Promise<MemoryStore> {
  const store = new MemoryStore(new FakeClock());
  await store.commit({ everything: true }, () => ({
    changes: [
      keysAdded('letters', ['a', 'b', 'c']),
      { type: 'sensor-changed', sensor: 'feed', cursor: '1' },
      {
        type: 'runs-queued',
        owner: null,
        runs: queuedRuns({ group: 'g', keys: ['a', 'b'], sensor: null }),
      },
      {
        type: 'runs-queued',
        owner: null,
        runs: queuedRuns({ group: 'h', keys: ['c'], sensor: null, assets: ['text'] }),
      },
      { type: 'runs-finished', runs: [finishedRun({ id: 'x-1', partitionKey: 'a', status: 'SUCCESS' })] },
    ],
    outcome: undefined,
  }));
  return store;
}

describe('a view of what was declared', () => {
  it.each(QUESTIONS)(
    'answers %s where it is declared, and says so where it is not',
    async (_, ask, enough, less) => {
      const store = await storeWith();
      expect(ask(await store.read(enough))).toEqual(ask(await store.read({ everything: true })));
      const forgotten = await store.read(less);
      expect(() => ask(forgotten)).toThrow('which is not among its needs');
      await expect(store.commit(less, (view) => ({ changes: [], outcome: ask(view) }))).rejects.toThrow(
        'not among its needs',
      );
    },
  );

  it('shows of the runs those that are needed', async () => {
    const store = await storeWith();
    const shown = async (needs: Needs): Promise<string[]> =>
      (await store.read(needs))
        .runs()
        .flatMap((runs) => Array.from({ length: runs.count }, (_, at) => runs.at(at).id));
    expect(await shown({ runs: ['all'] })).toEqual(['g-1', 'g-2', 'h-1']);
    expect(await shown({ runs: [{ ids: ['g-2'] }] })).toEqual(['g-2']);
    expect(await shown({ runs: [{ set: 'letters', keys: ['a', 'c'] }] })).toEqual(['g-1', 'h-1']);
    expect(await shown({ runs: [{ assets: ['text'] }] })).toEqual(['h-1']);
    expect(await shown({ runs: [{ owner: 'nobody' }] })).toEqual([]);
    expect((await store.read({ runs: [{ owner: 'nobody' }] })).run('g-1')).toBeUndefined();
  });
});
