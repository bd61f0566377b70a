/** Waiting for user code: what it returned, what it threw, and when it is not waited for any longer. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pauses } from '../../../src/engine/user-code/pauses.ts';
import { type Ending, type TimeLimit, withTimeLimit } from '../../../src/engine/user-code/time-limit.ts';
import { Recorder } from '../../support/engine-rig.ts';

describe('user code with a time limit', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));

  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });

  const limited = <T>(
    fields: Partial<TimeLimit>,
    userCode: (signal: AbortSignal) => T | Promise<T>,
  ): Promise<Ending<T>> =>
    withTimeLimit(
      { ms: null, interrupt: new AbortController().signal, graceMs: 100, clock: Date, ...fields },
      ({ signal }) => userCode(signal),
    );
  const never = (): Promise<never> => new Promise(() => undefined);
  const onAbort = <T>(signal: AbortSignal, then: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        try {
          resolve(then());
        } catch (error) {
          reject(error);
        }
      });
    });

  it('has all of its time beside its pauses, and no more', async () => {
    vi.useFakeTimers();
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const working = (ms: number): Promise<Ending<string>> => {
      const pauses = new Pauses(Date);
      return limited({ ms: 1000, pauses }, async () => {
        await sleep(600);
        await Promise.all([pauses.during(sleep(3000)), pauses.during(sleep(5000))]);
        await sleep(ms);
        return 'made';
      });
    };
    const [inTime, late] = [working(300), vi.advanceTimersByTimeAsync(7000)];
    expect(await inTime).toEqual({ type: 'returned', value: 'made' });
    await late;
    const tooLong = working(500);
    await vi.advanceTimersByTimeAsync(7000);
    expect(await tooLong).toEqual({ type: 'timeout' });
  });

  it('leaves no timer where a pause ends behind it', async () => {
    const pauses = new Pauses(Date);
    let go = (): void => undefined;
    const ending = await limited({ ms: 1000, pauses }, () => {
      void pauses.during(new Promise((resolve) => (go = resolve)));
      return 5;
    });
    go();
    await Promise.resolve();
    expect(ending).toEqual({ type: 'returned', value: 5 });
  });

  it('ends with what it returns or throws, at once or later', async () => {
    expect(await limited({}, () => 5)).toEqual({ type: 'returned', value: 5 });
    expect(await limited({ ms: 10_000 }, () => Promise.resolve(undefined))).toEqual({
      type: 'returned',
      value: undefined,
    });
    const error = new Error('x');
    expect(await limited({ ms: 10_000 }, () => Promise.reject(error))).toEqual({ type: 'threw', error });
    expect(
      await limited({}, () => {
        throw error;
      }),
    ).toEqual({ type: 'threw', error });
  });

  it('is told that its time is over, and waited for so long and no longer', async () => {
    const ended = new Recorder<Ending<never>>();
    void limited({ ms: 1000 }, never).then(ended.add);
    await vi.advanceTimersByTimeAsync(1099);
    expect(ended.all).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended.all).toEqual([{ type: 'timeout' }]);
  });

  it('ends as timed out where it ends because of its signal, whether it throws or returns', async () => {
    const throwing = limited({ ms: 1000 }, (signal) =>
      onAbort(signal, () => {
        throw signal.reason;
      }),
    );
    const returning = limited({ ms: 1000 }, (signal) => onAbort(signal, () => 'half'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await throwing).toEqual({ type: 'timeout' });
    expect(await returning).toEqual({ type: 'timeout' });
  });

  it('ends as interrupted, unless it brings its work to an end all the same', async () => {
    const interrupt = new AbortController();
    const endings = [
      limited({ interrupt: interrupt.signal }, never),
      limited({ interrupt: interrupt.signal }, (signal) => onAbort(signal, () => 'whole')),
      limited({ interrupt: interrupt.signal, ms: 50 }, (signal) =>
        onAbort(signal, () => {
          throw new Error('stopped');
        }),
      ),
    ];
    interrupt.abort();
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all(endings)).toEqual([
      { type: 'interrupted' },
      { type: 'returned', value: 'whole' },
      { type: 'interrupted' },
    ]);
  });

  it('that begins after the interruption is interrupted as all else is', async () => {
    const interrupt = new AbortController();
    interrupt.abort();
    const ended = new Recorder<Ending<unknown>>();
    void limited({ interrupt: interrupt.signal }, never).then(ended.add);
    await vi.advanceTimersByTimeAsync(99);
    expect(ended.all).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended.all).toEqual([{ type: 'interrupted' }]);
    expect(await limited({ interrupt: interrupt.signal }, () => 'whole')).toEqual({
      type: 'returned',
      value: 'whole',
    });
  });

  it('has no timeout that would be sooner because it is too long for a timer', async () => {
    const ended = new Recorder<Ending<never>>();
    const interrupt = new AbortController();
    void limited({ ms: 2 ** 40, interrupt: interrupt.signal, graceMs: 0 }, never).then(ended.add);
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(ended.all).toEqual([]);
    interrupt.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(ended.all).toEqual([{ type: 'interrupted' }]);
  });
});
