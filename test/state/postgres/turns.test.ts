/** Whoever goes on behind a note, and may keep the event loop, waits for a commit that others wait for. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Lock } from '../../../src/state/postgres/lock.ts';
import { Turns } from '../../../src/state/postgres/turns.ts';

// However busy the machine is, each of them takes as long as it says.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const blockFor = (ms: number): void => void vi.advanceTimersByTime(ms);
const aFewTurns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};
// Not `vi.waitFor`: with each look it moves the clock on, and whoever has its turn just then seems to take long.
const manyTurns = (): Promise<void> => aFewTurns(100);

test('those that take long begin when the lock is let go of', async () => {
  const lock = new Lock();
  const turns = new Turns(lock);
  const gone: string[] = [];
  const letGo: (() => void)[] = [];
  const long = (name: string) => () => {
    gone.push(name);
    blockFor(10);
    // The lock was granted meanwhile, and its holder has something to do.
    if (name === 'one') letGo.push(lock.take(), lock.take());
  };
  turns.go([long('one'), long('two'), long('three')]);
  await aFewTurns();
  expect([gone, turns.waiting]).toEqual([['one'], 2]);
  // Whoever comes after them does not turn with the event loop until then.
  const after = vi.fn<() => void>();
  turns.afterTurn(after);
  letGo[0]!();
  letGo[0]!();
  await aFewTurns();
  expect(gone).toEqual(['one']);
  expect(after).not.toHaveBeenCalled();
  letGo[1]!();
  await manyTurns();
  expect(gone).toEqual(['one', 'two', 'three']);
  expect(turns.waiting).toBe(0);
  expect(after).toHaveBeenCalledOnce();
  const atOnce = vi.fn<() => void>();
  turns.afterTurn(atOnce);
  await aFewTurns();
  expect(atOnce).toHaveBeenCalledOnce();
});

test('those that are quick do not wait', async () => {
  const lock = new Lock();
  const turns = new Turns(lock);
  const gone: number[] = [];
  lock.take();
  turns.go(Array.from({ length: 10 }, (_, at) => () => void gone.push(at)));
  await manyTurns();
  expect(gone).toHaveLength(10);
});
