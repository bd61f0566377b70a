/** The part of the page with the assets: as a graph, and as a table with the same in figures. */
import { clean, counted, grouped } from '../model/text.ts';
import type { PageAsset, PageData } from '../report/page-data.ts';
import { type Layout, layoutOf, NODE, type Node as Placed } from './asset-layout.ts';
import { button, h, said, svg, table } from './dom.ts';

export function assetsSection({ assets }: PageData, choose: (asset: string) => void): HTMLElement {
  return h(
    'section',
    { 'aria-labelledby': 'assets' },
    h('h2', { id: 'assets' }, 'Assets'),
    ...(assets.length === 0 ? [h('p', {}, 'There is no asset.')] : [graph(assets), figures(assets, choose)]),
  );
}

function figures(assets: readonly PageAsset[], choose: (asset: string) => void): HTMLElement {
  const name = (asset: string): HTMLElement => button(clean(asset), () => choose(asset), { class: 'link' });
  return table({
    caption: counted(assets.length, 'asset'),
    titles: [
      'Asset',
      'Set',
      'Total',
      'Made',
      'Stale',
      'Failed',
      'In progress',
      'Missing',
      'Skipped',
      'Made from',
    ],
    numbers: [2, 3, 4, 5, 6, 7, 8],
    rows: assets.map((one) => [
      name(one.asset),
      one.set === null ? '–' : said(one.set),
      grouped(one.total),
      grouped(one.materialized),
      figure(one.stale, 'stale'),
      figure(one.failed, 'failed'),
      figure(one.inProgress, 'running'),
      figure(one.missing, 'missing'),
      grouped(one.skipped),
      [...one.inputs, ...one.deps].length === 0 ? '–' : said([...one.inputs, ...one.deps].join(', ')),
    ]),
  });
}

function figure(count: number, kind: string): Node | string {
  return count === 0 ? '0' : h('span', { class: kind }, grouped(count));
}

/** What a reader of the screen has in the table, as a picture. */
function graph(assets: readonly PageAsset[]): HTMLElement {
  const layout = layoutOf(assets);
  const { width, height } = layout;
  const picture = svg(
    'svg',
    {
      role: 'img',
      'aria-label': 'The assets, and what each is made from',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    },
    ...layout.edges.map(edge),
    ...layout.nodes.map(node),
  );
  return h(
    'div',
    { class: 'scroll graph', tabindex: 0, role: 'region', 'aria-label': 'Graph of the assets' },
    picture,
  );
}

function edge([from, to]: Layout['edges'][number]): SVGElement {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x, to.y + NODE.height / 2];
  const bend = (x1 + x2) / 2;
  return svg('path', { class: 'edge', d: `M${x1} ${y1} C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}` });
}

function node({ asset, x, y }: Placed): SVGElement {
  const { width, height } = NODE;
  const words = clean(asset.asset);
  return svg(
    'g',
    { class: asset.failed > 0 ? 'node ill' : 'node', transform: `translate(${x} ${y})` },
    svg('title', {}, `${words}: ${grouped(asset.materialized)} of ${grouped(asset.total)}`),
    svg('rect', { width, height, rx: 6 }),
    svg('text', { x: 10, y: 20 }, words.length > 24 ? `${words.slice(0, 23)}…` : words),
    ...bar(asset, { x: 10, y: height - 14, width: width - 20 }),
  );
}

/** How much of an asset is made, failed and so on. */
function bar(
  one: PageAsset,
  at: { readonly x: number; readonly y: number; readonly width: number },
): SVGElement[] {
  const parts = [
    ['made', one.materialized - one.stale],
    ['stale', one.stale],
    ['skipped', one.skipped],
    ['running', one.inProgress],
    ['failed', one.failed],
    ['backlog', one.backlog],
    ['missing', one.missing - one.backlog],
  ] as const;
  let { x } = at;
  return parts.flatMap(([kind, count]) => {
    if (count <= 0) return [];
    // One of a million is seen, too.
    const width = Math.max(2, (count / Math.max(1, one.total)) * at.width);
    const from = Math.min(x, at.x + at.width - width);
    x = from + width;
    return [svg('rect', { class: `bar ${kind}`, x: from, y: at.y, width, height: 6 })];
  });
}
