/** What the screen of a watch or a worker, and the line below a command, know of runs. */
import stringWidth from 'string-width';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Output } from '../../src/cli/output.ts';
import { EventRenderer } from '../../src/cli/render/event-renderer.ts';
import { LiveScreen } from '../../src/cli/render/live-screen.ts';
import { LiveLine } from '../../src/cli/render/progress-line.ts';
import { progressLine } from '../../src/cli/render/progress-words.ts';
import type { Event } from '../../src/engine/event.ts';
import { finishedRun } from '../support/builders.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { FakeClock } from '../support/fake-clock.ts';

const options = { json: false, quiet: false, verbose: false, color: false };

function outputOn(terminal = new CapturedTerminal({ cwd: '/', isTerminal: true })): Output {
  return new Output({ terminal, clock: new FakeClock(), options });
}

const wordsOf = ({ seen }: LiveLine): string => progressLine(seen, { columns: 80, width: stringWidth });

const started = (id: string, left: number): Event => ({
  type: 'run-started',
  id,
  partitionKey: id,
  assets: ['made'],
  left,
});
const letGo = (id: string, left: number): Event => ({
  type: 'run-let-go',
  id,
  partitionKey: id,
  why: 'unexecuted',
  left,
});

const finished = (id: string, left: number): Event => ({
  type: 'run-finished',
  run: finishedRun({ id, status: 'SUCCESS' }).record,
  canceledByOthers: false,
  left,
});

const ended = (id: string, status: 'SUCCESS' | 'CANCELED' = 'SUCCESS'): Event => ({
  type: 'run-ended',
  run: finishedRun({ id, status }).record,
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a run that was let go of is at work no more', () => {
  const screen = new LiveScreen(outputOn());
  for (const event of [started('a', 3), started('b', 3), letGo('a', 2)]) screen.see(event);
  expect(screen.seen).toMatchObject({ running: [{ partitionKey: 'b' }], queued: 1, done: 0, failed: 0 });
  screen.see(letGo('b', 0));
  expect(screen.seen).toMatchObject({ running: [], queued: 0, done: 0 });
  screen.stop();
});

it('what has ended and is not on record is not queued, and what was taken on and lost is told', () => {
  const screen = new LiveScreen(outputOn());
  const queued = (event: Event): number => {
    screen.see(event);
    return screen.seen.queued;
  };
  expect(queued({ type: 'runs-in-hand', left: 4 })).toBe(4);
  expect(queued(started('a', 4))).toBe(3);
  expect(queued(ended('a'))).toBe(3);
  expect(queued({ type: 'runs-in-hand', left: 2 })).toBe(1);
  expect(queued(finished('a', 1))).toBe(1);
  expect(queued({ type: 'runs-in-hand', left: 0 })).toBe(0);
  screen.stop();
});

it('the line counts as made what has ended and counts: not what was canceled, and not what is lost by then', () => {
  const terminal = new CapturedTerminal({ cwd: '/', isTerminal: true });
  const line = new LiveLine(outputOn(terminal));
  for (const id of ['a', 'b', 'c', 'd', 'e']) line.see(started(id, 6));
  line.see(ended('a'));
  line.see(finished('a', 5));
  line.see(ended('b', 'CANCELED'));
  expect(wordsOf(line)).toMatch(/^1 of 6 runs, 3 running/);
  line.see({ ...finished('b', 4), run: finishedRun({ id: 'b', status: 'CANCELED' }).record } as Event);
  line.see(ended('c'));
  expect(wordsOf(line)).toMatch(/^2 of 6 runs, 1 canceled, 2 running/);
  line.see({ ...letGo('c', 3), why: 'lost' } as Event);
  expect(wordsOf(line)).toMatch(/^1 of 5 runs, 1 canceled, 2 running/);
  line.see({ type: 'runs-in-hand', left: 2 });
  expect(wordsOf(line)).toMatch(/^1 of 4 runs, 1 canceled, 2 running/);
  line.stop();
});

it('a batch ends once, with the last of it that is on record or lost', () => {
  const terminal = new CapturedTerminal();
  const renderer = new EventRenderer(outputOn(terminal), { keepsRuns: false, lasts: true });
  for (const event of [started('a', 3), started('b', 3), finished('a', 2), finished('b', 1)])
    renderer.emit(event);
  expect(terminal.stderr.text).not.toContain('succeeded');
  renderer.emit({ type: 'runs-in-hand', left: 0 });
  expect(terminal.stderr.text).toContain('2 runs succeeded');
});

it('the line goes with the last run, also where that one was let go of', () => {
  const line = new LiveLine(outputOn());
  line.see(started('a', 2));
  line.see(letGo('a', 1));
  expect(vi.getTimerCount()).toBe(1);
  line.see(letGo('b', 0));
  expect(vi.getTimerCount()).toBe(0);
  line.stop();
});

it('a batch is told of when the last of it was let go of, and not where nothing of it has ended', () => {
  const terminal = new CapturedTerminal();
  const renderer = new EventRenderer(outputOn(terminal), { keepsRuns: false, lasts: true });
  for (const event of [started('a', 2), started('b', 2), finished('a', 1), letGo('b', 0)])
    renderer.emit(event);
  for (const event of [started('b', 1), letGo('b', 0)]) renderer.emit(event);
  for (const event of [started('c', 1), finished('c', 0)]) renderer.emit(event);
  expect(terminal.stderr.text.match(/\d+ runs? succeeded/g)).toEqual(['1 run succeeded', '1 run succeeded']);
});

it.each([
  [
    'a key in letters',
    'customer-with-a-name-that-is-long',
    110,
    '1 running (customer-with-a-name-th… for 3.0 s)',
  ],
  ['without a key in signs of two places', '日本'.repeat(30), 80, '1 running (for 3.0 s)'],
  ['nothing of what runs', 'k', 60, '90,000 runs, 444/s, about 113 s left'],
])('the line is one row of the terminal, with room for ^C: %s', (_, partitionKey, columns, seen) => {
  const progress = {
    done: 40_000,
    over: 40_000,
    failed: 0,
    canceled: 0,
    left: 50_000,
    ms: 90_000,
    running: 1,
  };
  const line = progressLine(
    { ...progress, longest: { partitionKey, ms: 3000 } },
    { columns, width: stringWidth },
  );
  expect(line).toContain(seen);
  expect(stringWidth(`⠼ ${line}^C`)).toBeLessThan(columns);
});
