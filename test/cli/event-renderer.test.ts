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
