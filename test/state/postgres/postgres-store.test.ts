/** The store in PostgreSQL keeps the contract, on a real server. */
import { afterAll, beforeAll } from 'vitest';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';
import { describeStoreContract } from '../../support/store-contract.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

describeStoreContract('PostgresStore', async () => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  return {
    store,
    problems: async () => (await store.checked()).problems,
    content: () => store.document(),
    kill: (executor) => rig.kill(executor),
    dispose: () => rig.dispose(),
  };
});
