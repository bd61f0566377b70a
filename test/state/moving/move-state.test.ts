/** A move to a place that does not hold what it was given, or that somebody changes meanwhile. */
import { describe, expect, it } from 'vitest';
import type { Belongings } from '../../../src/state/moving/belongings.ts';
import { giveUpMove, moveState } from '../../../src/state/moving/move-state.ts';
import type { Station } from '../../../src/state/moving/station.ts';
import { filesOf } from '../../../src/cli/state-station.ts';
import type { JsonFileStore } from '../../../src/state/json/json-file-store.ts';
import { AT, tickRecord } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { JsonRig } from '../../support/json-rig.ts';

function station(store: JsonFileStore, belongings?: (own: Belongings) => Belongings): Station {
  return {
    place: store.file.path,
    store,
    belongings: async () => {
      const own = await filesOf(store);
      return belongings?.(own) ?? own;
    },
  };
}

async function furnished(rig: JsonRig): Promise<JsonFileStore> {
  await rig.store.commit({}, () => ({
    changes: [{ type: 'keys-added', set: 'letters', keys: ['a', 'b'], at: AT }],
    outcome: undefined,
  }));
  await rig.store.recordTick(tickRecord({ sensor: 'feed' }));
  await (
    await filesOf(rig.store)
  ).putValues([[{ asset: 'upper', key: 'a', codec: 'json', bytes: 4 }, Buffer.from('"A"\n')]]);
  return rig.store;
}

describe('a target that does not hold what was moved there', () => {
  const LYING: Readonly<Record<string, (own: Belongings) => Belongings>> = {
    ticks: (own) => ({ ...own, putTicks: () => Promise.resolve() }),
    values: (own) => ({ ...own, putValues: () => Promise.resolve() }),
  };

  it.each(Object.entries(LYING))(
    'is told of its %s, and nobody works with either place',
    async (what, lie) => {
      using rig = new JsonRig();
      using other = new JsonRig();
      const source = station(await furnished(rig));
      const options = { source, values: true, clock: new FakeClock(), say: () => undefined };
      await expect(moveState({ ...options, target: station(other.store, lie) })).rejects.toMatchObject({
        failure: { reason: 'move-incomplete', place: other.stateFile, what, found: 0, sent: 1 },
      });
      expect((await rig.store.document()).move).toMatchObject({ to: other.stateFile, isOver: false });
      expect((await other.store.document()).move).toMatchObject({ from: rig.stateFile });
      // Mended, it goes on.
      expect(await moveState({ ...options, target: station(other.store) })).toMatchObject({
        keys: 2,
        ticks: 1,
        values: 1,
      });
      expect((await other.store.document()).move).toBeUndefined();
      expect((await rig.store.document()).move).toMatchObject({ to: other.stateFile, isOver: true });
    },
  );

  it('leaves the state where it is when the move is given up', async () => {
    using rig = new JsonRig();
    using other = new JsonRig();
    const source = station(await furnished(rig));
    const target = station(other.store, LYING['ticks']);
    const options = { source, values: true, clock: new FakeClock(), say: () => undefined };
    await expect(moveState({ ...options, target })).rejects.toThrow();
    await giveUpMove({ source, target });
    expect((await rig.store.document()).move).toBeUndefined();
    await expect(giveUpMove({ source, target })).rejects.toMatchObject({ failure: { reason: 'usage' } });
  });
});

it('is refused where somebody commits between the look and the mark', async () => {
  using rig = new JsonRig();
  using other = new JsonRig();
  const store = await furnished(rig);
  const source = station(store);
  const target = station(other.store);
  let isFirst = true;
  const changing: Station['store'] = Object.create(store, {
    commit: {
      value: async (...args: Parameters<JsonFileStore['commit']>) => {
        if (isFirst)
          await rig.open().commit({}, () => ({
            changes: [{ type: 'keys-added', set: 'letters', keys: ['c'], at: AT }],
            outcome: undefined,
          }));
        isFirst = false;
        return store.commit(...args);
      },
    },
    document: { value: () => store.document() },
    read: { value: store.read.bind(store) },
    evaluating: { value: store.evaluating.bind(store) },
    readLog: { value: store.readLog.bind(store) },
  }) as Station['store'];
  const options = { target, values: true, clock: new FakeClock(), say: () => undefined };
  await expect(moveState({ ...options, source: { ...source, store: changing } })).rejects.toMatchObject({
    failure: { reason: 'usage', message: expect.stringContaining('was changed meanwhile') as string },
  });
  expect((await store.document()).move).toBeUndefined();
  expect(await moveState({ ...options, source })).toMatchObject({ keys: 3 });
});

it.each([
  ['once, where nobody has changed it behind its mark', false, 1, ['a', 'b']],
  ['anew, where somebody has: what is there counts', true, 2, ['a', 'b', 'c']],
] as const)('reads the source whole %s', async (_, isChanged, times, keys) => {
  using rig = new JsonRig();
  using other = new JsonRig();
  const source = station(await furnished(rig));
  let reads = 0;
  const counted: Station['store'] = {
    document: () => {
      reads++;
      return rig.store.document();
    },
    read: (needs) => rig.store.read(needs),
    commit: (needs, plan) => rig.store.commit(needs, plan),
    runs: (query) => rig.store.runs(query),
    readLog: (id, from) => rig.store.readLog(id, from),
    evaluating: (sensor) => rig.store.evaluating(sensor),
    restore: () => Promise.reject(new Error('it is the source')),
  };
  const target = station(other.store, (own) => ({
    ...own,
    putTicks: async (sensor, ticks) => {
      await own.putTicks(sensor, ticks);
      if (!isChanged) return;
      await rig.open().commit({}, () => ({
        changes: [
          { type: 'moved', mark: null },
          { type: 'keys-added', set: 'letters', keys: ['c'], at: AT },
        ],
        outcome: undefined,
      }));
    },
  }));
  await moveState({
    source: { ...source, store: counted },
    target,
    values: true,
    clock: new FakeClock(),
    say: () => undefined,
  });
  expect(reads).toBe(times);
  expect((await other.store.document()).sets['letters']!.keys).toEqual(keys);
});
