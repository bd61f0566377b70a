import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Ending, type EndedFor } from '../../../src/cli/isolation/end-in-time.ts';
import { GRACE_MS } from '../../../src/engine/runs/try-asset.ts';

const TIMEOUT_MS = 3000;
/** Far beyond its timeout, and the time that it has to say so. */
const LONG_MS = TIMEOUT_MS + 3 * GRACE_MS;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process whose thread is free: it answers each ping. */
function rig() {
  const interrupt = new AbortController();
  const kills: EndedFor[] = [];
  const ending: Ending = new Ending({
    timeoutMs: TIMEOUT_MS,
    interrupt: interrupt.signal,
    ping: () => ending.heard(),
    kill: (why) => kills.push(why),
  });
  let answer!: () => void;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  return { interrupt, kills, ending, answer, answered };
}

it('does not kill a process for how long the command takes to answer it', async () => {
  const { kills, ending, answer, answered } = rig();
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS - 1);
  const asked = ending.whileAnswered(answered);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(kills).toEqual([]);
  answer();
  await asked;
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS - 1);
  expect(kills).toEqual([]);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(kills).toEqual(['timeout']);
});

it('does not take a pong for a sign that its code goes on, where it has asked by then', async () => {
  const { kills, ending, answered } = rig();
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
  void ending.whileAnswered(answered);
  ending.heard();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(kills).toEqual([]);
});

it('kills a process that is interrupted while it waits for an answer', async () => {
  const { interrupt, kills, ending, answered } = rig();
  void ending.whileAnswered(answered);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  interrupt.abort();
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(kills).toEqual(['interrupt']);
});

it('leaves no timer where the answer comes when all is over', async () => {
  const { kills, ending, answer, answered } = rig();
  const asked = ending.whileAnswered(answered);
  ending.over();
  answer();
  await asked;
  expect(vi.getTimerCount()).toBe(0);
  expect(kills).toEqual([]);
});
