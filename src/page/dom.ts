/** Makes elements. All that comes from outside becomes text, never markup. */
import { clean, printable } from '../model/text.ts';

type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children);
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Text from outside: it keeps its own direction, and what would turn that of the rest is shown as an escape. */
export function said(text: string): HTMLElement {
  return h('bdi', {}, clean(text));
}

/** The words of a key; `null`: the assets have no set. */
export function wordsOf(key: string | null): string {
  return key === null ? 'the whole asset' : printable(key);
}

export function time(at: string | null): Node | string {
  if (at === null) return '–';
  return h('time', { datetime: at, title: at }, `${at.slice(0, 10)} ${at.slice(11, 19)}`);
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = h('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', onClick);
  return made;
}

/** A command with a button that copies it. */
export function command(text: string): HTMLElement {
  const shown = h('code', {}, clean(text));
  const copy = button('copy', () => void copied(), { 'aria-label': `copy the command ${clean(text)}` });
  const copied = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'copied';
    } catch {
      // Pages that were opened as a file may not write there: what is selected can be copied by hand.
      getSelection()?.selectAllChildren(shown);
      copy.textContent = 'selected';
    }
    setTimeout(() => (copy.textContent = 'copy'), 1500);
  };
  return h('span', { class: 'command' }, shown, copy);
}

export interface Table {
  readonly caption: string;
  readonly titles: readonly string[];
  readonly rows: readonly (readonly (Node | string)[])[];
  /** The columns of numbers. */
  readonly numbers?: readonly number[];
}

/** The first column says what a row is about. */
export function table({ caption, titles, rows, numbers = [] }: Table): HTMLElement {
  const kind = (at: number): Attributes => (numbers.includes(at) ? { class: 'n' } : {});
  const head = titles.map((title, at) => h('th', { scope: 'col', ...kind(at) }, title));
  const body = rows.map((cells) =>
    h(
      'tr',
      {},
      ...cells.map((cell, at) => (at === 0 ? h('th', { scope: 'row' }, cell) : h('td', kind(at), cell))),
    ),
  );
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h('table', {}, h('caption', {}, caption), h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...body)),
  );
}
