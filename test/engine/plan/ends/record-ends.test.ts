/** What stands in the state of a process that goes on when it records ends. */
import { describe, expect, it } from 'vitest';
import { planEnds } from '../../../../src/engine/plan/ends/record-ends.ts';
import type { ExecutorView, StateView } from '../../../../src/state/state-view.ts';
import { signs } from '../../../support/builders.ts';

function viewWith(owned: number, others: readonly { id: string; slots: number; wants: number }[]): StateView {
  const executors = others.map((one): ExecutorView => ({
    ...signs({ alive: true }),
    ...one,
    pid: 1,
    host: 'h',
    since: '',
    pools: {},
  }));
  return {
    executors: () => executors,
    ownedBy: () => owned,
  } as unknown as StateView;
}

const nothing = {
  executor: 'me',
  ended: [],
  made: new Map(),
  started: new Map(),
  seenBy: () => undefined,
  released: [],
  now: 0,
};

describe('a process that goes on', () => {
  it('wants room for runs that another commit of its own has made its while this one was on its way', () => {
    const view = viewWith(18, [
      { id: 'me', slots: 2, wants: 16 },
      { id: 'busy', slots: 8, wants: 40 },
    ]);
    const goesOn = { wanted: 0, setAside: 0, inFlight: 0, concurrency: 8 };
    expect(planEnds(view, { ...nothing, goesOn })).toMatchObject({
      changes: [{ type: 'executor', id: 'me', slots: 0, wants: 18 }],
      outcome: { slots: 0 },
    });
  });

  it('wants none for those that have ended since, or go back', () => {
    const goesOn = { wanted: 1, setAside: 2, inFlight: 1, concurrency: 8 };
    expect(planEnds(viewWith(3, [{ id: 'me', slots: 3, wants: 0 }]), { ...nothing, goesOn }).changes).toEqual(
      [{ type: 'executor', id: 'me', slots: 1, wants: 0 }],
    );
  });
});
