/** Tables: aligned with a header on a terminal, one record a line with tabs between the fields elsewhere. */
import type { OutStream } from '../terminal.ts';
import type { Paint } from './paint.ts';
import { clean } from '../../model/text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
}

export interface Cell {
  readonly text: string;
  readonly paint?: keyof Paint;
}

export async function writeTable(
  stream: OutStream,
  paint: Paint,
  {
    columns,
    rows,
  }: { readonly columns: readonly Column[]; readonly rows: readonly (readonly (string | Cell)[])[] },
): Promise<void> {
  const cells = rows.map((row) =>
    row.map((cell) =>
      typeof cell === 'string' ? { text: clean(cell) } : { ...cell, text: clean(cell.text) },
    ),
  );
  if (!stream.isTerminal) {
    stream.write(
      cells.map((row) => `${row.map(({ text }) => text.replaceAll(/[\n\t]/g, ' ')).join('\t')}\n`).join(''),
    );
    return;
  }
  const width = await widthOf();
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((row) => width(row[at]!.text))),
  );
  shrinkToFit(widths, stream.columns);
  const line = (texts: readonly Cell[], style: (text: string, cell: Cell) => string): string =>
    texts
      .map((cell, at) => {
        const text = shortened(cell.text.replaceAll(/[\n\t]/g, ' '), widths[at]!, width);
        const space = ' '.repeat(Math.max(0, widths[at]! - width(text)));
        const painted = style(text, cell);
        const last = at === texts.length - 1;
        return columns[at]!.align === 'right' ? space + painted : painted + (last ? '' : space);
      })
      .join('  ')
      .trimEnd();
  const header = line(
    columns.map(({ title }) => ({ text: title })),
    (text) => paint.dim(text),
  );
  const body = cells.map((row) =>
    line(row, (text, { paint: style }) => (style === undefined ? text : paint[style](text))),
  );
  stream.write(`${[header, ...body].join('\n')}\n`);
}

/** Takes from the widest columns until a row fits into a line. */
function shrinkToFit(widths: number[], columns: number): void {
  const least = 8;
  for (let over = widths.reduce((sum, width) => sum + width + 2, -2) - columns; over > 0; over--) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= least) return;
    widths[widest]!--;
  }
}

function shortened(text: string, most: number, width: (text: string) => number): string {
  if (width(text) <= most) return text;
  let kept = '';
  for (const char of text) {
    if (width(kept + char) > most - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

/** How many places a text takes; the library for it is only loaded on a terminal. */
async function widthOf(): Promise<(text: string) => number> {
  const { default: stringWidth } = await import('string-width');
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  return (text) => (/^[\u0000-\u007e]*$/.test(text) ? text.length : stringWidth(text));
}
