/** What a command says of what happened to its runs. */
import { expect, it } from 'vitest';
import { Output } from '../../src/cli/output.ts';
import { EventRenderer } from '../../src/cli/render/event-renderer.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { FakeClock } from '../support/fake-clock.ts';

it('runs whose end could not be recorded are counted once, however many ended one by one', () => {
  const terminal = new CapturedTerminal();
  const options = { json: false, quiet: false, verbose: false, color: false };
  const renderer = new EventRenderer(new Output({ terminal, clock: new FakeClock(), options }), {
    keepsRuns: false,
  });
  for (const count of [13, 1, 2]) renderer.emit({ type: 'runs-unrecorded', count });
  renderer.end();
  renderer.sayUnrecorded();
  renderer.emit({ type: 'runs-unrecorded', count: 1 });
  renderer.sayUnrecorded();
  expect(terminal.stderr.text).toBe(
    '16 runs ended, and the end could not be recorded: the next tick or worker executes them again\n' +
      '1 run ended, and the end could not be recorded: the next tick or worker executes it again\n',
  );
});

it('runs that come back one by one while a command ends are told once, and at once where it goes on', () => {
  const terminal = new CapturedTerminal();
  const options = { json: false, quiet: false, verbose: false, color: false };
  let isToldToEnd = false;
  const renderer = new EventRenderer(new Output({ terminal, clock: new FakeClock(), options }), {
    keepsRuns: false,
    lasts: true,
    isToldToEnd: () => isToldToEnd,
  });
  renderer.emit({ type: 'runs-released', count: 2 });
  expect(terminal.stderr.text).toMatch(/^\S+ 2 runs back in the queue\n$/);
  isToldToEnd = true;
  for (const count of [90, 1, 2]) renderer.emit({ type: 'runs-released', count });
  renderer.end();
  expect(terminal.stderr.text.match(/stopped: .*/g)).toEqual([
    'stopped: 93 runs back in the queue, for the next tick or worker',
  ]);
  expect(renderer.counts.queued).toBe(95);
});
