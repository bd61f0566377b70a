/** Who commits and goes on from what the state is then: the database answers both at once. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { StateView } from '../../../src/state/state-view.ts';
import { queuedRuns } from '../../support/builders.ts';
import { EngineRig, MapValues } from '../../support/engine-rig.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const queue = (keys: readonly string[], group = 'g') => ({
  changes: [{ type: 'runs-queued', runs: queuedRuns({ group, keys }), owner: null } as const],
  outcome: 'queued',
});

it('a commit shows the state as it is after it, in the same transaction', async () => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  await store.read({});
  const looks = vi.spyOn(store.database, 'read');
  const seen: StateView[] = [];
  const add = (view: StateView): void => void seen.push(view);
  const needs = vi.fn(() => ({ runs: ['all'] as const }));
  await store.commit({}, () => queue(['a', 'b']), { needs, seen: add });
  expect(needs).toHaveBeenCalledExactlyOnceWith('queued');
  expect(seen.map((view) => [view.serial, view.runs().map(({ count }) => count)])).toEqual([[1, [2]]]);
  expect(looks).not.toHaveBeenCalled();
  expect((await store.read({})).serial).toBe(1);
  // Nothing is asked for, or nothing has changed.
  await store.commit({}, () => queue(['c'], 'other'), { needs: () => null, seen: add });
  await store.commit({}, () => ({ changes: [], outcome: 'nothing' }), { needs, seen: add });
  expect(seen).toHaveLength(1);
  await rig.dispose();
});

it('a commit that is undone shows nothing', async () => {
  const rig = await PostgresRig.make(cluster);
  const seen = vi.fn<(view: StateView) => void>();
  const failing = rig.store.commit(
    {},
    () => ({
      changes: [
        ...queue(['a']).changes,
        { type: 'executor', id: 'never entered', slots: 1, wants: 0 } as const,
      ],
      outcome: undefined,
    }),
    { needs: () => ({ runs: ['all'] }), seen },
  );
  await expect(failing).rejects.toThrow('never entered');
  expect(seen).not.toHaveBeenCalled();
  expect((await rig.store.read({})).serial).toBe(0);
  await rig.dispose();
});

it('a worker that was called takes up what there is and knows what it takes on with that one commit', async () => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  const engine = new EngineRig();
  const session = engine.session({ store });
  // What was called for somebody else has taken.
  expect(await session.takeUpShare(10, 10, true)).toBe(0);
  await store.commit({}, () => queue(['a', 'b', 'c']));
  const looks = vi.spyOn(store.database, 'read');
  const commits = vi.spyOn(store.database, 'write');
  expect(await session.takeUpShare(2, 2, true)).toBe(2);
  expect([session.left, looks.mock.calls.length, commits.mock.calls.length]).toEqual([2, 0, 1]);
  // Who looks by itself looks first: most often there is nothing, and it keeps nobody from committing.
  expect(await session.takeUpShare(2, 2, false)).toBe(1);
  expect(await session.takeUpShare(2, 2, false)).toBe(0);
  expect(commits).toHaveBeenCalledTimes(2);
  expect(session.left).toBe(3);
  await session.leave();
  await rig.dispose();
});

it.each([
  ['without another look where its claim was made within the last second', 0],
  ['behind another look where its claim is older than that', 1000],
])('what a worker has made is saved %s', async (_, ms) => {
  const rig = await PostgresRig.make(cluster);
  const { store } = rig;
  const engine = new EngineRig();
  const looks = vi.spyOn(store.database, 'read');
  const before: number[] = [];
  const ioManager = new MapValues();
  vi.spyOn(ioManager, 'save').mockImplementation(() => void before.push(looks.mock.calls.length));
  const clock = new ManualClock();
  const session = engine.session({ store, ioManager, clock });
  await store.commit({}, () => queue(['a']));
  looks.mockClear();
  expect(await session.takeUpShare(1, 1, true)).toBe(1);
  await clock.advance(ms);
  await session.execute();
  expect(before.map((count) => count > 0)).toEqual([ms > 0]);
  await session.leave();
  await rig.dispose();
});
