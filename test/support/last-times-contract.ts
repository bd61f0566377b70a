/** What every store remembers of when things came last: assets that were made, and keys that sensors brought. */
import { expect, it } from 'vitest';
import type { KnownPipeline } from '../../src/model/known-pipeline.ts';
import type { StateChange } from '../../src/state/changes.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import type { StateStore } from '../../src/state/store.ts';
import { AT, finishedRun, keysAdded, tickRecord } from './builders.ts';

const [EARLY, LATE, LATEST] = [1, 2, 3].map((day) => `2026-02-0${day}T00:00:00.000Z`) as [
  string,
  string,
  string,
];

const ended = (status: 'SUCCESS' | 'FAILURE' | 'CANCELED', finishedAt: string, key = 'a'): StateChange => ({
  type: 'runs-finished',
  runs: [finishedRun({ id: `g-${finishedAt}-${key}`, partitionKey: key, status, finishedAt })],
});
const pipeline = (every: number | null, at: string): StateChange => ({
  type: 'pipeline-known',
  at,
  pipeline: {
    file: '/p.ts',
    stamp: '',
    sets: ['letters'],
    concurrency: 1,
    assets: [
      { name: 'audio', set: 'letters', inputs: [], deps: [], freshFor: { warnMs: 1000, failMs: 2000 } },
    ],
    sensors: ['feed', 'mail'].map((name) => ({
      name,
      minimumIntervalSeconds: 30,
      timeoutSeconds: 60,
      defaultStatus: 'RUNNING',
      ...(every !== null && name === 'feed' && { newKeysEveryMs: every }),
    })),
  } satisfies KnownPipeline,
});
const ticked = (
  finishedAt: string,
  added: readonly string[],
  updated: readonly string[] = [],
): StateChange => ({
  type: 'sensor-changed',
  sensor: 'feed',
  cursor: finishedAt,
  tick: tickRecord({
    sensor: 'feed',
    status: 'SUCCESS',
    startedAt: AT,
    finishedAt,
    partitions: [{ set: 'letters', added, updated, removed: [], skipped: [] }],
  }),
});

export function describeLastTimes(the: () => StateStore): void {
  const commit = (...changes: StateChange[]): Promise<void> =>
    the().commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  const madeAt = async (asset: string, set: string | null = 'letters'): Promise<string | null> =>
    (await the().read({ counts: [{ asset, set }] })).counts({ asset, set }).madeAt;
  const quietSince = async (sensor: string): Promise<string | null> =>
    (await the().read({ sensors: [sensor] })).sensor(sensor).quietSince;
  it('remember when an asset was made last, whatever comes after it', async () => {
    await commit(keysAdded('letters', ['a', 'b']));
    expect(await madeAt('audio')).toBeNull();
    await commit(ended('FAILURE', EARLY));
    expect(await madeAt('audio')).toBeNull();
    await commit(ended('SUCCESS', EARLY));
    expect(await madeAt('audio')).toBe(EARLY);
    await commit(ended('SUCCESS', LATE, 'b'), ended('SUCCESS', AT));
    expect(await madeAt('audio')).toBe(LATE);
    await commit(ended('FAILURE', LATEST), ended('CANCELED', LATEST, 'b'));
    expect(await madeAt('audio')).toBe(LATE);
    await commit({ type: 'keys-removed', set: 'letters', keys: ['a', 'b'], keepOut: false });
    expect(await madeAt('audio')).toBe(LATE);
  });

  it('take what somebody says was made elsewhere for made, and nothing else that is said', async () => {
    await commit(keysAdded('letters', ['a', 'b']), ended('SUCCESS', EARLY));
    const mark = (as: 'materialized' | 'skipped' | 'missing', at: string): Promise<void> =>
      commit({ type: 'keys-marked', asset: 'audio', set: 'letters', keys: ['a'], as, at });
    await mark('skipped', LATEST);
    await mark('missing', LATEST);
    expect(await madeAt('audio')).toBe(EARLY);
    await mark('materialized', LATE);
    expect(await madeAt('audio')).toBe(LATE);
  });

  it('forget the time of what was made for a key that is gone, of an asset that has nothing on record', async () => {
    await commit(keysAdded('letters', ['b']), ended('SUCCESS', LATE));
    expect(await madeAt('audio')).toBeNull();
  });

  it('remember since when a sensor brings no new keys, from when some were first expected', async () => {
    await commit(pipeline(null, AT));
    expect([await quietSince('feed'), await quietSince('mail')]).toEqual([null, null]);
    await commit(pipeline(1000, EARLY));
    await commit(pipeline(2000, LATE));
    expect([await quietSince('feed'), await quietSince('mail')]).toEqual([EARLY, null]);
    await commit(ticked(LATE, [], ['a']));
    expect(await quietSince('feed')).toBe(EARLY);
    await commit(keysAdded('letters', ['a']), ticked(LATE, ['a']));
    await commit(ticked(LATEST, []));
    expect(await quietSince('feed')).toBe(LATE);
    await commit(pipeline(null, LATEST), pipeline(1000, LATEST));
    expect(await quietSince('feed')).toBe(LATE);
    const { version, cursor } = (await the().read({ sensors: ['feed'] })).sensor('feed');
    expect([version, cursor]).toEqual([3, LATEST]);
  });

  it('expect new keys of a sensor that only ticked before', async () => {
    await the().recordTick(tickRecord({ sensor: 'feed', status: 'SKIPPED' }));
    await commit(pipeline(1000, EARLY));
    const view = await the().read({ sensors: 'all' });
    expect([view.sensorNames(), view.sensor('feed').quietSince, view.sensor('feed').version]).toEqual([
      ['feed'],
      EARLY,
      0,
    ]);
  });

  it('show it before it is committed, to whoever only looks', async () => {
    const view = await the().preview([pipeline(1000, EARLY)], { sensors: ['feed'] });
    expect([view.sensor('feed').quietSince, await quietSince('feed')]).toEqual([EARLY, null]);
  });
}
