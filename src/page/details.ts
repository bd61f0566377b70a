/** All of one key, in a dialog: what it carries, where each asset stands and why, its runs, and what they wrote. */
import { clean, duration } from '../model/text.ts';
import type { JsonValue } from '../model/json-value.ts';
import type { PageData, PageKeyDetails, PageLine, PageRun } from '../report/page-data.ts';
import { button, command, h, said, table, time, wordsOf } from './dom.ts';
import { commandsOf, errorsOf, runsOf, type Standing, standings, took } from './key-standing.ts';
import type { OpenedKey } from './keys-section.ts';

export class Details {
  readonly element = h('dialog', { class: 'details', 'aria-labelledby': 'opened' });

  constructor() {
    // A click beside it.
    this.element.addEventListener('click', (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  /** Whether a run of the key that is shown has not ended. */
  isAtWork = false;

  get isOpen(): boolean {
    return this.element.open;
  }

  show(data: PageData, opened: OpenedKey, details: PageKeyDetails): void {
    const { scrollTop } = this.element;
    const isOpen = this.isOpen;
    this.isAtWork = details.runs.some(({ finishedAt }) => finishedAt === null);
    this.element.replaceChildren(contents(data, opened, details, () => this.element.close()));
    if (isOpen) this.element.scrollTop = scrollTop;
    else this.element.showModal();
  }
}

/** What the page's own data has of a key. */
export function detailsIn(data: PageData, { table: { set }, position }: OpenedKey): PageKeyDetails {
  return {
    carried: set.carried[position] ?? {},
    runs: runsOf(data.runs, set.keys[position] ?? null, set.assets),
    logs: data.logs,
  };
}

function contents(
  data: PageData,
  { table: keys, position }: OpenedKey,
  { carried, runs, logs }: PageKeyDetails,
  close: () => void,
): HTMLElement {
  const key = keys.set.keys[position] ?? null;
  const its = standings(keys, position, runs);
  const commands = commandsOf(key, its);
  return h(
    'div',
    { class: 'inside' },
    h(
      'header',
      {},
      h('h2', { id: 'opened' }, h('bdi', {}, wordsOf(key))),
      button('close', close, { class: 'close' }),
    ),
    h('dl', {}, ...facts(keys, position, carried)),
    ...commands.map(({ what, command: text }) => h('p', { class: 'mend' }, `${what}: `, command(text))),
    h('h3', {}, 'Assets'),
    ...its.map(standing),
    h('h3', {}, 'Runs'),
    ...(runs.length === 0
      ? [h('p', {}, 'None of its runs is among those that this page has.')]
      : runs.map((run) => runOf(data, run, logs[run.id] ?? []))),
  );
}

function facts(
  keys: OpenedKey['table'],
  position: number,
  { version, item }: PageKeyDetails['carried'],
): Node[] {
  const addedAt = keys.addedAt(position);
  return [
    ...(keys.set.set === null ? [] : fact('set', said(keys.set.set))),
    ...(addedAt === null ? [] : fact('added', time(addedAt))),
    ...(version === undefined ? [] : fact('version', said(version))),
    ...(item === undefined ? [] : fact('item', jsonOf(item))),
  ];
}

function fact(name: string, value: Node | string): Node[] {
  return [h('dt', {}, name), h('dd', {}, value)];
}

function standing({ asset, state, kind, sign, said: why, metadata, warnings }: Standing): HTMLElement {
  const entries = Object.entries(metadata);
  return h(
    'div',
    { class: 'standing' },
    h('p', {}, said(asset), ' ', h('span', { class: kind }, `${sign} ${state}`)),
    why === null ? null : h('pre', { class: 'error', tabindex: 0 }, clean(why)),
    ...warnings.map(([check, message]) =>
      h('p', { class: 'stale' }, 'warning of check ', said(check), `: ${clean(message)}`),
    ),
    entries.length === 0
      ? null
      : h(
          'dl',
          {},
          ...entries.flatMap(([name, value]) => [h('dt', {}, said(name)), h('dd', {}, jsonOf(value))]),
        ),
  );
}

function runOf(data: PageData, run: PageRun, lines: readonly PageLine[]): HTMLElement {
  const ms = took(run, data.at);
  const summary = h(
    'summary',
    {},
    h('span', { class: run.status }, run.status),
    ' ',
    time(run.finishedAt ?? run.startedAt ?? run.createdAt),
    ms === null ? '' : `, ${duration(ms)}`,
    `, ${run.cause}`,
  );
  const isOpen = run.status === 'FAILURE' || run.status === 'STARTED';
  return h(
    'details',
    { class: 'run', open: isOpen },
    summary,
    h('p', { class: 'dim' }, `run ${run.id}`, run.retryOf === null ? '' : `, a retry of ${run.retryOf}`),
    ...errorsOf(run).map((why) => h('pre', { class: 'error', tabindex: 0 }, clean(why))),
    table({
      caption: 'What became of its assets',
      titles: ['Asset', 'Status', 'Why', 'Tries'],
      rows: run.assets.map(({ asset, status, reason, attempts }) => [
        said(asset),
        h('span', { class: status }, status),
        reason ?? '–',
        String(attempts),
      ]),
      numbers: [3],
    }),
    lines.length === 0 ? null : linesOf(lines),
    command(`dynpart runs logs ${run.id}`),
  );
}

/** The last lines that a run wrote. */
export function linesOf(lines: readonly PageLine[]): HTMLElement {
  const text = lines.map(({ at, asset, text: line }) => `${at.slice(11, 23)} ${asset}  ${line}`).join('\n');
  return h(
    'pre',
    { class: 'log', tabindex: 0, role: 'region', 'aria-label': 'what it wrote last' },
    clean(text),
  );
}

function jsonOf(value: JsonValue): HTMLElement {
  return h(
    'code',
    { class: 'json' },
    clean(typeof value === 'string' ? value : JSON.stringify(value, null, 1)),
  );
}
