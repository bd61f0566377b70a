/** `dynpart status`: what is materialized, failed, in progress and missing, per asset. */
import { withPresentLastTicks } from '../../engine/sensors/runs-of-ticks.ts';
import {
  isLate,
  isWell,
  needsOfReport,
  type StatusReport,
  statusReport,
} from '../../report/status-report.ts';
import { type OpenIncident, openIncidents } from '../../report/open-incidents.ts';
import { checkName } from '../check-names.ts';
import type { Context } from '../context.ts';
import { oneOf } from '../command-line/options.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { onThePage, type ShowFlags, showsOf } from '../page/page-flags.ts';
import type { Status } from '../json-results.ts';
import type { PageAsked } from '../../report/page.ts';
import { clean } from '../../model/text.ts';
import type { StateView } from '../../state/state-view.ts';

export function statusCommand(program: Declaration): void {
  const command = program
    .command('status')
    .argument('[assets...]', 'which; without it, all')
    .description('what is materialized, failed, in progress and missing, per asset')
    .option(
      '--exit-code',
      'exit with 10 when keys are missing, stale or failed, something is overdue, or a sensor failed in its last tick',
    )
    .option(
      '--format <format>',
      'text, or prometheus: figures for what collects them',
      oneOf('--format', ['text', 'prometheus']),
    )
    .option('--html <file>', 'also as a page of HTML, with all keys, runs and ticks');
  onThePage(command).action(status);
}

async function status(
  context: Context,
  flags: ShowFlags & {
    readonly exitCode?: boolean;
    readonly html?: string;
    readonly format?: 'text' | 'prometheus';
  },
  names: readonly string[],
): Promise<Status> {
  const { output, project } = context;
  const before = await project.store.read({ sets: true });
  const known = await project.known(before, ({ assets }) =>
    names.some((name) => assets.every((asset) => asset.name !== name)),
  );
  for (const name of names)
    checkName(
      'asset',
      name,
      known.assets.map((asset) => asset.name),
    );
  const chosen = known.assets.filter(({ name }) => names.length === 0 || names.includes(name));
  const asked: PageAsked = {
    known: { ...known, assets: chosen },
    isWhole: chosen.length === known.assets.length,
    others: names.length === 0 ? before.setNames() : [],
    shows: showsOf(flags),
  };
  // The page and all else that is said are of one moment.
  const needs =
    flags.html === undefined
      ? needsOfReport(chosen, known.sensors)
      : (await import('../../report/page.ts')).needsOfPage(asked);
  const view = await project.look(needs);
  const report = statusReport(view, asked.known, context.clock.now());
  const { assets, workers } = report;
  const { json } = output.options;
  const sensors = json ? await withPresentLastTicks(project.store, report.sensors) : report.sensors;
  const incidents = openIncidents(view.incidents.list, chosen);
  const result: Status = { assets, sensors, workers, incidents };
  output.soFar(result);
  const html = flags.html === undefined ? null : await writePage(context, flags.html, view, asked);
  if (flags.exitCode && !isWell(report)) output.exitWith(10);
  if (flags.format === 'prometheus') {
    const { prometheusText } = await import('../../report/prometheus.ts');
    const { serial } = view;
    const { list } = view.incidents;
    output.print(prometheusText({ report, incidents: list, serial, now: context.clock.now() }));
  } else if (!json) await print(context, report, { ...asked, incidents });
  return { ...result, ...(html !== null && { html }) };
}

/** On a terminal one screen; in a pipe a line an asset, and what wants somebody on stderr. */
async function print(
  context: Context,
  report: StatusReport,
  asked: PageAsked & { readonly incidents: readonly OpenIncident[] },
): Promise<void> {
  const { output } = context;
  if (output.terminal.stdout.isTerminal)
    return (await import('../status/screen.ts')).printScreen(context, report, asked);
  output.print(
    report.assets
      .map((one) => {
        const { asset, set, total, materialized, failed, inProgress, missing, stale, skipped, backlog } = one;
        const counts = [total, materialized, failed, inProgress, missing, stale, skipped, backlog];
        // What is new goes to the end: scripts count fields.
        return [asset, set ?? '-', ...counts, one.freshness ?? '-'].join('\t');
      })
      .map((line) => `${line}\n`)
      .join(''),
  );
  if ((isWell(report) && !isLate(report)) || output.options.quiet) return;
  const { inOneLine } = await import('../../report/to-do.ts');
  const { readAttention } = await import('../status/read-attention.ts');
  for (const { what, ...commands } of await readAttention(context, report, asked))
    output.say(`${clean(what)}: ${clean(output.toPaste(inOneLine(commands)))}`);
}

async function writePage(context: Context, file: string, view: StateView, asked: PageAsked): Promise<string> {
  const { gatherPage } = await import('../page/gather-page.ts');
  const { isStatusHtml, pageTemplate } = await import('../page/page-html.ts');
  const { writeFile } = await import('../write-file.ts');
  const page = pageTemplate(context.ownFolder);
  const data = await gatherPage(context, view, asked, { isLive: false });
  return writeFile(context, file, { content: page(data), isOwn: isStatusHtml });
}
