/** Taking up runs without a live owner: who is robbed and who is not, and when a run was interrupted too often. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { outcomeOf } from '../../../../src/model/run.ts';
import { letters } from '../../../support/letters.ts';
import { EVERYTHING } from '../../../../src/state/needs.ts';
import { finishedRuns } from '../../../support/finished-runs.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { cancelRuns } from '../../../../src/engine/plan/ends/cancel-runs.ts';
import { ownedRuns } from '../../../../src/engine/plan/executors/owned-run.ts';
import {
  type Claim,
  claimRuns,
  forTick,
  hasUnowned,
  planTakeUp,
} from '../../../../src/engine/plan/executors/take-up.ts';
import { planRetry } from '../../../../src/engine/plan/retry/plan-retry.ts';
import { checkState } from '../../../../src/state/document/check-state.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import type { StateChange } from '../../../../src/state/changes.ts';
import type { PendingRun, PendingRuns } from '../../../../src/model/pending-run.ts';
import type { Executor } from '../../../../src/state/store.ts';
import { AT, finishedRun, keysAdded, lettersPipeline, queuedRuns } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const NOW = Date.parse(AT);

describe('runs without a live owner', () => {
  let store: MemoryStore;
  let me: Executor;

  beforeEach(async () => {
    store = new MemoryStore(new FakeClock());
    me = await entered();
    await commit(keysAdded('letters', ['a', 'b', 'c']));
  });

  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  const entered = async (): Promise<Executor> => {
    const executor = await store.enter();
    await commit({ type: 'executor', id: executor.id, slots: 5, wants: 0 });
    return executor;
  };
  const claim = async (
    wanted: (runs: PendingRuns, run: PendingRun) => boolean = () => true,
  ): Promise<Claim> => {
    const claimed = await store.commit(EVERYTHING, (view) => {
      const outcome = claimRuns(view, { owner: me.id, now: NOW, wanted });
      return { changes: outcome.changes, outcome };
    });
    expect(checkState(store.document)).toEqual([]);
    return claimed;
  };
  const ids = ({ owned }: Claim): string[] => owned.map(({ id }) => id);

  it('are shared where they are the last ones: each living executor has its part, and whoever has nothing to do has enough', async () => {
    const other = await entered();
    await entered();
    await commit({
      type: 'runs-queued',
      runs: queuedRuns({ group: 'n', keys: Array.from({ length: 10 }, (_, at) => `${at}`) }),
      owner: null,
    });
    const share = async (most: number, atLeast?: number): Promise<number> => {
      const view = await store.read(EVERYTHING);
      const options = { owner: me.id, now: NOW, concurrency: 5, wanted: () => true, most };
      return planTakeUp(view, { ...options, ...(atLeast !== undefined && { atLeast }) }).outcome.owned.length;
    };
    // There are more than it takes: nobody is kept from any.
    expect(await share(9, 0)).toBe(9);
    expect(await share(10, 0)).toBe(10);
    expect(await share(20, 0)).toBe(4);
    expect(await share(20, 6)).toBe(6);
    expect(await share(20)).toBe(10);
    store.kill(other.id);
    expect(await share(20, 0)).toBe(5);
  });

  it('are those of nobody and those of the dead, never those of the living', async () => {
    const [dead, living] = [await entered(), await entered()];
    await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'n', keys: ['a'] }), owner: null });
    await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'd', keys: ['b'] }), owner: dead.id });
    await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'l', keys: ['c'] }), owner: living.id });
    store.kill(dead.id);
    expect(hasUnowned(await store.read(EVERYTHING), () => true)).toBe(true);
    expect(ids(await claim())).toEqual(['n-1', 'd-1']);
    expect((await store.read(EVERYTHING)).executors().map(({ id }) => id)).toEqual([me.id, living.id]);
    expect(hasUnowned(await store.read(EVERYTHING), () => true)).toBe(false);
    expect(ids(await claim())).toEqual([]);
    expect(ownedRuns(await store.read(EVERYTHING), me.id, 'n').map(({ id }) => id)).toEqual(['n-1']);
  });

  it('are taken up in the order of queueing, whatever has begun of them meanwhile', async () => {
    const dead = await entered();
    await commit({
      type: 'runs-queued',
      runs: queuedRuns({ group: 'd', keys: ['a', 'b', 'c'] }),
      owner: dead.id,
    });
    await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'b', keys: ['a'] }), owner: null });
    await commit({ type: 'runs-started', runs: new Map([['d-1', AT]]) });
    store.kill(dead.id);
    const queued = ['d-1', 'd-2', 'd-3'];
    expect(ids(await claim())).toEqual([...queued, 'b-1']);
    await commit({ type: 'runs-canceling', ids: ['d-2'] });
    expect(ownedRuns(await store.read(EVERYTHING), me.id, 'd').map(({ id }) => id)).toEqual(queued);
  });

  it('change nothing where there are none', async () => {
    const before = store.document;
    expect(await claim()).toEqual({ changes: [], owned: [], ended: [] });
    expect(store.document).toBe(before);
  });

  it('are taken up by a tick except those that are for a worker', async () => {
    for (const origin of ['tick', 'worker', 'materialize'] as const) {
      await commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: origin, origin, keys: ['a'] }),
        owner: null,
      });
    }
    expect(ids(await claim(forTick))).toEqual(['tick-1', 'materialize-1']);
    expect(hasUnowned(await store.read(EVERYTHING), forTick)).toBe(false);
    expect(hasUnowned(await store.read(EVERYTHING), () => true)).toBe(true);
  });

  it('keep a dead owner as long as some of its runs were not taken up', async () => {
    const dead = await entered();
    await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b'] }), owner: dead.id });
    void dead.begun('g-2', 60_000);
    store.kill(dead.id);
    expect(ids(await claim((_, { id }) => id === 'g-1'))).toEqual(['g-1']);
    expect((await store.read(EVERYTHING)).executors().some(({ id }) => id === dead.id)).toBe(true);
    expect((await claim()).owned).toMatchObject([{ id: 'g-2', interrupted: 1 }]);
    expect((await store.read(EVERYTHING)).executors().some(({ id }) => id === dead.id)).toBe(false);
  });

  it('count an execution only where user code had begun and not ended', async () => {
    const dead = await entered();
    await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b', 'c'] }), owner: dead.id });
    void dead.begun('g-1', 60_000);
    void dead.begun('g-2', 60_000);
    dead.ended('g-2');
    store.kill(dead.id);
    const { owned } = await claim();
    expect(owned.map(({ id, interrupted }) => `${id} ${interrupted}`)).toEqual(['g-1 1', 'g-2 0', 'g-3 0']);
    const view = await store.read(EVERYTHING);
    expect(['g-1', 'g-2', 'g-3'].map((id) => view.run(id)!.run.interrupted)).toEqual([1, 0, 0]);
  });

  it('end as FAILURE when they were executed three times without an end', async () => {
    await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b'] }), owner: me.id });
    for (let time = 1; time <= 3; time++) {
      void me.begun('g-1', 60_000);
      store.kill(me.id);
      me = await entered();
      const { owned, ended } = await claim();
      if (time < 3) {
        expect(owned.find(({ id }) => id === 'g-1')!.interrupted).toBe(time);
        expect(ended).toEqual([]);
      } else {
        expect(owned.map(({ id }) => id)).toEqual(['g-2']);
        expect(ended).toMatchObject([
          {
            record: { id: 'g-1', status: 'FAILURE', error: { code: 'interrupted' }, finishedAt: AT },
          },
        ]);
        expect(ended[0]!.record.error!.message).toContain('3 times');
      }
    }
    expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('f..');
    expect((await finishedRuns(store, { limit: 5 })).map(({ id }) => id)).toEqual(['g-1']);
  });

  it('end as CANCELED where they were to be aborted when their owner died', async () => {
    const dead = await entered();
    await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a'] }), owner: dead.id });
    await commit({ type: 'runs-canceling', ids: ['g-1'] });
    void dead.begun('g-1', 60_000);
    store.kill(dead.id);
    expect(await claim()).toMatchObject({
      owned: [],
      ended: [
        {
          record: {
            status: 'CANCELED',
            error: { message: 'it was canceled by hand (runs cancel)' },
          },
        },
      ],
    });
    expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('...');
  });

  describe('that are canceled', () => {
    const cancel = async (...chosen: string[]): Promise<ReturnType<typeof cancelRuns>> => {
      const outcome = await store.commit(EVERYTHING, (view) => {
        const canceled = cancelRuns(view, (_, { id }) => chosen.includes(id), { why: 'by hand', now: NOW });
        return { changes: canceled.changes, outcome: canceled };
      });
      expect(checkState(store.document)).toEqual([]);
      return outcome;
    };

    it('end at once; those of a live owner are marked for it', async () => {
      const dead = await entered();
      await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'n', keys: ['a', 'b'] }), owner: null });
      await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'd', keys: ['b'] }), owner: dead.id });
      await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'l', keys: ['c'] }), owner: me.id });
      store.kill(dead.id);
      const { runs } = await cancel('n-1', 'd-1', 'l-1');
      expect(runs.map(({ id, status }) => `${id} ${status}`).sort()).toEqual([
        'd-1 CANCELED',
        'l-1 QUEUED',
        'n-1 CANCELED',
      ]);
      expect((await store.read(EVERYTHING)).run('l-1')!.run.canceling).toBe(true);
      expect(
        (await finishedRuns(store, { limit: 9 })).map(({ id, error }) => `${id} ${error!.message}`).sort(),
      ).toEqual(['d-1 by hand', 'n-1 by hand']);
      expect((await store.read(EVERYTHING)).run('n-2')).toBeDefined();
    });

    it('change nothing where none is chosen', async () => {
      expect(await cancel('x-1')).toEqual({ changes: [], runs: [] });
    });
  });
});

describe('a retry', () => {
  const pipeline = lettersPipeline();

  const planned = async (
    ...runs: Parameters<typeof finishedRun>[0][]
  ): Promise<ReturnType<typeof planRetry>> => {
    const store = new MemoryStore(new FakeClock());
    await store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['a', 'b'])],
      outcome: undefined,
    }));
    return planRetry(
      await store.read(EVERYTHING),
      pipeline,
      runs.map((run) => finishedRun(run).record),
      { now: NOW, group: 'r' },
    );
  };
  const outcome = (name: string, status: 'SUCCESS' | 'FAILURE' | 'SKIPPED'): ReturnType<typeof outcomeOf> =>
    outcomeOf({ asset: name, status, attempts: 1 });

  it('is a new run for the same key of the assets that did not succeed, in order', async () => {
    const runs = await planned(
      {
        id: 'x-1',
        partitionKey: 'a',
        status: 'FAILURE',
        sensor: 'feed',
        runKey: 'k',
        tags: { t: '1' },
        assets: [outcome('transcript', 'SKIPPED'), outcome('audio', 'FAILURE')],
      },
      {
        id: 'x-2',
        partitionKey: 'b',
        status: 'FAILURE',
        assets: [outcome('audio', 'SUCCESS'), outcome('transcript', 'FAILURE')],
      },
      { id: 'x-3', status: 'CANCELED', assets: [outcome('report', 'FAILURE')] },
    );
    expect(
      runs.map(({ group, firstNumber, assets, keys, retryOf, set, tags, sensor, runKeys }) => ({
        group,
        firstNumber,
        assets,
        keys,
        retryOf,
        set,
        tags,
        sensor,
        runKeys,
      })),
    ).toEqual([
      {
        group: 'r',
        firstNumber: 1,
        assets: ['audio', 'transcript'],
        keys: ['a'],
        retryOf: 'x-1',
        set: 'letters',
        tags: { t: '1' },
        sensor: 'feed',
        runKeys: ['k'],
      },
      {
        group: 'r',
        firstNumber: 2,
        assets: ['transcript'],
        keys: ['b'],
        retryOf: 'x-2',
        set: 'letters',
        tags: {},
        sensor: null,
        runKeys: null,
      },
      {
        group: 'r',
        firstNumber: 3,
        assets: ['report'],
        keys: [null],
        retryOf: 'x-3',
        set: null,
        tags: {},
        sensor: null,
        runKeys: null,
      },
    ]);
  });

  it('of a run that succeeded makes all of its assets again', async () => {
    const [run] = await planned({ id: 'x-1', partitionKey: 'a', status: 'SUCCESS' });
    expect(run!.assets).toEqual(['audio']);
  });

  it('is refused where the asset or the key is gone', async () => {
    await expect(
      planned({
        id: 'x-1',
        partitionKey: 'a',
        status: 'FAILURE',
        assets: [outcome('video', 'FAILURE')],
      }),
    ).rejects.toMatchObject({ failure: { reason: 'unknown-name', names: ['video'] } });
    await expect(planned({ id: 'x-1', partitionKey: 'z', status: 'FAILURE' })).rejects.toMatchObject({
      failure: { reason: 'unknown-keys', keys: ['z'] },
    });
  });
});
