/** The page: draws the data that is in it, and where it is served, what comes after. */
import { clean } from '../model/text.ts';
import type { PageData, PageRun } from '../report/page-data.ts';
import { assetsSection } from './assets-section.ts';
import { Details, detailsIn } from './details.ts';
import { command, h, said, time } from './dom.ts';
import { KeyTable } from './key-table.ts';
import { KeysSection, type OpenedKey } from './keys-section.ts';
import { detailsFromServer, listen } from './live.ts';
import { runsSection, sensorsSection, workersSection } from './time-sections.ts';

let data = JSON.parse(document.getElementById('data')!.textContent) as PageData;
let opened: OpenedKey | null = null;
let isConnected = true;

const keys = new KeysSection(data, (key) => void open(key));
const details = new Details();
const top = h('div');
const assets = h('div');
const below = h('div');
const connection = h('p', { role: 'status', class: 'connection' });
document.getElementById('page')!.append(connection, top, assets, keys.element, below, details.element);
draw();
performance.mark('drawn');

// What is below is not seen at first.
requestAnimationFrame(() => setTimeout(drawBelow));

window.addEventListener('beforeprint', () => keys.forPrint(true));
window.addEventListener('afterprint', () => keys.forPrint(false));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => keys.redraw());

if (data.isLive)
  listen({
    shown: () => data,
    connected: (is) => {
      isConnected = is;
      drawConnection();
    },
    data: (newer) => {
      data = newer;
      draw();
      drawBelow();
      drawConnection();
      if (opened !== null && details.isOpen) void open(moved(opened));
    },
    log: () => {
      if (opened !== null && details.isOpen && details.isAtWork) void open(opened);
    },
  });

function drawConnection(): void {
  const { trouble } = data;
  connection.className = isConnected && trouble === null ? 'connection' : 'connection lost';
  connection.replaceChildren(
    ...(!isConnected
      ? [
          'The connection is lost, and what you see may be old. Start it again, and open the address that it prints: ',
          command('dynpart ui'),
        ]
      : trouble === null
        ? ['Live: what is committed appears here.']
        : [
            'What you see is old, the state cannot be read now: ',
            said(trouble.message),
            trouble.hint === null ? '' : said(` (${trouble.hint})`),
          ]),
  );
}

function draw(): void {
  top.replaceChildren(heading(), ...attention());
  assets.replaceChildren(assetsSection(data, (asset) => keys.chooseAsset(asset)));
  keys.update(data);
}

function drawBelow(): void {
  below.replaceChildren(
    runsSection(data, (run) => void openRun(run)),
    sensorsSection(data),
    workersSection(data),
    footer(),
  );
}

function heading(): HTMLElement {
  return h(
    'header',
    { class: 'top' },
    h('h1', {}, 'dynpart status'),
    h('p', { class: 'dim' }, time(data.at), ` UTC, serial ${data.serial} of `, said(data.place)),
  );
}

function attention(): HTMLElement[] {
  if (data.attention.length === 0) return [h('p', { class: 'well' }, 'Nothing wants anybody.')];
  return [
    h(
      'section',
      { 'aria-labelledby': 'attention', class: 'attention' },
      h('h2', { id: 'attention' }, 'Look at this'),
      h(
        'ul',
        {},
        ...data.attention.map(({ what, commands, note }) =>
          h(
            'li',
            {},
            h('bdi', {}, clean(what)),
            h(
              'div',
              { class: 'commands' },
              ...commands.map(({ what: why, command: text }) =>
                h('span', {}, why === null ? '' : said(`${why}: `), command(text)),
              ),
              note === null ? null : h('span', { class: 'dim' }, said(note)),
            ),
          ),
        ),
      ),
    ),
  ];
}

function footer(): HTMLElement {
  const left = data.sets.reduce((sum, { carriedLeftOut }) => sum + carriedLeftOut, 0);
  const without = Object.entries(data.shows).flatMap(([what, is]) => (is ? [] : [what]));
  return h(
    'footer',
    { class: 'dim' },
    h(
      'p',
      {},
      `Made by dynpart ${data.version}. The data is in this page as JSON, in the element with the id "data".`,
    ),
    left === 0
      ? null
      : h('p', {}, `The items of ${left} keys have no room on it: dynpart partitions show SET KEY`),
    without.length === 0 ? null : h('p', {}, `Left out, as it was asked: ${without.join(', ')}.`),
  );
}

async function open(key: OpenedKey): Promise<void> {
  opened = key;
  const { set } = key.table;
  const asked = set.keys[key.position] ?? null;
  const its = data.isLive
    ? await detailsFromServer(set.set, asked).catch(() => detailsIn(data, key))
    : detailsIn(data, key);
  // Another one may have been opened meanwhile.
  if (opened === key) details.show(data, key, its);
}

/** The same key in newer data. */
function moved({ table, position }: OpenedKey): OpenedKey {
  const key = table.set.keys[position] ?? null;
  return find((one) => one.set === table.set.set, key) ?? { table, position };
}

function openRun(run: PageRun): Promise<void> {
  const found = find((set) => run.assets.some(({ asset }) => set.assets.includes(asset)), run.key);
  return found === null ? Promise.resolve() : open(found);
}

function find(isIn: (set: PageData['sets'][number]) => boolean, key: string | null): OpenedKey | null {
  const set = data.sets.find((one) => isIn(one) && one.keys.includes(key));
  return set === undefined ? null : { table: new KeyTable(set), position: set.keys.indexOf(key) };
}
