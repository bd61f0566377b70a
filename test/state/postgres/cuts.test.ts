/** The line to the server is cut at every step in turn: before the server hears of it, and before its answer comes back. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERYTHING } from '../../../src/state/needs.ts';
import { parseAddress } from '../../../src/state/postgres/address.ts';
import { Database } from '../../../src/state/postgres/database.ts';
import { findDriver } from '../../../src/state/postgres/driver.ts';
import { migrate } from '../../../src/state/postgres/migrate.ts';
import { PostgresStore } from '../../../src/state/postgres/postgres-store.ts';
import { SCHEMA_VERSION } from '../../../src/state/postgres/schema.ts';
import { PostgresValues } from '../../../src/state/postgres/values.ts';
import { finishedRun, keysAdded, queuedRuns } from '../../support/builders.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

const driver = findDriver([path.resolve(import.meta.dirname, '../../..')]);
let cluster: PostgresCluster;
let proxy: CuttingProxy;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  proxy = await CuttingProxy.start(cluster.port);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  cluster[Symbol.dispose]();
});

const throughProxy = (url: string): string => url.replace(`:${cluster.port}/`, `:${proxy.port}/`);

/** More than any of these takes. */
const ENOUGH = 200;

describe.each(['before', 'after'] as const)('a line that is cut %s a step', (when) => {
  it('loses nothing of a run from its key to its value, and records nothing twice', async () => {
    const rig = await PostgresRig.make(cluster);
    let cuts = 0;
    let wasCut = true;
    for (; wasCut && cuts < ENOUGH; cuts++) {
      const clock = new FakeClock(undefined, 1000 + cuts);
      const address = parseAddress(throughProxy(rig.url), {});
      const store = new PostgresStore({ address, driver, clock, hasOwnTime: true, version: '0.0.0' });
      const before = await store.read({});
      proxy.cutAfter(cuts, when);
      await makeOne(store, `key ${cuts}`, `g${cuts}`);
      wasCut = proxy.hasCut;
      proxy.cutAfter(Infinity, when);
      await store.close();
      const view = await rig.store.read(EVERYTHING);
      expect([cuts, view.serial - before.serial]).toEqual([cuts, 3]);
      expect([cuts, view.statusOf('audio', 'letters', [`key ${cuts}`])]).toEqual([cuts, ['materialized']]);
    }
    expect(cuts).toBeGreaterThan(8);
    expect(cuts).toBeLessThan(ENOUGH);
    const { runs } = await rig.store.runs({});
    expect(runs.map(({ id, status }) => `${id} ${status}`).sort()).toEqual(
      Array.from({ length: cuts }, (_, at) => `g${at}-1 SUCCESS`).sort(),
    );
    const left = await rig.store.database.execute(
      `select (select count(*)::int from @.run) + (select count(*)::int from @.staged) + (select count(*)::int from @.begun) as left,
        (select count(*)::int from @.value where codec = 'json') as values`,
    );
    expect(left).toEqual([{ left: 0, values: cuts }]);
    expect((await rig.store.checked()).problems).toEqual([]);
    await rig.dispose();
  });

  it('leaves no half of the tables', async () => {
    let cuts = 0;
    for (let wasCut = true; wasCut && cuts < ENOUGH; cuts++) {
      const url = cluster.url(`cut_${when}_${cuts}`);
      const cutOff = new Database(driver.driver, parseAddress(throughProxy(url), {}));
      // Connected before, so that what is cut is the migration; it is then repeated by itself.
      await cutOff.execute('select 1');
      proxy.cutAfter(cuts, when);
      const made = await migrate(cutOff, parseAddress(url, {}), 'lineage');
      wasCut = proxy.hasCut;
      proxy.cutAfter(Infinity, when);
      await cutOff.close();
      const again = new Database(driver.driver, parseAddress(url, {}));
      // Where its first COMMIT went unanswered, the second try found the tables there.
      expect([null, SCHEMA_VERSION]).toContain(made.from);
      expect(await migrate(again, parseAddress(url, {}), 'lineage')).toEqual({
        from: SCHEMA_VERSION,
        to: SCHEMA_VERSION,
      });
      expect(await again.execute('select count(*)::int as n from @.meta')).toEqual([{ n: 1 }]);
      await again.close();
    }
    expect(cuts).toBeGreaterThan(3);
    expect(cuts).toBeLessThan(ENOUGH);
  });
});

/** A key, its run, taken up, executed, and on record with its value: three commits. */
async function makeOne(store: PostgresStore, key: string, group: string): Promise<void> {
  await store.commit({ keys: [{ set: 'letters', keys: [key] }], sensors: ['feed'] }, (view) => ({
    changes: view.present('letters', [key]).has(key)
      ? []
      : [
          keysAdded('letters', [key]),
          {
            type: 'runs-queued',
            owner: null,
            runs: queuedRuns({ group, keys: [key], runKeys: [key], sensor: 'feed' }),
          },
          { type: 'sensor-changed', sensor: 'feed', cursor: key },
        ],
    outcome: undefined,
  }));
  const executor = await store.enter();
  const values = new PostgresValues(store, executor.id);
  const id = `${group}-1`;
  await store.commit({ runs: [{ takeable: 5 }], executors: true }, () => ({
    changes: [
      { type: 'runs-claimed', ids: [id], owner: executor.id, interrupted: new Set() },
      { type: 'executor', id: executor.id, slots: 1, wants: 0 },
    ],
    outcome: undefined,
  }));
  await executor.begun(id, 1000);
  await values.save({ asset: 'audio', partitionKey: key, run: { id } }, { made: key });
  store.appendLog(id, [
    { at: '2026-01-01T00:00:00.000Z', stream: 'log', text: 'made', asset: 'audio', attempt: 1 },
  ]);
  executor.ended(id);
  await store.commit({ runs: [{ owner: executor.id }], executors: true }, () => ({
    changes: [
      {
        type: 'runs-finished',
        runs: [finishedRun({ id, partitionKey: key, set: 'letters', status: 'SUCCESS' })],
      },
      { type: 'executor-left', id: executor.id },
    ],
    outcome: undefined,
  }));
  await executor.leave();
  expect(await values.load({ asset: 'audio', partitionKey: key })).toEqual({ made: key });
}
