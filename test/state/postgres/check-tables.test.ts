/** `state check` on PostgreSQL finds rows that belong to nothing, from both sides. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AT, keysAdded, queuedRuns } from '../../support/builders.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

it.each([
  [`update @.run set head = 99`, 'runs that were never queued: 2'],
  [`delete from @.run`, 'queueings of which no run is left: 1, such as'],
  [
    `insert into @.history (id, status, assets, is_tagged, finished_at, record) values ('g-1', 'SUCCESS', '{}', false, '', '{}')`,
    'runs that are pending and have ended: 1',
  ],
  [`delete from @.key where key = 'a'`, 'sets that count other keys than they have: 1'],
  [`delete from @.key where key = 'a'`, 'statuses of keys that are in no set: 1'],
  [`update @.status set set_id = 0`, 'statuses without a key that have one: 1'],
  [`delete from @.asset`, 'statuses of assets that are not known: 1'],
  [`delete from @.key_set`, 'keys of sets that are not there: 2'],
  [`update @.kept_out set set_id = 7`, 'keys that are kept out of sets that are not there: 1'],
  [`update @.key_set set next_pos = 1`, 'sets that would give a place twice: 1'],
  [`insert into @.begun values ('gone', 'g-1', '', 1)`, 'processes that are not there: 1'],
  [`insert into @.program values ('gone', 'g-1', 1, 1)`, 'programs of processes that are not there: 1'],
])('%s', async (damage, message) => {
  const rig = await PostgresRig.make(cluster);
  await rig.store.commit({}, () => ({
    changes: [
      keysAdded('letters', ['a', 'b', 'c']),
      { type: 'keys-removed', set: 'letters', keys: ['c'], keepOut: true },
      { type: 'keys-marked', asset: 'audio', set: 'letters', keys: ['a'], as: 'materialized', at: AT },
      { type: 'runs-queued', owner: null, runs: queuedRuns({ group: 'g', keys: ['a', 'b'] }) },
    ],
    outcome: undefined,
  }));
  expect((await rig.store.checked()).problems).toEqual([]);
  await rig.store.database.execute(damage);
  expect((await rig.store.checked()).problems).toContainEqual({
    code: 'orphans',
    message: expect.stringContaining(message),
  });
  await rig.dispose();
});
