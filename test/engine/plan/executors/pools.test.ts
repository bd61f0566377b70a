/** What pools give a process. */
import { expect, it } from 'vitest';
import { planPools } from '../../../../src/engine/plan/executors/pools.ts';
import { viewOf } from '../../../../src/state/document/document-view.ts';
import { emptyDocument } from '../../../../src/state/document/state-document.ts';
import type { ExecutorSigns } from '../../../../src/state/state-view.ts';

const MINUTE = 60_000;

const judge = (): ExecutorSigns => ({ alive: true }) as ExecutorSigns;

it.each([
  ['as all others', 0],
  ['behind by five minutes', 5 * MINUTE],
  ['ahead by five minutes', -5 * MINUTE],
])(
  'calls are counted by the clock of the state, and awaited by that of the process, which is %s',
  (_, clockAhead) => {
    const shared = Date.UTC(2026, 0, 1);
    const here = shared - clockAhead;
    const executor = { id: 'one', pid: 1, host: 'h', since: '2026-01-01T00:00:00.000Z', slots: 1, wants: 0 };
    const asked = (starts: readonly (readonly [number, number])[]) => {
      const document = { ...emptyDocument(), executors: [executor] as never, poolStarts: { api: starts } };
      const view = { ...viewOf(document, { judge, lastTick: () => null }), clockAhead: () => clockAhead };
      return planPools(view, {
        executor: 'one',
        lanes: [{ pools: [{ pool: 'api', calls: 1 }], waiting: 1 }],
        busy: new Map(),
        granted: new Map(),
        limitOf: () => ({ limit: 1, rate: { calls: 1, windowMs: MINUTE } }),
        now: here,
      });
    };
    // Another process had a call half a minute ago: the next one may come when the minute is over, and two seconds in which it may begin.
    const soon = asked([[shared - MINUTE / 2, 1]]).outcome;
    expect([soon.calls, soon.nextAt]).toEqual([new Map(), here + MINUTE / 2 + 2000]);
    const { outcome, changes } = asked([[shared - MINUTE - 2001, 1]]);
    expect(outcome.calls).toEqual(new Map([['api', 1]]));
    expect(changes).toMatchObject([{ type: 'pools', starts: { api: [[shared, 1]] } }]);
  },
);
