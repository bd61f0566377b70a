/** Runs that are left in the queue for a while. */
import { expect, it } from 'vitest';
import type { Event } from '../../../src/engine/event.ts';
import { SetAside } from '../../../src/engine/runs/set-aside.ts';
import type { Failure } from '../../../src/model/failure.ts';
import { finishedRun } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const gone: Failure = { reason: 'value-damaged', file: 'f', asset: 'up', key: 'b', cause: 'it is gone' };

it('leaves a run alone for half a minute, and says each thing once', () => {
  const clock = new FakeClock(0);
  const said: Event[] = [];
  const aside = new SetAside({ clock, emit: (event) => said.push(event) });
  aside.add('r-1', gone);
  expect([aside.has('r-1'), aside.has('r-2'), aside.size]).toEqual([true, false, 1]);
  clock.time = 30_000;
  expect([aside.has('r-1'), aside.size]).toEqual([false, 0]);
  aside.add('r-1', gone);
  expect(said).toEqual([{ type: 'run-set-aside', run: 'r-1', failure: gone, againInMs: 30_000 }]);
  aside.add('r-1', { ...gone, cause: 'it was cut' });
  expect(said).toHaveLength(2);
});

it('keeps nothing of a run that has ended', () => {
  const said: Event[] = [];
  const aside = new SetAside({ clock: new FakeClock(0), emit: (event) => said.push(event) });
  aside.add('r-1', gone);
  aside.emit({ type: 'run-ended', run: finishedRun({ id: 'r-1', status: 'SUCCESS' }).record });
  aside.add('r-1', gone);
  expect(said.map(({ type }) => type)).toEqual(['run-set-aside', 'run-ended', 'run-set-aside']);
});

it('tells what goes back to the queue for another reason', () => {
  const said: Event[] = [];
  const aside = new SetAside({ clock: new FakeClock(0), emit: (event) => said.push(event) });
  aside.add('r-1', gone);
  aside.add('r-2', gone);
  said.length = 0;
  aside.emit({ type: 'runs-released', count: 3 });
  aside.emit({ type: 'runs-released', count: 3 });
  expect(said).toEqual([
    { type: 'runs-released', count: 1 },
    { type: 'runs-released', count: 3 },
  ]);
});
