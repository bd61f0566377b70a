/** A slice that was read with a few queries answers as the whole state does; and a plan gets it with six of them at most. */
import { outcomeOf } from '../../../src/model/run.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definePipeline, dynamicPartitions } from '../../../src/index.ts';
import { setView } from '../../../src/engine/sensors/set-view.ts';
import type { Needs } from '../../../src/state/needs.ts';
import type { CandidateQuery, OldestQuery, PageQuery, StateView } from '../../../src/state/state-view.ts';
import type { StateChange } from '../../../src/state/changes.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import { finishedRun, keysAdded, queuedRuns, tickRecord } from '../../support/builders.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

let cluster: PostgresCluster;
let rig: PostgresRig;

const DAYS = ['2026-01-01', '2026-01-02', '2026-01-03'].map((day) => `${day}T00:00:00.000Z`);
const LONG = `${'long \\ run key '.repeat(200)}\0`;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  rig = await PostgresRig.make(cluster);
  const { store } = rig;
  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  const executor = await store.enter();
  OWNERS.push(executor.id);
  await commit(
    keysAdded('letters', ['a1', 'b1', 'c1'], DAYS[0]),
    keysAdded('letters', ['a2', 'b2', 'c2'], DAYS[1]),
    keysAdded('letters', ['a3', 'b3', "quo'te"], DAYS[2]),
    keysAdded('numbers', ['1', 'a1']),
    { type: 'keys-removed', set: 'letters', keys: ['b2', 'never'], keepOut: true },
    { type: 'executor', id: executor.id, slots: 1, wants: 2 },
    { type: 'sensor-changed', sensor: 'feed', cursor: 'here \0 there', status: 'STOPPED' },
    { type: 'sensor-changed', sensor: 'other', tick: tickRecord({ sensor: 'other', status: 'SUCCESS' }) },
  );
  await commit({
    type: 'keys-updated',
    set: 'letters',
    keys: ['a1', 'c1', "quo'te"],
    carried: [
      { version: '1\0\\', item: null },
      { version: null, item: { odd: '\0é' } },
      { version: '2', item: [1, null] },
    ],
  });
  await commit({
    type: 'runs-finished',
    runs: [
      finishedRun({ id: 'x-1', partitionKey: 'a1', status: 'SUCCESS' }),
      finishedRun({ id: 'x-2', partitionKey: 'b1', status: 'FAILURE' }),
      finishedRun({ id: 'x-3', partitionKey: 'c1', status: 'SUCCESS' }),
      finishedRun({ id: 'x-4', partitionKey: 'c1', status: 'FAILURE' }),
      finishedRun({ id: 'x-5', partitionKey: '1', set: 'numbers', status: 'SUCCESS' }),
      finishedRun({ id: 'x-6', status: 'FAILURE' }),
    ],
  });
  await commit(
    {
      type: 'runs-queued',
      owner: executor.id,
      runs: queuedRuns({
        group: 'g',
        keys: ['a1', 'a2', "quo'te"],
        runKeys: ['a1', LONG, null],
        sensor: 'feed',
        assets: ['audio', 'text'],
        tags: { why: 'é \0' },
      }),
    },
    { type: 'runs-queued', owner: null, runs: queuedRuns({ group: 'h', keys: [null], assets: ['report'] }) },
    { type: 'runs-queued', owner: null, runs: queuedRuns({ group: 'k', keys: ['1'], set: 'numbers' }) },
    { type: 'runs-started', runs: new Map([['g-2', DAYS[0]!]]) },
    { type: 'runs-canceling', ids: ['g-3'] },
  );
  const named = ['audio', 'text'].map((name) => ({ name, set: 'letters', inputs: [], deps: [] }));
  const pipeline = { file: '/p.ts', stamp: '', sets: ['letters'], concurrency: 1, sensors: [] };
  await commit({ type: 'pipeline-known', pipeline: { ...pipeline, assets: named }, at: DAYS[0]! });
  await commit(
    {
      type: 'pipeline-known',
      pipeline: { ...pipeline, assets: named.map((one) => ({ ...one, automate: 'missing' as const })) },
      at: DAYS[0]!,
    },
    { type: 'keys-marked', asset: 'text', set: 'letters', keys: ['b3'], as: 'skipped', at: DAYS[0]! },
    {
      type: 'keys-marked',
      asset: 'audio',
      set: 'letters',
      keys: ['a3', 'b3'],
      as: 'materialized',
      at: DAYS[0]!,
    },
    { type: 'keys-updated', set: 'letters', keys: ['a3'], carried: [{ version: 'new', item: null }] },
  );
  const made = outcomeOf({ asset: 'audio', status: 'SUCCESS', attempts: 1, metadata: { n: 1 } });
  await commit({ type: 'runs-progressed', runs: new Map([['g-2', [made]]]) });
});

afterAll(async () => {
  await rig.dispose();
  cluster[Symbol.dispose]();
});

const KEYS = ['a1', 'b2', 'never', 'nowhere', "quo'te"];
const ASSETS = ['audio', 'text', 'nothing'];

const pages: PageQuery[] = [
  { set: 'letters' },
  { set: 'nowhere' },
  { set: 'letters', limit: 3 },
  { set: 'letters', limit: 8 },
  { set: 'letters', limit: 2, after: 'c1', prefix: 'b' },
  { set: 'letters', after: 'gone', limit: 1 },
  { set: 'letters', limit: 2, fromEnd: true, assets: ASSETS },
  { set: 'letters', assets: ASSETS },
  ...(['missing', 'materialized', 'failed', 'in progress', 'stale', 'backlog', 'skipped'] as const).flatMap(
    (status): PageQuery[] => [
      { set: 'letters', assets: ASSETS, status },
      { set: 'letters', assets: ['audio'], status, limit: 1 },
      { set: 'letters', assets: ['audio', 'text'], every: true, status },
    ],
  ),
];

const candidates: CandidateQuery[] = (['oldest', 'newest'] as const).flatMap((order) =>
  ([null, ['missing'], ['failed', 'materialized'], ['stale', 'skipped'], []] as const).flatMap((inStates) => [
    { set: 'letters', inStates, assets: ['audio'], alsoOf: ['text'], prefix: null, order },
    { set: 'letters', inStates, assets: ASSETS, alsoOf: [], prefix: 'a', order },
  ]),
);

const oldest: OldestQuery[] = [null, DAYS[1]!, '2030-01-01T00:00:00.000Z'].flatMap((addedBefore) =>
  [null, 0, 2, 100].map((keepLast) => ({ set: 'letters', addedBefore, keepLast })),
);

const counts = [
  ...ASSETS.flatMap((asset) => ['letters', 'numbers', 'nowhere'].map((set) => ({ asset, set }))),
  ...['report', 'nothing'].map((asset) => ({ asset, set: null })),
];

/** The executor of the state is added when it is known. */
const OWNERS = ['nobody', '__proto__'];

const runsOf = (view: StateView): unknown =>
  view.runs().map((runs) => {
    const { group, createdAt, sensor, set, assets, tags, origin, retryOf, owner, ownedSince, count } = runs;
    const all = Array.from({ length: count }, (_, position) => runs.at(position));
    const head = { group, createdAt, sensor, set, assets, tags, origin, retryOf, owner, ownedSince };
    return { ...head, all, canceling: runs.canceling() };
  });

/** What is needed, and what is asked then. */
const QUESTIONS: readonly (readonly [name: string, needs: Needs, ask: (view: StateView) => unknown])[] = [
  [
    'sets',
    { sets: true },
    (view) => [view.setNames(), ...['letters', 'numbers', 'nowhere'].map((set) => view.size(set))],
  ],
  [
    'keys',
    { keys: ['letters', 'nowhere'].map((set) => ({ set, keys: [...KEYS, null] })) },
    (view) => ['letters', 'nowhere'].map((set) => [view.present(set, KEYS), view.keptOut(set, KEYS)]),
  ],
  [
    'what keys carry',
    { keys: [{ set: 'letters', keys: KEYS, carried: true }] },
    (view) => view.carried('letters', KEYS),
  ],
  [
    'what all keys carry',
    { keys: [{ set: 'letters', keys: 'all', carried: true }] },
    (view) => [view.keys('letters'), view.carried('letters', view.keys('letters'))],
  ],
  [
    'whole sets',
    { keys: [{ set: 'letters', keys: 'all' }] },
    (view) => [view.keys('letters'), view.present('letters', KEYS), view.keptOut('letters', KEYS)],
  ],
  [
    'statuses',
    {
      statuses: ASSETS.flatMap((asset) => [
        { asset, set: 'letters', keys: KEYS },
        { asset, set: null, keys: [null] },
      ]),
    },
    (view) =>
      ASSETS.map((asset) => [view.statusOf(asset, 'letters', KEYS), view.statusOf(asset, null, [null])]),
  ],
  ['pages', { pages }, (view) => pages.map((query) => view.page(query))],
  ['candidates', { candidates }, (view) => candidates.map((query) => [...view.candidates(query)])],
  [
    'the oldest keys',
    { oldest },
    (view) => oldest.map((query) => [view.oldest(query), view.present('letters', view.oldest(query))]),
  ],
  ['counts', { counts }, (view) => counts.map((query) => view.counts(query))],
  [
    'sensors',
    { sensors: 'all' },
    (view) => [view.sensorNames(), ...['feed', 'other', 'nobody'].map((name) => ({ ...view.sensor(name) }))],
  ],
  [
    'some sensors',
    { sensors: ['feed', 'nobody'] },
    (view) => ['feed', 'nobody'].map((name) => ({ ...view.sensor(name) })),
  ],
  [
    'run keys',
    { runKeys: [{ sensor: 'feed', runKeys: ['a1', 'a2', LONG] }] },
    (view) => [
      view.spentRunKeys('feed', ['a1', 'a2', LONG]),
      view.spentRunKeys('feed', ['a1', LONG], new Map([['letters', new Set(['a2'])]])),
    ],
  ],
  [
    'how many runs an executor has',
    { ownedBy: OWNERS },
    (view) => OWNERS.map((owner) => view.ownedBy(owner)),
  ],
  ['runs', { runs: ['all'] }, (view) => [runsOf(view), view.run('g-2')?.run, view.run('nobody-1')]],
  [
    'executors',
    { executors: true },
    (view) => view.executors().map(({ id, slots, wants, alive }) => ({ id, slots, wants, alive })),
  ],
];

describe('a slice from PostgreSQL', () => {
  it.each(QUESTIONS)('answers of %s as the whole state does', async (_, needs, ask) => {
    const whole = ask(await rig.store.read(EVERYTHING));
    expect(ask(await rig.store.read(needs))).toEqual(whole);
  });

  it('has of the runs those that are needed', async () => {
    const ids = async (needs: Needs): Promise<string[]> =>
      (await rig.store.read(needs))
        .runs()
        .flatMap((runs) => Array.from({ length: runs.count }, (_, at) => runs.at(at).id));
    expect(await ids({ runs: [{ ids: ['g-2', 'nobody-1'] }] })).toEqual(['g-2']);
    expect(await ids({ runs: [{ set: 'letters', keys: ['a2', '1', null] }] })).toEqual(['g-2']);
    expect(await ids({ runs: [{ assets: ['report', 'audio'] }] })).toEqual([
      'g-1',
      'g-2',
      'g-3',
      'h-1',
      'k-1',
    ]);
    expect(await ids({ runs: [{ owner: OWNERS.at(-1)! }] })).toEqual(['g-1', 'g-2', 'g-3']);
    expect(await ids({ runs: [{ owner: 'nobody' }, { ids: ['h-1'] }] })).toEqual(['h-1']);
    expect((await rig.store.read({ ownedBy: OWNERS })).ownedBy(OWNERS.at(-1)!)).toBe(3);
    expect(await ids({ runs: [{ owned: true }] })).toEqual(['g-1', 'g-2', 'g-3']);
    expect(await ids({ runs: [{ owned: true }, { ids: ['g-2', 'k-1'] }] })).toEqual([
      'g-1',
      'g-2',
      'g-3',
      'k-1',
    ]);
    expect(await ids({ runs: [{ takeable: 1 }], executors: true })).toEqual(['h-1']);
    expect(await ids({ runs: [{ takeable: 9 }], executors: true })).toEqual(['h-1', 'k-1']);
  });

  it('says so where something is asked that was not needed', async () => {
    for (const [name, , ask] of QUESTIONS.filter(([of]) => of !== 'sets')) {
      const view = await rig.store.read({});
      expect(() => ask(view), name).toThrow('which is not among its needs');
    }
  });

  it('has of what may be taken up all that is a dead process’s', async () => {
    const executor = OWNERS.at(-1)!;
    const [before] = await rig.store.database.execute('select owner from @.executor where id = $1', [
      executor,
    ]);
    await rig.kill(executor);
    const view = await rig.store.read({ runs: [{ takeable: 1 }], executors: true });
    expect(view.runs().reduce((sum, { count }) => sum + count, 0)).toBe(4);
    expect(view.run('g-3')?.runs.owner).toBe(executor);
    await rig.store.database.execute('update @.executor set owner = $2 where id = $1', [
      executor,
      JSON.stringify(before!['owner']),
    ]);
  });

  it('costs a sensor one question to hear what ten thousand keys carry', async () => {
    const said: string[] = [];
    const store = rig.open();
    const ask = store.database.execute.bind(store.database);
    const sets = await store.sets();
    store.database.execute = (sql, values) => (said.push(sql), ask(sql, values));
    const set = dynamicPartitions('letters');
    const view = setView(sets, definePipeline({ partitions: [set] }), 'letters');
    const keys = Array.from({ length: 10_000 }, (_, at) => `never ${at}`);
    expect([...(await view.getMany(['a1', ...keys, 'c1'])).keys()].toSorted()).toEqual(['a1', 'c1']);
    expect(said).toHaveLength(1);
    await view.get('a1');
    await view.get('c1');
    expect(said).toHaveLength(3);
  });

  it('costs a tick that adds keys and queues runs six questions at most', async () => {
    const said: string[] = [];
    const store = rig.open();
    const write = store.database.write.bind(store.database);
    store.database.write = (work) =>
      write((port, tries) =>
        work({ execute: (sql, values) => (said.push(sql.trim()), port.execute(sql, values)) }, tries),
      );
    const keys = Array.from({ length: 100 }, (_, at) => `new ${at}`);
    await store.commit(
      {
        sensors: ['feed'],
        keys: [{ set: 'letters', keys }],
        statuses: [{ asset: 'audio', set: 'letters', keys }],
        runKeys: [{ sensor: 'feed', runKeys: keys }],
        runs: [{ set: 'letters', keys }],
        executors: true,
      },
      () => ({
        changes: [
          keysAdded('letters', keys),
          {
            type: 'runs-queued',
            owner: null,
            runs: queuedRuns({ group: 'n', keys, runKeys: keys, sensor: 'feed' }),
          },
          { type: 'sensor-changed', sensor: 'feed', cursor: '2' },
        ],
        outcome: undefined,
      }),
    );
    const questions = said.filter((sql) => !/\b(insert|update|delete)\b/.test(sql));
    const changes = said.filter((sql) => /\b(insert|update|delete)\b/.test(sql));
    expect(questions.length).toBeLessThanOrEqual(6);
    // Two of them make sure that a set and a sensor are there.
    expect(changes).toHaveLength(7);
  });
});
