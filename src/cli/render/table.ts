/** Tables on a terminal: aligned, with a header, and no wider than it is. */
import type { OutStream } from '../terminal.ts';
import type { Paint } from './paint.ts';
import { clean } from '../../model/text.ts';
import { type Cell, type Column, oneLine, type Table } from './records.ts';

/** No bar gets clearer by being longer. */
const WIDEST_FILL = 32;

export async function writeTable(stream: OutStream, paint: Paint, { columns, rows }: Table): Promise<void> {
  const cells = rows.map((row) =>
    row.map((cell) =>
      typeof cell === 'string' ? { text: clean(cell) } : { ...cell, text: clean(cell.text) },
    ),
  );
  const width = await widthOf();
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((row) => width(row[at]!.text))),
  );
  const kept = keptOf(columns, widths, stream.columns);
  const only = <T>(all: readonly T[]): T[] => kept.map((at) => all[at]!);
  if (kept.length < columns.length)
    return writeTable(stream, paint, { columns: only(columns), rows: rows.map(only) });
  const fill = columns.findIndex(({ fills }) => fills !== undefined);
  makeRoom(widths, columns, stream.columns);
  const room = stream.columns - widths.reduce((sum, one) => sum + one + 2, -2);
  const cuts = columns.map(({ keeps }, at): Cut => {
    if (keeps !== 'difference') return atEnd;
    const different = [...new Set(cells.map((row) => oneLine(row[at]!.text)))];
    const telling = tellingApart(different, widths[at]!, width);
    widths[at] = telling.places;
    return telling.cut;
  });
  const line = (texts: readonly Cell[], style: (text: string, cell: Cell) => string): string =>
    texts
      .map((cell, at) => {
        if (at === fill)
          return room < columns[at]!.fills! ? '' : (cell.fill?.(Math.min(room, WIDEST_FILL)) ?? '');
        const text = cuts[at]!(oneLine(cell.text), widths[at]!, width);
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

/** The places of the columns that there is room for, if only for the beginning of what may be cut. */
function keptOf(columns: readonly Column[], widths: readonly number[], room: number): number[] {
  const kept = columns.map((_, at) => at);
  const isTooWide = (): boolean =>
    kept.reduce(
      (sum, at) => sum + (columns[at]!.keeps === 'all' ? widths[at]! : Math.min(LEAST, widths[at]!)) + 2,
      -2,
    ) > room;
  while (isTooWide()) {
    const spare = kept.findLastIndex((at) => columns[at]!.spare);
    if (spare === -1) break;
    kept.splice(spare, 1);
  }
  return kept;
}

/** So much of a text tells enough of it to make room for a bar. */
const ENOUGH = 14;

/** For the column that fills a line, too, where the others need not be cut to next to nothing for it. */
function makeRoom(widths: number[], columns: readonly Column[], room: number): void {
  const filling = columns.find(({ fills }) => fills !== undefined)?.fills ?? 0;
  const narrower = [...widths];
  shrinkToFit(narrower, columns, room - filling);
  const isEnough = narrower.every((width, at) => width >= Math.min(ENOUGH, widths[at]!));
  if (isEnough) widths.splice(0, widths.length, ...narrower);
  else shrinkToFit(widths, columns, room);
}

/** Nothing is cut shorter than this. */
const LEAST = 8;

/** Takes from the widest columns that may be cut until a row fits into a line. */
function shrinkToFit(widths: number[], columns: readonly Column[], room: number): void {
  const cuttable = (width: number, at: number): number => (columns[at]!.keeps === 'all' ? 0 : width);
  for (let over = widths.reduce((sum, width) => sum + width + 2, -2) - room; over > 0; over--) {
    const may = widths.map(cuttable);
    const widest = may.indexOf(Math.max(...may));
    if (may[widest]! <= LEAST) return;
    widths[widest]!--;
  }
}

export type Width = (text: string) => number;

/** Shortens a text that is too long for its places. */
type Cut = (text: string, most: number, width: Width) => string;

/** A cut after which different texts still look different, and the places that it takes: `least`, where any cut will do. */
function tellingApart(
  different: readonly string[],
  least: number,
  width: Width,
): { readonly cut: Cut; readonly places: number } {
  const tellsApart = (cut: Cut, places: number): boolean => {
    const seen = new Set<string>();
    return different.every((text) => seen.size < seen.add(cut(text, places, width)).size);
  };
  const behindCommon = behind(commonLength(different));
  for (const cut of [atEnd, inMiddle, behindCommon])
    if (tellsApart(cut, least)) return { cut, places: least };
  // Rather a line that is too long than two that look the same.
  let [low, high] = [least, Math.max(least, ...different.map(width))];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (tellsApart(behindCommon, middle)) high = middle;
    else low = middle + 1;
  }
  return { cut: behindCommon, places: low };
}

const atEnd: Cut = (text, most, width) =>
  width(text) <= most ? text : `${beginning(text, most - 1, width)}…`;

const inMiddle: Cut = (text, most, width) => {
  if (width(text) <= most) return text;
  const end = ending(text, Math.ceil((most - 1) / 2), width);
  return `${beginning(text, most - 1 - width(end), width)}…${end}`;
};

/** Leaves out what all texts begin with. */
function behind(common: number): Cut {
  return (text, most, width) => (width(text) <= most ? text : atEnd(`…${text.slice(common)}`, most, width));
}

/** The length of what all texts begin with. */
function commonLength([first = '', ...others]: readonly string[]): number {
  let length = 0;
  for (const letter of first) {
    if (!others.every((other) => other.startsWith(letter, length))) break;
    length += letter.length;
  }
  return length;
}

/** As much of the beginning as there are places for. */
export function beginning(text: string, places: number, width: Width): string {
  if (width(text) === text.length) return text.slice(0, places);
  return fitting(lettersOf(text), places, width).join('');
}

function ending(text: string, places: number, width: Width): string {
  if (width(text) === text.length) return text.slice(text.length - places);
  return fitting(lettersOf(text).toReversed(), places, width).toReversed().join('');
}

function fitting(letters: readonly string[], places: number, width: Width): readonly string[] {
  let left = places;
  const end = letters.findIndex((letter) => (left -= width(letter)) < 0);
  return end === -1 ? letters : letters.slice(0, end);
}

let made: Intl.Segmenter | undefined;
const segmenter = (): Intl.Segmenter => (made ??= new Intl.Segmenter());

/** What takes places as one: a letter with its accents, a flag, a family. */
function lettersOf(text: string): string[] {
  return Array.from(segmenter().segment(text), ({ segment }) => segment);
}

/**
 * How many places a text takes; the library for it is only loaded on a terminal. It is slow, and is asked once for each letter
 * that is not ASCII: the same few come again and again.
 */
export async function widthOf(): Promise<Width> {
  const { default: stringWidth } = await import('string-width');
  const ofLetters = new Map<string, number>();
  const ofTexts = new Map<string, number>();
  const ofLetter = (letter: string): number => {
    const known = ofLetters.get(letter) ?? stringWidth(letter);
    ofLetters.set(letter, known);
    return known;
  };
  return (text) => {
    // oxlint-disable-next-line no-control-regex -- all of ASCII, and the sign of what was cut
    if (/^[\u0000-\u007e…]*$/.test(text)) return text.length;
    const known = ofTexts.get(text) ?? lettersOf(text).reduce((sum, letter) => sum + ofLetter(letter), 0);
    ofTexts.set(text, known);
    return known;
  };
}
