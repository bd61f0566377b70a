/** A large value that somebody stages who was given up meanwhile. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PostgresValues } from '../../../src/state/postgres/values.ts';
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
    new PostgresValues(store, () => [executor]).save(
      { asset: 'audio', partitionKey: key, run: { id } },
      large,
    );
  await save(dead.id, 'g1-1', 'a');
  await save(next.id, 'g2-1', 'b');
  expect(await staged()).toEqual(['g1-1', 'g2-1']);
  await store.commit({}, () => ({ changes: [{ type: 'executor-left', id: dead.id }], outcome: undefined }));
  expect(await staged()).toEqual(['g2-1']);
  await rig.dispose();
});
