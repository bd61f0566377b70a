/** Canceling runs: which end at once, which are left to their owner, and what becomes of owners that are dead. */
import { EVERYTHING } from '../../../../src/state/needs.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { cancelRuns, cancelRunsOfKeys } from '../../../../src/engine/plan/ends/cancel-runs.ts';
import { checkState } from '../../../../src/state/document/check-state.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import type { StateChange } from '../../../../src/state/changes.ts';
import type { Executor } from '../../../../src/state/store.ts';
import { AT, keysAdded, queuedRuns } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const NOW = Date.parse(AT);

describe('the runs of a process that died', () => {
  let store: MemoryStore;
  let dead: Executor;
  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));

  beforeEach(async () => {
    store = new MemoryStore(new FakeClock());
    dead = await store.enter();
    await commit(
      keysAdded('letters', ['a', 'b']),
      { type: 'executor', id: dead.id, slots: 2, wants: 0 },
      { type: 'runs-queued', runs: queuedRuns({ group: 'd', keys: ['a', 'b'] }), owner: dead.id },
    );
    store.kill(dead.id);
  });

  const left = async (): Promise<{ runs: string[]; executors: string[] }> => {
    const view = await store.read(EVERYTHING);
    expect(checkState(store.document)).toEqual([]);
    return {
      runs: view.runs().flatMap((runs) => Array.from({ length: runs.count }, (_, at) => runs.at(at).id)),
      executors: view.executors().map(({ id }) => id),
    };
  };

  it('end at once when they are canceled, and with the last of them the process leaves the state', async () => {
    for (const [id, stays] of [
      ['d-1', { runs: ['d-2'], executors: [dead.id] }],
      ['d-2', { runs: [], executors: [] }],
    ] as const) {
      await store.commit(EVERYTHING, (view) => ({
        changes: cancelRuns(view, (_, run) => run.id === id, { why: 'test', now: NOW }).changes,
        outcome: undefined,
      }));
      expect(await left()).toEqual(stays);
    }
  });

  it('end with their keys, and the process with them', async () => {
    await store.commit(EVERYTHING, (view) => ({
      changes: [
        ...cancelRunsOfKeys(view, 'letters', ['a', 'b'], { by: 'a test', now: NOW }),
        { type: 'keys-removed', set: 'letters', keys: ['a', 'b'], keepOut: false },
      ],
      outcome: undefined,
    }));
    expect(await left()).toEqual({ runs: [], executors: [] });
  });
});
