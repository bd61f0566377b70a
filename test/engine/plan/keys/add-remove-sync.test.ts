/** Changing a set by hand: adding, removing, making it equal to a list, and choosing what to retire. */
import { EVERYTHING } from '../../../../src/state/needs.ts';
import { finishedRuns } from '../../../support/finished-runs.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { addKeys, removeKeys, syncKeys } from '../../../../src/engine/plan/keys/add-remove-sync.ts';
import { checkState } from '../../../../src/state/document/check-state.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import type { StateView } from '../../../../src/state/state-view.ts';
import type { Plan } from '../../../../src/state/store.ts';
import { AT, keysAdded, queuedRuns } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const NOW = Date.parse(AT);

describe('a set that is changed by hand', () => {
  let store: MemoryStore;

  beforeEach(async () => {
    store = new MemoryStore(new FakeClock());
    await store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['a', 'b', 'c'])],
      outcome: undefined,
    }));
  });

  const commit = async <T>(plan: (view: StateView) => Plan<T>): Promise<T> => {
    const outcome = await store.commit(EVERYTHING, plan);
    expect(checkState(store.document)).toEqual([]);
    return outcome;
  };
  const add = (keys: string[]): Promise<unknown> =>
    commit((view) => addKeys(view, 'letters', keys, { now: NOW }));
  const remove = (keys: string[], keepOut = false): Promise<unknown> =>
    commit((view) => removeKeys(view, 'letters', keys, { keepOut, now: NOW }));
  const sync = (keys: string[]): Promise<unknown> => commit((view) => syncKeys(view, 'letters', keys, NOW));
  const keys = async (): Promise<readonly string[]> => (await store.read(EVERYTHING)).keys('letters');

  it('takes what is new and skips what is there, each once', async () => {
    expect(await add(['d', 'a', 'd', 'e'])).toEqual({ added: ['d', 'e'], updated: [], skipped: ['a'] });
    expect(await keys()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('is left alone where there is nothing to do', async () => {
    const before = store.document;
    expect(await add(['a'])).toEqual({ added: [], updated: [], skipped: ['a'] });
    expect(await add([])).toEqual({ added: [], updated: [], skipped: [] });
    expect(await remove(['x', 'x'])).toEqual({ removed: [], skipped: ['x'] });
    expect(await sync(['c', 'b', 'a'])).toEqual({ added: [], removed: [], unchanged: 3 });
    expect(store.document).toBe(before);
  });

  it('loses what is removed, and cancels its queued runs', async () => {
    await commit(() => ({
      changes: [{ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b'] }), owner: null }],
      outcome: undefined,
    }));
    expect(await remove(['b', 'x', 'b'])).toEqual({ removed: ['b'], skipped: ['x'] });
    expect(await keys()).toEqual(['a', 'c']);
    expect(
      (await finishedRuns(store, { limit: 9 })).map(
        ({ id, status, error }) => `${id} ${status} ${error!.message}`,
      ),
    ).toEqual(['g-2 CANCELED its partition key was removed (partitions remove)']);
    expect((await store.read(EVERYTHING)).run('g-1')).toBeDefined();
  });

  it('leaves runs of other sets’ keys of the same name alone', async () => {
    await commit(() => ({
      changes: [
        keysAdded('numbers', ['a']),
        { type: 'runs-queued', runs: queuedRuns({ set: 'numbers', keys: ['a'] }), owner: null },
      ],
      outcome: undefined,
    }));
    await remove(['a']);
    expect((await store.read(EVERYTHING)).run('g-1')).toBeDefined();
  });

  it('keeps out what it is told to, also what was never in it, and lets it in by hand', async () => {
    expect(await remove(['a', 'x'], true)).toEqual({ removed: ['a'], skipped: ['x'] });
    expect((await store.read(EVERYTHING)).keptOut('letters', ['a', 'b', 'x'])).toEqual(new Set(['a', 'x']));
    const before = store.document;
    await remove(['a', 'x'], true);
    expect(store.document).toBe(before);
    await add(['x', 'a']);
    expect(await keys()).toEqual(['b', 'c', 'x', 'a']);
    expect((await store.read(EVERYTHING)).keptOut('letters', ['a', 'x'])).toEqual(new Set());
  });

  it('becomes equal to a list: what stays keeps its place, what is new comes last', async () => {
    expect(await sync(['e', 'c', 'd', 'a', 'e'])).toEqual({
      added: ['e', 'd'],
      removed: ['b'],
      unchanged: 2,
    });
    expect(await keys()).toEqual(['a', 'c', 'e', 'd']);
    expect(await sync([])).toEqual({ added: [], removed: ['a', 'c', 'e', 'd'], unchanged: 0 });
    expect(await keys()).toEqual([]);
  });

  it('lets in what was kept out and stands in the list', async () => {
    await remove(['a'], true);
    expect(await sync(['a', 'b', 'c'])).toEqual({ added: ['a'], removed: [], unchanged: 2 });
  });
});
