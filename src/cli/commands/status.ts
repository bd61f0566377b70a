/** `dynpart status`: what is materialized, failed, in progress and missing, per asset. */
import { withPresentLastTicks } from '../../engine/sensors/runs-of-ticks.ts';
import { isoTime } from '../../model/time.ts';
import { newestOf, type PageParts, setsOf, statusPage } from '../../report/status-page.ts';
import { isAllMade, needsOfReport, statusReport } from '../../report/status-report.ts';
import type { StateView } from '../../state/slice.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
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
): Promise<void> {
  const before = await context.project.store.read({ sets: true });
  const known = await context.project.known(before, ({ assets }) =>
    names.some((name) => assets.every((asset) => asset.name !== name)),
  );
  for (const name of names)
    context.project.checkName(
      'asset',
      name,
      known.assets.map((asset) => asset.name),
    );
  const chosen = known.assets.filter(({ name }) => names.length === 0 || names.includes(name));
  const isWhole = names.length === 0;
  const sets = flags.html === undefined ? [] : setsOf(chosen, isWhole ? before.setNames() : []);
  const view = await context.project.store.read({
    ...needsOfReport(chosen, known.sensors),
    pages: sets.map((set) => newestOf(set, chosen)),
  });
  const report = statusReport(view, chosen, known.sensors);
  const { assets } = report;
  Object.assign(context.output.document, report);
  if (context.output.options.json)
    context.output.document['sensors'] = await withPresentLastTicks(context.project.store, report.sensors);
  if (flags.html !== undefined) {
    const parts = { report, known: chosen, sets };
    context.output.document['html'] = await writePage(context, flags.html, view, parts);
  }
  if (flags.exitCode && !isAllMade(assets)) context.output.exitWith(10);
  await context.output.table({
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
      number(context, total),
      { text: number(context, materialized), ...(materialized > 0 && { paint: 'good' as const }) },
      { text: number(context, failed), ...(failed > 0 && { paint: 'bad' as const }) },
      number(context, running),
      { text: number(context, missing), ...(missing > 0 && { paint: 'warn' as const }) },
    ]),
  });
}

/** Scripts want to compare numbers, people want to read them. */
function number(context: Context, count: number): string {
  return context.terminal.stdout.isTerminal ? grouped(count) : String(count);
}

async function writePage(
  context: Context,
  file: string,
  view: StateView,
  parts: Omit<PageParts, 'at' | 'version' | 'file'>,
): Promise<string> {
  const { isStatusHtml, statusHtml } = await import('../render/html.ts');
  const { writeFile } = await import('../write-file.ts');
  const page = statusPage(view, {
    ...parts,
    at: isoTime(context.clock.now()),
    version: context.version,
    file: context.project.store.file.path,
  });
  return writeFile(context, file, { content: statusHtml(page), isOwn: isStatusHtml });
}
