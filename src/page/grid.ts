/** The heat map: keys by assets, of which only the rows that are seen are elements. */
import { clean } from '../model/text.ts';
import { h, wordsOf } from './dom.ts';
import type { KeyTable } from './key-table.ts';
import { STATES } from './states.ts';
import { ROW_HEIGHT, TallScroll } from './tall-scroll.ts';

/** About the width of a letter of a key; narrower windows than this give keys less of it. */
const LETTER_WIDTH = 8.6;
const NARROW = 600;

/** Widths of a column: the least that can be hit, the most, and what a name needs that stands upright. */
const CELL = { least: 24, forNames: 84, most: 220 } as const;

/** So many rows more are there above and below. */
const BEYOND = 6;

/** So many rows are printed. */
const PRINTED = 200;

interface RowParts {
  readonly row: HTMLElement;
  readonly name: HTMLElement;
  readonly cells: readonly HTMLElement[];
  /** The row that it shows; -1: none. */
  shows: number;
  /** Where it is drawn. */
  y: number;
}

export class Grid {
  readonly element = h('div', { role: 'grid', class: 'grid', tabindex: 0, 'aria-label': 'Keys by assets' });
  readonly #onOpen: (position: number) => void;
  readonly #onScroll: () => void;
  readonly #scroll = new TallScroll(this.element, () => this.#head?.offsetHeight ?? 0);
  #table: KeyTable;
  #rows: Uint32Array = new Uint32Array();
  #head: HTMLElement | null = null;
  #body = h('div', { role: 'rowgroup', class: 'rows' });
  #pool: RowParts[] = [];
  #active = 0;

  constructor(
    table: KeyTable,
    on: { readonly open: (position: number) => void; readonly scroll: () => void },
  ) {
    this.#table = table;
    this.#onOpen = on.open;
    this.#onScroll = on.scroll;
    this.element.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#pressed(event));
    this.element.addEventListener('click', (event) => this.#clicked(event));
    new ResizeObserver(() => {
      this.#fit();
      this.#draw();
    }).observe(this.element);
  }

  /** Shows these rows of a table; where they are the same set's as before, the place stays. */
  show(table: KeyTable, rows: Uint32Array): void {
    const isOther = table.set.set !== this.#table.set.set || this.#pool.length === 0;
    this.#table = table;
    this.#rows = rows;
    this.#scroll.rows = rows.length;
    if (isOther || this.#pool[0]?.cells.length !== table.set.assets.length) this.#build();
    for (const parts of this.#pool) parts.shows = -1;
    this.#active = Math.min(this.#active, Math.max(0, rows.length - 1));
    this.#fit();
    this.element.setAttribute('aria-rowcount', String(rows.length + 1));
    this.#body.style.height = `${this.#scroll.drawnHeight}px`;
    this.#draw();
  }

  /** What part of the rows is seen, from 0 to 1. */
  get seen(): readonly [from: number, to: number] {
    return this.#scroll.seen;
  }

  /** Goes to where so much of the rows, from 0 to 1, is above. */
  goTo(part: number): void {
    this.#scroll.goTo(part);
  }

  /** For a printer nothing scrolls: the first rows are all there. */
  forPrint(isPrinting: boolean): void {
    this.element.classList.toggle('printed', isPrinting);
    if (isPrinting) {
      this.element.scrollTop = 0;
      this.#body.style.height = `${Math.min(PRINTED, this.#rows.length) * ROW_HEIGHT}px`;
      this.#draw(PRINTED);
    } else this.show(this.#table, this.#rows);
  }

  /** The keys have the room that the longest needs, up to a limit, and the assets share the rest. */
  #fit(): void {
    const { clientWidth } = this.element;
    const { longest, set } = this.#table;
    const most = clientWidth < NARROW ? 0.45 * clientWidth : Math.min(420, 0.45 * clientWidth);
    const name = Math.round(Math.max(90, Math.min(most, (longest + 3) * LETTER_WIDTH)));
    const share = Math.floor((clientWidth - name) / Math.max(1, set.assets.length));
    const cell = Math.max(CELL.least, Math.min(CELL.most, share));
    this.element.style.setProperty('--name', `${name}px`);
    this.element.style.setProperty('--cell', `${cell}px`);
    // Names of assets stand upright where they have room.
    this.element.classList.toggle('roomy', cell >= CELL.forNames);
  }

  #build(): void {
    const { assets } = this.#table.set;
    this.#pool = [];
    this.#active = 0;
    this.#body = h('div', { role: 'rowgroup', class: 'rows' });
    const heads = assets.map((asset, at) =>
      h(
        'span',
        { role: 'columnheader', 'aria-colindex': at + 2, title: clean(asset) },
        h('span', {}, clean(asset)),
      ),
    );
    const head = h(
      'div',
      { role: 'row', 'aria-rowindex': 1, class: 'head' },
      h('span', { role: 'columnheader', 'aria-colindex': 1, class: 'name' }, 'Key'),
      ...heads,
    );
    this.#head = h('div', { role: 'rowgroup', class: 'heads' }, head);
    this.element.replaceChildren(this.#head, this.#body);
    this.element.setAttribute('aria-colcount', String(assets.length + 1));
    this.element.style.setProperty('--columns', String(assets.length));
    this.element.scrollTop = 0;
  }

  #draw(least = 0): void {
    const count = Math.max(least, Math.ceil(this.element.clientHeight / ROW_HEIGHT) + 2 * BEYOND);
    const { top, shift } = this.#scroll;
    // A row is drawn by the element with its number modulo their count: with more of them, all change places.
    if (count > this.#pool.length) this.#grow(count);
    const size = this.#pool.length;
    const first = Math.max(0, Math.min(Math.floor(top / ROW_HEIGHT) - BEYOND, this.#rows.length - size));
    for (let row = first; row < first + size; row++) {
      const parts = this.#pool[row % size]!;
      if (parts.shows !== row) this.#fill(parts, row);
      const y = row * ROW_HEIGHT + shift;
      if (parts.y === y) continue;
      parts.y = y;
      parts.row.style.transform = `translateY(${y}px)`;
    }
    this.#onScroll();
  }

  #grow(count: number): void {
    for (const parts of this.#pool) parts.shows = -1;
    const { assets } = this.#table.set;
    while (this.#pool.length < count) {
      const name = h('span', { role: 'rowheader', 'aria-colindex': 1, class: 'name' });
      const cells = assets.map((_, at) => h('span', { role: 'gridcell', 'aria-colindex': at + 2 }));
      const row = h('div', { role: 'row', id: `row-${this.#pool.length}` }, name, ...cells);
      this.#pool.push({ row, name, cells, shows: -1, y: -1 });
      this.#body.append(row);
    }
  }

  #fill(parts: RowParts, at: number): void {
    const { row, name, cells } = parts;
    parts.shows = at;
    row.hidden = at >= this.#rows.length;
    if (row.hidden) return;
    const position = this.#rows[at]!;
    row.setAttribute('aria-rowindex', String(at + 2));
    row.classList.toggle('active', at === this.#active);
    const words = wordsOf(this.#table.set.keys[position] ?? null);
    name.textContent = words;
    name.title = words;
    const { columns } = this.#table;
    for (let column = 0; column < cells.length; column++) {
      const { sign, kind, state } = STATES[columns[column]![position]!]!;
      const cell = cells[column]!;
      if (cell.className === kind) continue;
      cell.className = kind;
      cell.textContent = sign;
      cell.setAttribute('aria-label', state);
      cell.title = state;
    }
  }

  #clicked(event: MouseEvent): void {
    const row = event.target instanceof Element ? event.target.closest('.rows > [role=row]') : null;
    const parts = this.#pool.find((one) => one.row === row);
    if (parts === undefined || parts.shows < 0) return;
    this.#move(parts.shows);
    this.#onOpen(this.#rows[parts.shows]!);
  }

  #pressed(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2);
    const last = this.#rows.length - 1;
    const to: Readonly<Record<string, number>> = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      PageDown: this.#active + page,
      PageUp: this.#active - page,
      Home: 0,
      End: last,
    };
    if (event.key === 'Enter' && last >= 0) this.#onOpen(this.#rows[this.#active]!);
    else if (to[event.key] === undefined) return;
    else this.#move(Math.max(0, Math.min(last, to[event.key]!)));
    event.preventDefault();
  }

  /** Makes a row the one that keys are about, and sees to it that it is seen. */
  #move(to: number): void {
    const { element } = this;
    this.#active = to;
    this.#scroll.goToRow(to);
    this.#draw();
    for (const { row, shows } of this.#pool) {
      row.classList.toggle('active', shows === to);
      if (shows === to) element.setAttribute('aria-activedescendant', row.id);
    }
  }
}
