/** A large value that somebody stages who was given up meanwhile. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { PostgresStore } from '../../../src/state/postgres/postgres-store.ts';
import { PostgresValues } from '../../../src/state/postgres/values.ts';
import type { Executor } from '../../../src/state/store.ts';
import { finishedRun, keysAdded, queuedRuns } from '../../support/builders.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const owned = (id: string, slots: number) => ({ type: 'executor', id, slots, wants: 0 }) as const;

it('is gone with whoever leaves next, and what is staged of runs that are on their way is not', async () => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  const large = 'x'.repeat(300_000);
  const [dead, next] = [await store.enter(), await store.enter()];
  await store.commit({}, () => ({
    changes: [
      keysAdded('letters', ['a', 'b', 'c']),
      owned(dead.id, 1),
      { type: 'runs-queued', runs: queuedRuns({ group: 'g1', keys: ['a'] }), owner: dead.id },
      owned(next.id, 2),
      { type: 'runs-queued', runs: queuedRuns({ group: 'g2', keys: ['b', 'c'] }), owner: next.id },
    ],
    outcome: undefined,
  }));
  await store.commit({}, () => ({
    changes: [
      { type: 'runs-claimed', ids: ['g1-1'], owner: next.id, interrupted: new Set() },
      {
        type: 'runs-finished',
        runs: [finishedRun({ id: 'g1-1', partitionKey: 'a', set: 'letters', status: 'SUCCESS' })],
      },
    ],
    outcome: undefined,
  }));
  const staged = async (): Promise<unknown[]> =>
    (await store.database.execute('select run from @.staged order by run')).map(({ run }) => run);
  const save = (executor: string, id: string, key: string): Promise<void> =>
    new PostgresValues(store, executor).save({ asset: 'audio', partitionKey: key, run: { id } }, large);
  await save(dead.id, 'g1-1', 'a');
  await save(next.id, 'g2-1', 'b');
  expect(await staged()).toEqual(['g1-1', 'g2-1']);
  await store.commit({}, () => ({ changes: [{ type: 'executor-left', id: dead.id }], outcome: undefined }));
  expect(await staged()).toEqual(['g2-1']);
  await rig.dispose();
});

const LARGE = 'x'.repeat(300_000);

/** Takes on a run for one key, as this executor. */
async function takeOn(store: PostgresStore, executor: Executor, group: string, key: string): Promise<void> {
  await store.commit({}, () => ({
    changes: [
      keysAdded('letters', [key]),
      owned(executor.id, 1),
      { type: 'runs-queued', runs: queuedRuns({ group, keys: [key] }), owner: executor.id },
    ],
    outcome: undefined,
  }));
  await executor.begun(`${group}-1`, 1000);
}

async function finish(store: PostgresStore, group: string, key: string): Promise<void> {
  const run = finishedRun({ id: `${group}-1`, partitionKey: key, set: 'letters', status: 'SUCCESS' });
  await store.commit({}, () => ({ changes: [{ type: 'runs-finished', runs: [run] }], outcome: undefined }));
}

it('is on record with its run where the server has crashed in between', async () => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  const executor = await store.enter();
  const values = valuesOf(store, executor);
  await takeOn(store, executor, 'g1', 'a');
  await values.save({ asset: 'audio', partitionKey: 'a', run: { id: 'g1-1' } }, LARGE);
  cluster.stop('immediate');
  cluster.restart();
  await vi.waitFor(() => finish(store, 'g1', 'a'), { timeout: 60_000 });
  expect(await values.load({ asset: 'audio', partitionKey: 'a' })).toBe(LARGE);
  await rig.dispose();
});

it('is on record with its run where the process has begun to execute as somebody else, after an edit', async () => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  const first = await store.enter();
  await takeOn(store, first, 'g1', 'a');
  const next = await store.enter();
  await takeOn(store, next, 'g2', 'b');
  for (const [executor, id, key] of [
    [first, 'g1-1', 'a'],
    [next, 'g2-1', 'b'],
  ] as const)
    await valuesOf(store, executor).save({ asset: 'audio', partitionKey: key, run: { id } }, LARGE);
  await finish(store, 'g2', 'b');
  await next.leave();
  await finish(store, 'g1', 'a');
  const values = new PostgresValues(store);
  for (const key of ['a', 'b']) expect(await values.load({ asset: 'audio', partitionKey: key })).toBe(LARGE);
  await rig.dispose();
});

it.each([
  { size: 'small', value: 'mine' },
  { size: 'large', value: `mine ${LARGE}` },
])(
  'of this process is no concern of another executor of it that has lost the run: a $size value',
  async ({ value }) => {
    const rig = await PostgresRig.make(cluster);
    const { store } = rig;
    // A watch has two sessions after an edit.
    const [before, next] = [await store.enter(), await store.enter()];
    const [late, values] = [valuesOf(store, before), valuesOf(store, next)];
    await takeOn(store, before, 'g1', 'a');
    await store.commit({}, () => ({
      changes: [
        { type: 'runs-released', ids: ['g1-1'] },
        owned(next.id, 1),
        { type: 'runs-claimed', ids: ['g1-1'], owner: next.id, interrupted: new Set() },
      ],
      outcome: undefined,
    }));
    await next.begun('g1-1', 1000);
    const about = { asset: 'audio', partitionKey: 'a', run: { id: 'g1-1' } };
    await values.save(about, value);
    await before.begun('g1-1', 2000);
    await late.save(about, `late ${LARGE}`);
    await late.save(about, 'late');
    expect(await values.load(about)).toBe(value);
    late.settle([{ run: 'g1-1', assets: [], isOver: true }]);
    expect(await values.load(about)).toBe(value);
    await finish(store, 'g1', 'a');
    expect(await valuesOf(store, await store.enter()).load(about)).toBe(value);
    await rig.dispose();
  },
);

function valuesOf(store: PostgresStore, { id }: Executor): PostgresValues {
  return new PostgresValues(store, id);
}
