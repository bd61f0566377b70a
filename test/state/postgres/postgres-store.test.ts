/** The store in PostgreSQL keeps the contract, on a real server. */
import { afterAll, beforeAll } from 'vitest';
import { checkState } from '../../../src/state/document/check-state.ts';
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
    problems: async () => checkState(await store.document()),
    content: () => store.document(),
    kill: (executor) => rig.kill(executor),
    dispose: () => rig.dispose(),
  };
});
