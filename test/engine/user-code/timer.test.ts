/** Timers hold what is asked of them, also beyond the 24.8 days of a timer of the system. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/cli/system-clock.ts';
import { withTimeLimit } from '../../../src/engine/user-code/time-limit.ts';
import { startTimer } from '../../../src/engine/user-code/timer.ts';

const DAY_MS = 24 * 60 * 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a timer', () => {
  it.each([1, 24, 25, 50, 400])('of %i days fires then, and not before', (days) => {
    const then = vi.fn();
    startTimer(days * DAY_MS, then);
    vi.advanceTimersByTime(days * DAY_MS - 1);
    expect(then).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(then).toHaveBeenCalledOnce();
  });

  it('never fires once it was stopped, in whatever part of its time', () => {
    const then = vi.fn();
    const stop = startTimer(60 * DAY_MS, then);
    vi.advanceTimersByTime(30 * DAY_MS);
    stop();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(then).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of infinite length does not fire at once', () => {
    const then = vi.fn();
    const stop = startTimer(Infinity, then);
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(then).not.toHaveBeenCalled();
    stop();
  });
});

describe('what waits with it', () => {
  it('the clock sleeps for thirty days', async () => {
    const woken = vi.fn();
    void systemClock.sleep(30 * DAY_MS).then(woken);
    await vi.advanceTimersByTimeAsync(29 * DAY_MS);
    expect(woken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(DAY_MS);
    expect(woken).toHaveBeenCalledOnce();
  });

  it('user code with a timeout of thirty days has twenty-nine', async () => {
    const signals: AbortSignal[] = [];
    const ended = withTimeLimit(
      { ms: 30 * DAY_MS, interrupt: new AbortController().signal, clock: { now: () => 0 }, graceMs: 0 },
      ({ signal }) => {
        signals.push(signal);
        return new Promise<never>(() => undefined);
      },
    );
    await vi.advanceTimersByTimeAsync(29 * DAY_MS);
    expect(signals[0]!.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(DAY_MS);
    expect(signals[0]!.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    await expect(ended).resolves.toEqual({ type: 'timeout' });
  });
});
