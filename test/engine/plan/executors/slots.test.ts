/** Sharing the runs that may be started: never more than the concurrency, and nobody waits for ever. */
import * as fc from '../../../support/random.ts';
import { describe, expect, it } from 'vitest';
import { roomFor, slotsFor } from '../../../../src/engine/plan/executors/slots.ts';
import type { ExecutorView, StateView } from '../../../../src/state/state-view.ts';
import { signs } from '../../../support/builders.ts';

interface Other {
  readonly id: string;
  readonly slots: number;
  readonly wants?: number;
  readonly alive?: boolean;
}

function viewWith(
  others: readonly Other[],
  owned: readonly { owner: string; count: number }[] = [],
): StateView {
  if (new Set(others.map(({ id }) => id)).size !== others.length)
    throw new Error('an executor stands there once');
  const executors = others.map(({ id, slots, wants = 0, alive = true }): ExecutorView => ({
    ...signs({ alive }),
    id,
    slots,
    wants,
    pid: 1,
    host: 'h',
    since: '',
    pools: {},
  }));
  const ownedBy = (executor: string): number => owned.find(({ owner }) => owner === executor)?.count ?? 0;
  return { executors: () => executors, ownedBy } as unknown as StateView;
}

describe('the slots of an executor', () => {
  it('are what it wants where nobody else is', () => {
    expect(slotsFor(viewWith([]), 'me', 3, 10)).toBe(3);
    expect(slotsFor(viewWith([]), 'me', 30, 10)).toBe(10);
    expect(slotsFor(viewWith([]), 'me', 0, 10)).toBe(0);
  });

  it('are what others leave; its own and those of the dead do not count', () => {
    const others = [
      { id: 'one', slots: 4 },
      { id: 'me', slots: 9 },
      { id: 'dead', slots: 5, alive: false },
    ];
    expect(slotsFor(viewWith(others), 'me', 30, 10)).toBe(6);
    expect(slotsFor(viewWith([{ id: 'one', slots: 12 }]), 'me', 30, 10)).toBe(0);
  });

  it('are an equal share where another one waits without any', () => {
    expect(slotsFor(viewWith([{ id: 'one', slots: 0, wants: 5 }]), 'me', 30, 10)).toBe(5);
    expect(
      slotsFor(
        viewWith([
          { id: 'one', slots: 0, wants: 5 },
          { id: 'two', slots: 2 },
        ]),
        'me',
        30,
        10,
      ),
    ).toBe(3);
    expect(slotsFor(viewWith([{ id: 'one', slots: 0, wants: 5 }]), 'me', 30, 1)).toBe(1);
    expect(slotsFor(viewWith([{ id: 'one', slots: 0, wants: 5, alive: false }]), 'me', 30, 10)).toBe(10);
  });

  it('never come to more than the concurrency, whoever asks in whatever order', () => {
    const step = fc.record({ who: fc.integer({ min: 0, max: 4 }), wanted: fc.integer({ min: 0, max: 20 }) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 40 }),
        (concurrency, steps) => {
          const executors = new Map<string, Required<Omit<Other, 'alive'>>>();
          for (const { who, wanted } of steps) {
            const id = `e${who}`;
            const slots = slotsFor(viewWith([...executors.values()]), id, wanted, concurrency);
            if (wanted === 0) executors.delete(id);
            else executors.set(id, { id, slots, wants: wanted - slots });
            const taken = [...executors.values()].reduce((sum, executor) => sum + executor.slots, 0);
            expect(taken).toBeLessThanOrEqual(concurrency);
            expect(slots).toBeLessThanOrEqual(wanted);
            expect(slots).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are given to each that waits, where there are enough of them, when all have asked again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 4, max: 12 }),
        (wants, concurrency) => {
          const executors = new Map<string, Required<Omit<Other, 'alive'>>>();
          for (let round = 0; round < 4; round++) {
            for (const [at, wanted] of wants.entries()) {
              const id = `e${at}`;
              const slots = slotsFor(viewWith([...executors.values()]), id, wanted, concurrency);
              executors.set(id, { id, slots, wants: wanted - slots });
            }
          }
          for (const { slots } of executors.values()) expect(slots).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('the room for runs that become an executor’s', () => {
  it('is asked for together with what it owns already', () => {
    const view = viewWith(
      [{ id: 'me', slots: 2 }],
      [
        { owner: 'me', count: 2 },
        { owner: 'other', count: 7 },
      ],
    );
    expect(roomFor(view, 'me', 3, { concurrency: 4 })).toEqual([
      { type: 'executor', id: 'me', slots: 4, wants: 1 },
    ]);
  });

  it('is given back as far as it is not in use, where others wait for some of it', () => {
    const view = viewWith(
      [
        { id: 'me', slots: 4 },
        { id: 'other', slots: 0, wants: 5 },
      ],
      [{ owner: 'me', count: 4 }],
    );
    const shares: number[] = [];
    const using = (used: number) =>
      roomFor(view, 'me', 1, { concurrency: 4, keepTo: (share) => (shares.push(share), used) });
    expect(using(1)).toEqual([{ type: 'executor', id: 'me', slots: 2, wants: 3 }]);
    expect(using(3)).toEqual([{ type: 'executor', id: 'me', slots: 3, wants: 2 }]);
    expect(shares).toEqual([2, 2]);
    // What is not known to be unused is kept.
    expect(roomFor(view, 'me', 1, { concurrency: 4 })).toEqual([
      { type: 'executor', id: 'me', slots: 4, wants: 1 },
    ]);
  });

  it('is not asked for where nothing is added', () => {
    expect(roomFor(viewWith([]), 'me', 0, { concurrency: 4 })).toEqual([]);
  });
});
