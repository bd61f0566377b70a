/** Another process that is blocked: it is named, keeps what it has, and nobody waits for it. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { EVERYTHING } from '../../../src/state/needs.ts';
import { describe, expect, it } from 'vitest';
import type { RunSession } from '../../../src/engine/runs/run-session.ts';
import type { Executor } from '../../../src/state/store.ts';
import { keysAdded, lettersPipeline, queuedRuns } from '../../support/builders.ts';
import { EngineRig } from '../../support/engine-rig.ts';

const everything = (): boolean => true;

/** A process that holds `b` and `c`, and blocks on `b`. */
async function withBlocked(slots = 1): Promise<{ rig: EngineRig; blocked: Executor }> {
  const rig = new EngineRig(lettersPipeline());
  await rig.commit(keysAdded('letters', ['a', 'b', 'c', 'd']), { type: 'sensor-changed', sensor: 'feed' });
  const blocked = await rig.store.enter();
  await rig.commit(
    { type: 'executor', id: blocked.id, slots, wants: 0 },
    { type: 'runs-queued', runs: queuedRuns({ group: 'x', keys: ['b', 'c'] }), owner: blocked.id },
  );
  void blocked.begun('x-1', 60_000);
  rig.store.block(blocked.id);
  return { rig, blocked };
}

async function queue(
  session: RunSession,
  keys: readonly string[],
  sensor: string | null = null,
): Promise<void> {
  const runs = queuedRuns({ group: 'm', origin: 'materialize', keys, sensor });
  await session.commit('m', {}, (_, owner) => ({
    changes: [{ type: 'runs-queued', runs, owner }],
    outcome: undefined,
    queued: keys.length,
    takenOver: new Set(),
  }));
}

describe('a process that is blocked', () => {
  it('is named once, with its pid and with what it has begun', async () => {
    const { rig } = await withBlocked();
    const session = rig.session();
    await session.takeUp(everything, everything);
    await session.sayBlocked();
    expect(rig.events.all).toEqual([
      {
        type: 'process-blocked',
        failure: {
          reason: 'run-blocked',
          pid: process.pid,
          host: 'memory',
          since: expect.any(String) as string,
          runs: [{ id: 'x-1', assets: ['audio'], key: 'b' }],
        },
      },
    ]);
  });

  it('is named with what it holds where it has begun nothing: a function that is asked beside the code of runs may block, too', async () => {
    const { rig, blocked } = await withBlocked();
    blocked.ended('x-1');
    const session = rig.session();
    await session.takeUp(everything, everything);
    await session.sayBlocked();
    expect(rig.events.all).toMatchObject([
      {
        type: 'process-blocked',
        failure: {
          runs: [
            { id: 'x-1', key: 'b' },
            { id: 'x-2', key: 'c' },
          ],
        },
      },
    ]);
  });

  it('has its runs shown as they are, though it could commit nothing', async () => {
    const { rig } = await withBlocked();
    const shown = (await rig.store.runs({})).runs.map(({ id, status }) => `${id} ${status}`);
    expect(shown).toEqual(['x-2 QUEUED', 'x-1 STARTED']);
  });

  it('is not waited for: other keys are made, and what it holds is canceled here', async () => {
    const { rig, blocked } = await withBlocked();
    const session = rig.session({ onInterrupt: 'cancel' });
    await queue(session, ['a', 'b', 'c', 'd']);
    await session.execute();
    await session.leave();
    expect((await rig.ended()).sort()).toEqual([
      'm-1 SUCCESS',
      'm-2 CANCELED',
      'm-3 CANCELED',
      'm-4 SUCCESS',
    ]);
    const view = await rig.store.read(EVERYTHING);
    expect(view.runs().map(({ owner, count }) => ({ owner, count }))).toEqual([
      { owner: blocked.id, count: 2 },
    ]);
  });

  it('leaves what a sensor requested in the queue, for when it has been ended', async () => {
    const { rig, blocked } = await withBlocked();
    const session = rig.session();
    await queue(session, ['a', 'b'], 'feed');
    await session.execute();
    await session.leave();
    expect(await rig.ended()).toEqual(['m-1 SUCCESS']);
    const next = rig.session();
    await next.takeUp(everything, everything);
    expect(next.left).toBe(0);
    rig.store.kill(blocked.id);
    await next.takeUp(everything, everything);
    await next.execute();
    expect((await rig.ended()).sort()).toEqual(['m-1 SUCCESS', 'm-2 SUCCESS', 'x-1 SUCCESS', 'x-2 SUCCESS']);
  });

  it('is not waited for where it takes all the room', async () => {
    const { rig } = await withBlocked(10);
    const session = rig.session({ onInterrupt: 'cancel', concurrency: 10 });
    await queue(session, ['a']);
    await session.execute();
    expect(await rig.ended()).toEqual(['m-1 CANCELED']);
  });
});

describe('a process that waits for another one', () => {
  const rigWith = async (slots: number): Promise<{ rig: EngineRig; neighbour: Executor }> => {
    const rig = new EngineRig(lettersPipeline());
    await rig.commit(keysAdded('letters', ['a', 'b']), { type: 'sensor-changed', sensor: 'feed' });
    const neighbour = await rig.store.enter();
    await rig.commit(
      { type: 'executor', id: neighbour.id, slots, wants: 0 },
      { type: 'runs-queued', runs: queuedRuns({ group: 'x', keys: ['b'] }), owner: neighbour.id },
    );
    return { rig, neighbour };
  };
  /** Until it says what it waits for; then the other one is gone. */
  const waitedFor = async (
    rig: EngineRig,
    neighbour: Executor,
    keys: readonly string[],
  ): Promise<unknown> => {
    const session = rig.session({ onInterrupt: 'cancel', concurrency: 10 });
    await queue(session, keys);
    const executing = session.execute();
    await rig.events.until((all) => all.some(({ type }) => type === 'waiting'));
    rig.store.kill(neighbour.id);
    await executing;
    expect(await rig.ended()).toEqual(['m-1 SUCCESS']);
    return rig.events.all.find(({ type }) => type === 'waiting');
  };

  it('says who has its asset and key in hand', async () => {
    const { rig, neighbour } = await rigWith(1);
    expect(await waitedFor(rig, neighbour, ['b'])).toEqual({
      type: 'waiting',
      waitsFor: {
        for: 'work',
        pid: process.pid,
        host: 'memory',
        run: 'x-1',
        asset: 'audio',
        partitionKey: 'b',
      },
    });
  });

  it('says who takes all the room', async () => {
    const { rig, neighbour } = await rigWith(10);
    expect(await waitedFor(rig, neighbour, ['a'])).toEqual({
      type: 'waiting',
      waitsFor: { for: 'room', pid: process.pid, host: 'memory', runs: 10 },
    });
  });
});
