/** What a process has of the pools, and when it asks for more. */
import { expect, it } from 'vitest';
import { definePipeline } from '../../../src/definitions/pipeline.ts';
import type { OwnedRun } from '../../../src/engine/plan/executors/owned-run.ts';
import { PoolRoom } from '../../../src/engine/runs/pool-room.ts';
import { NOTHING_CARRIED } from '../../../src/model/carried.ts';
import { MemoryStore } from '../../../src/state/memory/memory-store.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import type { StateChange } from '../../../src/state/changes.ts';
import { idle } from '../../support/builders.ts';
import { ManualClock } from '../../support/manual-clock.ts';

it('asks again when a rate allows it, though nobody has changed the state since it was asked in vain', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore(clock);
  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  const one = await store.enter();
  await clock.advance(1);
  const other = await store.enter();
  for (const { id } of [one, other]) await commit({ type: 'executor', id, slots: 1, wants: 0 });
  const pipeline = definePipeline({
    assets: [idle('audio', { pool: 'api' })],
    pools: { api: { limit: 2, rate: { calls: 1, perSeconds: 10 } } },
  });
  const room = new PoolRoom({ pipeline, store, executor: one, clock });
  const run = { id: 'g-1', assets: ['audio'], partitionKey: null } as unknown as OwnedRun;
  room.name([run], () => NOTHING_CARRIED);
  const pools = room.of(run);
  const lanes = [{ pools, waiting: 1 }];
  // It has its place by an earlier look, and no call.
  await commit({ type: 'pools', executor: one.id, shares: { api: [1, 0] }, starts: {} });
  const look = () => store.read(EVERYTHING);
  expect(room.hasNews(await look(), lanes)).toBe(true);
  // Another process is given the call in between, and has nothing to say any more.
  await commit({ type: 'pools', executor: other.id, shares: {}, starts: { api: [[clock.now(), 1]] } });
  await room.ask(() => lanes);
  expect(room.mayEnter(pools)).toBe(false);
  await clock.advance(15_000);
  expect(room.hasNews(await look(), lanes)).toBe(true);
  await room.ask(() => lanes);
  expect(room.mayEnter(pools)).toBe(true);
});
