/** The store in memory keeps the contract, so that tests of the engine rest on what they would rest on in a file. */
import { checkState } from '../../../src/state/document/check-state.ts';
import { MemoryStore } from '../../../src/state/memory/memory-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { describeStoreContract } from '../../support/store-contract.ts';

describeStoreContract('MemoryStore', () => {
  const store = new MemoryStore(new FakeClock());
  return {
    store,
    problems: () => Promise.resolve(checkState(store.document)),
    content: () => Promise.resolve(store.document),
    kill: (executor) => Promise.resolve(store.kill(executor)),
    dispose: () => Promise.resolve(),
  };
});
