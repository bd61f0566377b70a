/** The row in which a line about runs is redrawn. It stays one row, also where the terminal has become narrower. */
import type { Ora, Options } from 'ora';
import type { WriteStream as TerminalStream } from 'node:tty';
import type { Output } from '../output.ts';
import { givesCursorBack } from './cursor.ts';
import { startGivingWay } from './give-way.ts';
import { type Going, progressLine } from './progress-words.ts';
import { redrawResized } from './resized.ts';
import { type Width, widthOf } from './table.ts';

const REDRAW_EVERY_MS = 100;

/** Before the words: the sign that it is alive. */
const SIGN = '⠋ ';

export interface Row {
  readonly spinner: Ora;
  stop(): void;
}

/** Loads what draws it. @returns what begins to */
export async function rowOf(output: Output, seen: () => Going): Promise<() => Row> {
  const [{ default: ora }, width] = await Promise.all([import('ora'), widthOf()]);
  return () => startRow(output, seen, { ora, width });
}

function startRow(
  { terminal }: Output,
  seen: () => Going,
  { ora, width }: { readonly ora: (options: Options) => Ora; readonly width: Width },
): Row {
  // A stream of its own: what is written to `process.stderr` is taken for the user's.
  const { WriteStream } = process.getBuiltinModule('node:tty') as { WriteStream: typeof TerminalStream };
  const stream = new WriteStream(2);
  const text = (): string => {
    // The width is kept by node's own stream. A terminal without one would be taken for one of endlessly many lines.
    stream.columns = terminal.stderr.columns;
    return progressLine(seen(), { columns: stream.columns, width });
  };
  const cursorIsBack = givesCursorBack(terminal.stderr);
  const spinner = ora({ stream, discardStdin: false, color: false, text: text() });
  const stopGivingWay = startGivingWay(spinner);
  const timer = setInterval(() => {
    spinner.text = text();
  }, REDRAW_EVERY_MS);
  const resized = (): void => {
    const drawn = [SIGN + spinner.text];
    spinner.text = text();
    redrawResized(spinner, drawn, { stream: terminal.stderr, columns: stream.columns, width });
  };
  process.on('SIGWINCH', resized);
  return {
    spinner,
    stop() {
      clearInterval(timer);
      process.off('SIGWINCH', resized);
      stopGivingWay();
      spinner.stop();
      cursorIsBack();
    },
  };
}
