/** What was drawn is in other rows by now, where the terminal has become narrower. */
import { stripVTControlCharacters } from 'node:util';
import type { Ora } from 'ora';
import type { OutStream } from '../terminal.ts';
import type { Width } from './table.ts';

/** Takes away what was drawn, each line of which may be in several rows, and draws it anew. */
export function redrawResized(
  spinner: Ora,
  drawn: readonly string[],
  { stream, columns, width }: { readonly stream: OutStream; readonly columns: number; readonly width: Width },
): void {
  const more = drawn.map((line) =>
    Math.max(0, Math.ceil(width(stripVTControlCharacters(line)) / columns) - 1),
  );
  spinner.clear();
  const lines = more.reduce((sum, one) => sum + one, 0);
  // Each of the lines below the cursor, and it.
  stream.write(`${lines > 0 ? `\u001b[${lines}A` : ''}\r\u001b[J`);
  spinner.render();
}
