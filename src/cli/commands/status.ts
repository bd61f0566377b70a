/** `dynpart status`: what is materialized, failed, in progress and missing, per asset. */
import { withPresentLastTicks } from '../../engine/sensors/runs-of-ticks.ts';
import { isoTime } from '../../model/time.ts';
import { newestOf, type PageParts, setsOf, statusPage } from '../../report/status-page.ts';
import { isAllMade, needsOfReport, statusReport } from '../../report/status-report.ts';
import type { StateView } from '../../state/slice.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { Output } from '../output.ts';
import type { Status } from '../results.ts';
import { grouped } from '../../model/text.ts';

export function statusCommand(program: Declaration): void {
  program
    .command('status')
    .argument('[assets...]', 'which; without it, all')
    .description('what is materialized, failed, in progress and missing, per asset')
    .option('--exit-code', 'exit with 10 when keys are missing or failed')
    .option('--html <file>', 'also as a page of HTML, with the keys of each set')
    .action(status);
}

async function status(
  context: Context,
  flags: { readonly exitCode?: boolean; readonly html?: string },
  names: readonly string[],
): Promise<Status> {
  const { output, project } = context;
  const before = await project.store.read({ sets: true });
  const known = await project.known(before, ({ assets }) =>
    names.some((name) => assets.every((asset) => asset.name !== name)),
  );
  for (const name of names)
    project.checkName(
      'asset',
      name,
      known.assets.map((asset) => asset.name),
    );
  const chosen = known.assets.filter(({ name }) => names.length === 0 || names.includes(name));
  const isWhole = names.length === 0;
  const sets = flags.html === undefined ? [] : setsOf(chosen, isWhole ? before.setNames() : []);
  const view = await project.store.read({
    ...needsOfReport(chosen, known.sensors),
    pages: sets.map((set) => newestOf(set, chosen)),
  });
  const report = statusReport(view, chosen, known.sensors);
  const { assets } = report;
  const { json } = output.options;
  const sensors = json ? await withPresentLastTicks(project.store, report.sensors) : report.sensors;
  const result: Status = { assets, sensors };
  output.soFar(result);
  const parts = { report, known: chosen, sets };
  const html = flags.html === undefined ? null : await writePage(context, flags.html, view, parts);
  if (flags.exitCode && !isAllMade(assets)) output.exitWith(10);
  await printAssets(output, assets);
  return { ...result, ...(html !== null && { html }) };
}

async function printAssets(output: Output, assets: Status['assets']): Promise<void> {
  // Scripts want to compare numbers, people want to read them.
  const number = (count: number): string =>
    output.terminal.stdout.isTerminal ? grouped(count) : String(count);
  await output.table({
    columns: [
      { title: 'ASSET' },
      { title: 'SET' },
      ...['TOTAL', 'MATERIALIZED', 'FAILED', 'IN PROGRESS', 'MISSING'].map((title) => ({
        title,
        align: 'right' as const,
      })),
    ],
    rows: assets.map(({ asset, set, total, materialized, failed, inProgress: running, missing }) => [
      asset,
      set ?? '-',
      number(total),
      { text: number(materialized), ...(materialized > 0 && { paint: 'good' as const }) },
      { text: number(failed), ...(failed > 0 && { paint: 'bad' as const }) },
      number(running),
      { text: number(missing), ...(missing > 0 && { paint: 'warn' as const }) },
    ]),
  });
}

async function writePage(
  context: Context,
  file: string,
  view: StateView,
  parts: Omit<PageParts, 'at' | 'version' | 'file'>,
): Promise<string> {
  const { isStatusHtml, statusHtml } = await import('../render/html.ts');
  const { writeFile } = await import('../write-file.ts');
  const { clock, version, project } = context;
  const page = statusPage(view, { ...parts, at: isoTime(clock.now()), version, file: project.place });
  return writeFile(context, file, { content: statusHtml(page), isOwn: isStatusHtml });
}
