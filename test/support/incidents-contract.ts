/** What every store keeps of incidents: all of it or nothing, with whatever else a commit changes. */
import { expect, it } from 'vitest';
import { type Incidents, NO_INCIDENTS } from '../../src/model/incident.ts';
import type { StateChange } from '../../src/state/changes.ts';
import type { StateStore } from '../../src/state/store.ts';
import { AT, keysAdded } from './builders.ts';
import type { StoreRig } from './store-contract.ts';

const SOME: Incidents = {
  list: [
    {
      kind: 'run-failed',
      asset: 'audio',
      sensor: null,
      code: 'asset-threw',
      message: 'no “letters”\u0000 left',
      since: AT,
      names: ['a', '__proto__', '\u{1f600}'],
      more: 7,
      run: 'g-1',
      told: { '1': { at: AT, as: 'open' }, constructor: { at: AT, as: 'over' as const } },
    },
    {
      kind: 'overdue',
      asset: null,
      sensor: 'feed',
      code: 'overdue',
      message: '',
      since: AT,
      names: [],
      more: 0,
      over: { at: AT, why: 'gone' },
      told: {},
    },
  ],
  calling: { '1': { at: AT, tries: 3, isSaid: true } },
};

export function describeIncidents(the: () => StoreRig): void {
  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    the().store.commit({}, () => ({ changes, outcome: undefined }));
  const incidents = async (store: StateStore = the().store): Promise<Incidents> =>
    (await store.read({})).incidents;

  it('has none at first, and shows them to whoever looks at anything', async () => {
    expect(await incidents()).toEqual(NO_INCIDENTS);
    await commit({ type: 'incidents', incidents: SOME }, keysAdded('letters', ['a']));
    expect(await incidents()).toEqual(SOME);
    const seen = await the().store.commit({ sets: true }, (view) => ({
      changes: [],
      outcome: view.incidents,
    }));
    expect(seen).toEqual(SOME);
  });

  it('keeps them through other commits, and until others take their place', async () => {
    await commit({ type: 'incidents', incidents: SOME });
    await commit(keysAdded('letters', ['a']));
    expect(await incidents()).toEqual(SOME);
    const fewer = { ...SOME, calling: {} };
    await commit({ type: 'incidents', incidents: fewer });
    expect(await incidents()).toEqual(fewer);
    await commit({ type: 'incidents', incidents: NO_INCIDENTS });
    expect(await incidents()).toEqual(NO_INCIDENTS);
  });

  it('shows in a preview what would be there, and keeps what is', async () => {
    await commit(keysAdded('letters', ['a']));
    const seen = await the().store.preview([{ type: 'incidents', incidents: SOME }], {});
    expect(seen.incidents).toEqual(SOME);
    expect(await incidents()).toEqual(NO_INCIDENTS);
  });
}
