/** The part of the page with the keys: choose a set, filter, look, open one. */
import { counted, grouped, shellQuoted } from '../model/text.ts';
import type { PageData, PageSet } from '../report/page-data.ts';
import { button, command, h } from './dom.ts';
import { Grid } from './grid.ts';
import { type Filter, KeyTable, NO_FILTER } from './key-table.ts';
import { KeyMap } from './map.ts';
import { ALL_STATES, STATES } from './states.ts';

export interface OpenedKey {
  readonly table: KeyTable;
  readonly position: number;
}

export class KeysSection {
  readonly element = h('section', { class: 'keys', 'aria-labelledby': 'keys' });
  readonly #open: (key: OpenedKey) => void;
  readonly #said = h('p', { class: 'said', role: 'status' });
  readonly #chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'States' });
  readonly #assets = h('select', { id: 'asset' });
  readonly #sets = h('select', { id: 'set' });
  readonly #search = h('input', {
    type: 'search',
    id: 'search',
    placeholder: 'part of a key',
    spellcheck: 'false',
  });
  readonly #failedFirst = h('input', { type: 'checkbox', id: 'failed-first', checked: true });
  readonly #heat = h('div', { class: 'heat' });
  readonly #empty = h('div', { class: 'empty' });
  readonly #map: KeyMap;
  readonly #grid: Grid;
  #data: PageData;
  #table: KeyTable;
  #rows: Uint32Array = new Uint32Array();
  #filter: Filter = NO_FILTER;

  constructor(data: PageData, open: (key: OpenedKey) => void) {
    this.#data = data;
    this.#open = open;
    this.#table = new KeyTable(firstShown(data.sets));
    this.#map = new KeyMap((part) => this.#grid.goTo(part));
    this.#grid = new Grid(this.#table, {
      open: (position) => this.#open({ table: this.#table, position }),
      scroll: () => this.#map.see(this.#grid.seen),
    });
    this.#search.addEventListener('input', () => this.#change({ text: this.#search.value }));
    this.#failedFirst.addEventListener('change', () =>
      this.#change({ failedFirst: this.#failedFirst.checked }),
    );
    this.#assets.addEventListener('change', () => this.#change({ asset: this.#assets.value || null }));
    this.#sets.addEventListener('change', () => this.#choose(this.#sets.selectedIndex));
    this.#heat.append(this.#grid.element, this.#map.element);
    this.element.append(
      h('h2', { id: 'keys' }, 'Keys'),
      h(
        'div',
        { class: 'tools' },
        h('label', { for: 'set' }, 'Set ', this.#sets),
        h('label', { for: 'search' }, 'Search ', this.#search),
        h('label', { for: 'asset' }, 'Asset ', this.#assets),
        h('label', { for: 'failed-first' }, this.#failedFirst, ' failed first'),
      ),
      this.#chips,
      this.#said,
      this.#heat,
      this.#empty,
    );
  }

  /** Draws newer data, or the first: what was filtered and how far was scrolled stays. */
  update(data: PageData): void {
    this.#data = data;
    const { set: before } = this.#table.set;
    const at = Math.max(
      0,
      data.sets.findIndex(({ set }) => set === before),
    );
    this.#sets.replaceChildren(
      ...data.sets.map(({ set, total }) =>
        h('option', {}, `${set ?? 'assets without a set'} (${grouped(total)})`),
      ),
    );
    this.#sets.selectedIndex = at;
    this.#take(data.sets[at] ?? NO_SET);
  }

  /** Shows the keys of one asset only. */
  chooseAsset(asset: string): void {
    const at = this.#data.sets.findIndex(({ assets }) => assets.includes(asset));
    if (at < 0) return;
    this.#sets.selectedIndex = at;
    this.#filter = { ...this.#filter, asset };
    this.#take(this.#data.sets[at]!);
    this.element.scrollIntoView();
  }

  forPrint(isPrinting: boolean): void {
    this.#grid.forPrint(isPrinting);
  }

  /** The colours have changed. */
  redraw(): void {
    this.#map.draw(this.#table, this.#rows);
  }

  #choose(at: number): void {
    this.#filter = { ...this.#filter, asset: null };
    this.#take(this.#data.sets[at] ?? NO_SET);
  }

  #take(set: PageSet): void {
    this.#table = new KeyTable(set);
    if (this.#filter.asset !== null && !set.assets.includes(this.#filter.asset))
      this.#filter = { ...this.#filter, asset: null };
    this.#assets.replaceChildren(
      h('option', { value: '' }, 'any'),
      ...set.assets.map((asset) => h('option', { value: asset }, asset)),
    );
    this.#assets.value = this.#filter.asset ?? '';
    this.#change({});
  }

  #change(change: Partial<Filter>): void {
    this.#filter = { ...this.#filter, ...change };
    this.#rows = this.#table.rows(this.#filter);
    if (change.text === undefined) this.#drawChips();
    const { length } = this.#rows;
    const all = this.#table.set.keys.length;
    this.#said.textContent =
      length === all ? counted(all, 'key') : `${grouped(length)} of ${counted(all, 'key')}`;
    this.#heat.hidden = length === 0;
    this.#empty.replaceChildren(...(length === 0 ? this.#whyEmpty(all) : []));
    this.#grid.show(this.#table, this.#rows);
    this.#map.see(this.#grid.seen);
    // The rows are seen first.
    requestAnimationFrame(() => this.#map.draw(this.#table, this.#rows));
  }

  /** Where there is nothing to see: what brings keys, or shows them again. */
  #whyEmpty(all: number): Node[] {
    const { set } = this.#table.set;
    if (all > 0)
      return [
        button('show all keys', () => {
          this.#search.value = '';
          this.#assets.value = '';
          this.#change({ text: '', states: ALL_STATES, asset: null });
        }),
      ];
    if (set === null) return [];
    const ticks = this.#data.sensors.some(({ status }) => status === 'RUNNING');
    return [
      ...(ticks ? [h('p', {}, 'A sensor finds keys: ', command('dynpart sensor tick'))] : []),
      h('p', {}, 'By hand: ', command(`dynpart partitions add ${shellQuoted(set, 'SET')} KEY`)),
    ];
  }

  /** A button for each state that there is; with none pressed all are shown. */
  #drawChips(): void {
    const { states, asset } = this.#filter;
    const isPressed = (place: number): boolean => states !== ALL_STATES && ((states >> place) & 1) === 1;
    const counts = this.#table.counts(asset);
    const had = document.activeElement?.id;
    this.#chips.replaceChildren(
      ...STATES.flatMap(({ state, sign, kind }, place) => {
        if (counts[place] === 0 && !isPressed(place)) return [];
        const toggle = (): void => {
          const before = states === ALL_STATES ? 0 : states;
          this.#change({ states: before ^ (1 << place) || ALL_STATES });
        };
        const chip = button('', toggle, {
          'aria-pressed': String(isPressed(place)),
          class: kind,
          id: `state-${kind}`,
        });
        chip.append(h('span', { 'aria-hidden': true }, sign), ` ${state} ${grouped(counts[place]!)}`);
        return [chip];
      }),
    );
    if (had?.startsWith('state-')) document.getElementById(had)?.focus();
  }
}

const NO_SET: PageSet = {
  set: null,
  total: 0,
  assets: [],
  keys: [],
  added: [],
  states: {},
  carried: {},
  carriedLeftOut: 0,
};

/** One with something failed, if there is one. */
function firstShown(sets: readonly PageSet[]): PageSet {
  const failed = sets.find(({ states }) => Object.values(states).some((letters) => letters.includes('f')));
  return failed ?? sets[0] ?? NO_SET;
}
