/** Which part of many rows is seen: browsers draw nothing that is much higher, so of more rows each pixel of scrolling goes over more. */

/** As the style sheet has it. */
export const ROW_HEIGHT = 24;

const MOST_HEIGHT = 15_000_000;

export class TallScroll {
  /** How many there are. */
  rows = 0;
  readonly #element: HTMLElement;
  readonly #headHeight: () => number;

  /** @param element what is scrolled: a head that stays, and the rows */
  constructor(element: HTMLElement, headHeight: () => number) {
    this.#element = element;
    this.#headHeight = headHeight;
  }

  /** Of all rows, as far as a browser can draw them. */
  get drawnHeight(): number {
    return Math.min(MOST_HEIGHT, this.#height);
  }

  /** What part of the rows is seen, from 0 to 1. */
  get seen(): readonly [from: number, to: number] {
    const height = Math.max(1, this.#height);
    return [this.top / height, Math.min(1, (this.top + this.#element.clientHeight) / height)];
  }

  /** Goes to where so much of the rows, from 0 to 1, is above. */
  goTo(part: number): void {
    this.top = part * this.#height - this.#element.clientHeight / 2;
  }

  /** Sees to it that a row is seen. */
  goToRow(row: number): void {
    const top = row * ROW_HEIGHT;
    if (top < this.top) this.top = top;
    else if (top + ROW_HEIGHT > this.top + this.#room) this.top = Math.ceil(top + ROW_HEIGHT - this.#room);
  }

  /** How much of the rows is above. */
  get top(): number {
    return this.#element.scrollTop * this.#pace;
  }

  set top(top: number) {
    this.#element.scrollTop = top / this.#pace;
  }

  /** Where scrolling is quicker than the rows go by, all that is seen is moved along with it: by so much. */
  get shift(): number {
    return this.#pace === 1 ? 0 : this.#element.scrollTop - this.top;
  }

  /** Of all rows, as if a browser could draw them. */
  get #height(): number {
    return this.rows * ROW_HEIGHT;
  }

  /** So many pixels of the rows go by for one of scrolling. */
  get #pace(): number {
    if (this.#height <= MOST_HEIGHT) return 1;
    const room = this.#room;
    return (this.#height - room) / (MOST_HEIGHT - room);
  }

  /** What is seen of the rows at a time: all but the head. */
  get #room(): number {
    return this.#element.clientHeight - this.#headHeight();
  }
}
