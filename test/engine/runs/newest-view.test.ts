/** When a process has looked at the state last: also on the way of a commit, from when that was asked for. */
import { expect, it } from 'vitest';
import { NewestView } from '../../../src/engine/runs/newest-view.ts';
import { EngineRig } from '../../support/engine-rig.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const take = (): boolean => true;

it('what a commit has shown is as fresh as the question for it, and nothing is where it does not do', async () => {
  const { store } = new EngineRig();
  const clock = new ManualClock();
  const newest = new NewestView({ store, clock });
  const view = await store.read({});
  const asked = () => {
    const ahead = newest.ahead(() => ({}));
    ahead.needs([]);
    return ahead;
  };

  const unanswered = asked();
  expect([newest.takeAhead(unanswered, take), newest.isFresh(1000)]).toEqual([false, false]);
  const refused = asked();
  refused.seen(view);
  expect([newest.takeAhead(refused, () => false), newest.isFresh(1000)]).toEqual([false, false]);
  const passed = asked();
  passed.seen(view);
  newest.noteAdoption();
  expect([newest.takeAhead(passed, take), newest.isFresh(1000)]).toEqual([false, false]);

  // Who stood still between question and answer has seen nothing of that time.
  const late = asked();
  await clock.advance(1000);
  late.seen(view);
  expect([newest.takeAhead(late, take), newest.isFresh(1000), newest.isFresh(1001)]).toEqual([
    true,
    false,
    true,
  ]);
  const inTime = asked();
  await clock.advance(999);
  inTime.seen(view);
  expect([newest.takeAhead(inTime, take), newest.isFresh(1000)]).toEqual([true, true]);
});
