/** Tables as data, and as they are elsewhere than on a terminal: one record a line, with tabs between the fields. */
import { clean } from '../../model/text.ts';
import type { Paint } from './paint.ts';

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | Cell)[])[];
}

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** What must be left when the terminal is narrow: all of each text, or what tells texts apart. Default: its beginning. */
  readonly keeps?: 'all' | 'difference';
  /** Where a row does not fit otherwise it is left out, the last one of such first. */
  readonly spare?: true;
  /** It takes what the others leave of a line, so many places at least; where there are fewer it is left out. */
  readonly fills?: number;
}

export interface Cell {
  readonly text: string;
  readonly paint?: keyof Paint;
  /** What it shows in so many places, painted. */
  readonly fill?: (places: number) => string;
}

export function records({ rows }: Table): string {
  return rows
    .map(
      (row) =>
        `${row.map((cell) => oneLine(clean(typeof cell === 'string' ? cell : cell.text))).join('\t')}\n`,
    )
    .join('');
}

export function oneLine(text: string): string {
  return text.replaceAll(/[\n\t]/g, ' ');
}
