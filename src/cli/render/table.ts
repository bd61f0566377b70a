/** Tables: aligned with a header on a terminal, one record a line with tabs between the fields elsewhere. */
import type { OutStream } from '../terminal.ts';
import type { Paint } from './paint.ts';
import { clean } from '../../model/text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** What must be left when the terminal is narrow: all of each text, or what tells texts apart. Default: its beginning. */
  readonly keeps?: 'all' | 'difference';
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
    stream.write(cells.map((row) => `${row.map(({ text }) => oneLine(text)).join('\t')}\n`).join(''));
    return;
  }
  const width = await widthOf();
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((row) => width(row[at]!.text))),
  );
  const texts = (at: number): string[] => cells.map((row) => oneLine(row[at]!.text));
  shrinkToFit(widths, columns, stream.columns);
  for (const [at, { keeps }] of columns.entries())
    if (keeps === 'difference') widths[at] = widthThatTellsApart(texts(at), widths[at]!, width);
  const line = (texts: readonly Cell[], style: (text: string, cell: Cell) => string): string =>
    texts
      .map((cell, at) => {
        const text = shortened(oneLine(cell.text), widths[at]!, width);
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

function oneLine(text: string): string {
  return text.replaceAll(/[\n\t]/g, ' ');
}

/** Takes from the widest columns that may be cut until a row fits into a line. */
function shrinkToFit(widths: number[], columns: readonly Column[], room: number): void {
  const least = 8;
  const cuttable = (width: number, at: number): number => (columns[at]!.keeps === 'all' ? 0 : width);
  for (let over = widths.reduce((sum, width) => sum + width + 2, -2) - room; over > 0; over--) {
    const may = widths.map(cuttable);
    const widest = may.indexOf(Math.max(...may));
    if (may[widest]! <= least) return;
    widths[widest]!--;
  }
}

/** The least width, from `least` on, at which different texts still look different. */
function widthThatTellsApart(
  texts: readonly string[],
  least: number,
  width: (text: string) => number,
): number {
  const different = [...new Set(texts)];
  const most = Math.max(least, ...different.map(width));
  const isEnough = (places: number): boolean =>
    new Set(different.map((text) => shortened(text, places, width))).size === different.length;
  let [low, high] = [least, most];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function shortened(text: string, most: number, width: (text: string) => number): string {
  if (width(text) <= most) return text;
  if (width(text) === text.length) return `${text.slice(0, most - 1)}…`;
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
