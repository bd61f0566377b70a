/** The status as one HTML page: nothing is loaded with it, nothing in it runs, and all that comes from outside is text. */
import type { createHash as CreateHash } from 'node:crypto';
import type { SensorRow, SetTable, StatusPage } from '../../report/status-page.ts';
import { clean, counted, grouped, printable } from '../../model/text.ts';

/** What a page of dynpart's making says of itself, so that a newer one may take its place. */
const MARK = '<meta name="generator" content="dynpart status" />';

/** Whether a file that begins so is such a page. */
export function isStatusHtml(head: string): boolean {
  return head.startsWith('<!DOCTYPE html>') && head.includes(MARK);
}

const STYLE = `:root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}
body{max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
caption{text-align:left;font-weight:600}
th,td{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #8884}
.n{text-align:right;font-variant-numeric:tabular-nums}
th[scope=row]{font-weight:400;white-space:pre-wrap;overflow-wrap:anywhere}
.failed,.FAILURE{color:light-dark(#a40000,#ff8a80)}
.materialized{color:light-dark(#1b6e20,#8bd490)}
.scroll{overflow-x:auto}
footer{margin-top:3rem}`;

export function statusHtml(page: StatusPage): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
${MARK}
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${sha256(STYLE)}'; base-uri 'none'; form-action 'none'" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="referrer" content="no-referrer" />
<title>dynpart status</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Status</h1>
<p>${time(page.at)}, serial ${page.serial} of ${text(page.file)}</p>
<h2>Assets</h2>
${assetsTable(page.assets)}
<h2>Partitions</h2>
${page.sets.length === 0 ? '<p>There is no set yet.</p>' : page.sets.map(setTable).join('\n')}
<h2>Sensors</h2>
${sensorsTable(page.sensors)}
</main>
<footer><p>Made by dynpart ${text(page.version)}.</p></footer>
</body>
</html>
`;
}

function assetsTable(assets: StatusPage['assets']): string {
  if (assets.length === 0) return '<p>There is no asset.</p>';
  return table({
    caption: counted(assets.length, 'asset'),
    titles: ['Asset', 'Set', 'Total', 'Materialized', 'Failed', 'In progress', 'Missing'],
    numbersFrom: 2,
    rows: assets.map(({ asset, set, total, materialized, failed, inProgress, missing }) => [
      name(asset),
      cell(set === null ? '-' : text(set)),
      ...[total, materialized].map((count) => cell(grouped(count), 'n')),
      cell(grouped(failed), failed > 0 ? 'n failed' : 'n'),
      ...[inProgress, missing].map((count) => cell(grouped(count), 'n')),
    ]),
  });
}

function setTable({ set, total, assets, keys }: SetTable): string {
  const heading = `<h3>${text(set)}</h3>`;
  if (total === 0) return `${heading}\n<p>It is empty.</p>`;
  const more = total - keys.length;
  return `${heading}
${table({
  caption:
    more > 0 ? `The newest ${grouped(keys.length)} of ${counted(total, 'key')}` : counted(total, 'key'),
  titles: ['Key', ...assets, 'Added'],
  numbersFrom: Infinity,
  rows: keys.map(({ key, addedAt, statuses }) => [
    name(key),
    ...statuses.map((status) => cell(status, status.replace(' ', '-'))),
    cell(time(addedAt)),
  ]),
})}${more > 0 ? `\n<p>… and ${counted(more, 'older key')}: <code>dynpart partitions list</code></p>` : ''}`;
}

function sensorsTable(sensors: readonly SensorRow[]): string {
  if (sensors.length === 0) return '<p>There is no sensor.</p>';
  return table({
    caption: counted(sensors.length, 'sensor'),
    titles: ['Sensor', 'Status', 'Last tick', 'Outcome', 'What'],
    numbersFrom: Infinity,
    rows: sensors.map(({ sensor, status, lastTickAt, outcome, said }) => [
      name(sensor),
      cell(text(status)),
      cell(lastTickAt === null ? 'never' : time(lastTickAt)),
      cell(text(outcome ?? '-'), outcome === 'FAILURE' ? 'FAILURE' : ''),
      cell(text(said)),
    ]),
  });
}

interface TableParts {
  readonly caption: string;
  readonly titles: readonly string[];
  /** Which columns are numbers. */
  readonly numbersFrom: number;
  /** Cells that are HTML already. */
  readonly rows: readonly (readonly string[])[];
}

function table({ caption, titles, numbersFrom, rows }: TableParts): string {
  const head = titles.map(
    (title, at) => `<th scope="col"${at >= numbersFrom ? ' class="n"' : ''}>${text(title)}</th>`,
  );
  return `<div class="scroll"><table>
<caption>${text(caption)}</caption>
<thead><tr>${head.join('')}</tr></thead>
<tbody>
${rows.map((cells) => `<tr>${cells.join('')}</tr>`).join('\n')}
</tbody>
</table></div>`;
}

/** A key or name, as the command line prints it: a JSON string where it would be misread. Its direction stays its own. */
function name(key: string): string {
  return `<th scope="row"><bdi>${escaped(printable(key))}</bdi></th>`;
}

function cell(html: string, kind = ''): string {
  return kind === '' ? `<td>${html}</td>` : `<td class="${kind}">${html}</td>`;
}

/** Anything else from outside. */
function text(raw: string): string {
  return `<bdi>${escaped(clean(raw))}</bdi>`;
}

function time(at: string): string {
  return `<time datetime="${escaped(at)}">${escaped(at)}</time>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(raw: string): string {
  return raw.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

function sha256(content: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto') as { createHash: typeof CreateHash };
  return createHash('sha256').update(content).digest('base64');
}
