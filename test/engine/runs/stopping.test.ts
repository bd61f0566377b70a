import { describe, expect, it } from 'vitest';
import { abortsWhatRuns, Stopping, type StopReason } from '../../../src/engine/runs/stopping.ts';

const failure: StopReason = { error: new Error('the disk is full') };

function stoppedBy(...reasons: readonly StopReason[]): Stopping {
  const stopping = new Stopping();
  for (const why of reasons) stopping.stop(why);
  return stopping;
}

describe('a loop that is to stop', () => {
  it('goes on until there is a reason', () => {
    expect(stoppedBy()).toMatchObject({ goesOn: true, othersMayAct: true, isGentle: false, failure: null });
    expect(stoppedBy('fail-fast')).toMatchObject({ goesOn: false, othersMayAct: true, isFailFast: true });
  });

  it('keeps its first reason', () => {
    expect(stoppedBy('fail-fast', 'interrupted', 'time-over')).toMatchObject({
      isFailFast: true,
      isGentle: false,
    });
    expect(stoppedBy('interrupted', 'fail-fast')).toMatchObject({ isFailFast: false, failure: null });
  });

  it('takes another reason in place of a gentle one: only then has anything gone wrong', () => {
    expect(stoppedBy('time-over')).toMatchObject({ isGentle: true, othersMayAct: true });
    expect(stoppedBy('time-over', 'fail-fast')).toMatchObject({ isFailFast: true, isGentle: false });
    expect(stoppedBy('handed-over', 'interrupted')).toMatchObject({ isGentle: false, othersMayAct: false });
  });

  it('takes a failure in place of all others, and keeps the first failure', () => {
    for (const why of ['interrupted', 'time-over', 'handed-over', 'fail-fast'] as const)
      expect(stoppedBy(why, failure).failure).toBe(failure);
    expect(stoppedBy(failure, { error: new Error('and again') }, 'interrupted').failure).toBe(failure);
  });

  it('aborts what runs after an interrupt and a failure only', () => {
    const aborted = (['interrupted', 'time-over', 'handed-over', 'fail-fast', failure] as const).filter(
      (why) => abortsWhatRuns(why),
    );
    expect(aborted).toEqual(['interrupted', failure]);
  });
});
