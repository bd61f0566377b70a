/** The map beside the grid: all keys at once, a column an asset, a line as many keys as have to share it. */
import { h } from './dom.ts';
import { type KeyTable, overview } from './key-table.ts';
import { STATES } from './states.ts';

const COLUMN = 6;

export class KeyMap {
  readonly element: HTMLElement;
  readonly #canvas = h('canvas', { 'aria-hidden': true });
  readonly #window = h('div', { class: 'window' });

  /** @param goTo called with the part, from 0 to 1, that somebody points at */
  constructor(goTo: (part: number) => void) {
    this.element = h('div', { class: 'map', 'aria-hidden': true }, this.#canvas, this.#window);
    const point = (event: PointerEvent): void => {
      if (event.buttons === 0) return;
      const { top, height } = this.element.getBoundingClientRect();
      goTo((event.clientY - top) / height);
    };
    this.element.addEventListener('pointerdown', point);
    this.element.addEventListener('pointermove', point);
  }

  draw(table: KeyTable, rows: Uint32Array): void {
    const lines = Math.max(1, Math.min(this.element.clientHeight, rows.length));
    const canvas = this.#canvas;
    this.element.style.setProperty('--columns', String(table.columns.length));
    canvas.width = Math.max(1, table.columns.length * COLUMN);
    canvas.height = lines;
    const context = canvas.getContext('2d');
    if (context === null || rows.length === 0) return;
    const colours = this.#colours();
    for (const [column, worst] of overview(table, rows, lines).entries()) {
      // Lines of the same state in one stroke.
      for (let from = 0; from < lines;) {
        let to = from + 1;
        while (to < lines && worst[to] === worst[from]) to++;
        context.fillStyle = colours[worst[from]!] ?? 'transparent';
        context.fillRect(column * COLUMN, from, COLUMN - 1, to - from);
        from = to;
      }
    }
  }

  /** Shows what part of the keys is seen. */
  see([from, to]: readonly [number, number]): void {
    this.#window.style.top = `${from * 100}%`;
    this.#window.style.height = `${Math.max(0, to - from) * 100}%`;
  }

  #colours(): string[] {
    const style = getComputedStyle(this.element);
    return STATES.map(({ kind }) => style.getPropertyValue(`--${kind}`).trim());
  }
}
