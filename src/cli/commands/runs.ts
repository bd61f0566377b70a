/** `dynpart runs …`: what runs there are and were. What they printed, and what can be done about them, have files of their own. */
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { findRun } from '../find-run.ts';
import { wholeNumber } from '../command-line/options.ts';
import { clean, printable } from '../../model/text.ts';
import { queryOf, type RunFilters, withRunFilters } from '../run-filters.ts';
import type { cancel, release, retry } from './runs-change.ts';
import type { logs } from './runs-logs.ts';

export function runsCommand(program: Declaration): void {
  const runs = program.command('runs').description('runs, what they printed, retry and cancel');
  withRunFilters(runs.command('list').description('runs, newest first'))
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1), 50)
    .option('--after <id>', 'only runs that stand after this one in the list')
    .action(list);
  runs.command('show').argument('<id>').description('one run, its assets and their metadata').action(show);
  runs
    .command('logs')
    .argument('<id>')
    .description('what a run printed, by attempt')
    .option('--follow', 'go on until the run has ended')
    .action(async (...given: Parameters<typeof logs>) => (await import('./runs-logs.ts')).logs(...given));
  withRunFilters(runs.command('retry').argument('[ids...]'))
    .description('new runs for the assets that did not succeed; by filters: of the newest run of each key')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .action(async (...given: Parameters<typeof retry>) => (await import('./runs-change.ts')).retry(...given));
  withRunFilters(runs.command('cancel').argument('[ids...]'))
    .description('cancel queued runs and abort started ones, also in another process')
    .action(async (...given: Parameters<typeof cancel>) =>
      (await import('./runs-change.ts')).cancel(...given),
    );
  runs
    .command('release')
    .argument('<ids...>')
    .description('say that the process which owns these runs is gone for good: others may take them up')
    .action(async (...given: Parameters<typeof release>) =>
      (await import('./runs-change.ts')).release(...given),
    );
}

interface ListOptions extends RunFilters {
  readonly limit: number;
  readonly after?: string;
}

async function list(context: Context, { limit, after, ...filters }: ListOptions): Promise<void> {
  const query = await queryOf(context.project, filters);
  if (after !== undefined) await findRun(context.project.store, after);
  const { runs, hasMore } = await context.project.store.runs({
    ...query,
    ...(after !== undefined && { after }),
    limit,
  });
  Object.assign(context.output.document, { runs, next: hasMore ? runs.at(-1)!.id : null });
  if (runs.length === 0) return context.output.chat('no runs');
  await context.output.table({
    columns: [
      { title: 'RUN', keeps: 'all' },
      { title: 'STATUS', keeps: 'all' },
      { title: 'KEY', keeps: 'difference' },
      { title: 'ASSETS' },
      { title: 'CREATED', keeps: 'all' },
    ],
    rows: runs.map((run) => [
      run.id,
      {
        text: run.status,
        paint: run.status === 'SUCCESS' ? 'good' : run.status === 'FAILURE' ? 'bad' : 'dim',
      },
      run.partitionKey === null ? '-' : printable(run.partitionKey),
      run.assets.map((outcome) => outcome.asset).join(', '),
      context.output.when(run.createdAt),
    ]),
  });
  if (hasMore) context.output.chat(`older ones: --after ${runs.at(-1)!.id}`);
}

async function show(context: Context, _: object, id: string): Promise<void> {
  const run = await findRun(context.project.store, id);
  Object.assign(context.output.document, { run });
  const rows: [string, string][] = [
    ['run', run.id],
    ['status', run.status],
    ['key', run.partitionKey === null ? '-' : printable(run.partitionKey)],
    ...(run.sensor === null ? [] : [['sensor', run.sensor] as [string, string]]),
    ...(run.runKey === null ? [] : [['run key', printable(run.runKey)] as [string, string]]),
    ...Object.entries(run.tags).map(([name, value]): [string, string] => ['tag', `${name}=${value}`]),
    ...(run.retryOf === null ? [] : [['retry of', run.retryOf] as [string, string]]),
    ['created', context.output.when(run.createdAt)],
    ['started', run.startedAt === null ? '-' : context.output.when(run.startedAt)],
    ['finished', run.finishedAt === null ? '-' : context.output.when(run.finishedAt)],
  ];
  context.output.print(rows.map(([name, value]) => `${name.padEnd(9)} ${clean(value)}\n`).join(''));
  for (const { asset, status, attempts, metadata, error } of run.assets) {
    context.output.print(`\n${asset}: ${status}${attempts > 1 ? ` after ${attempts} tries` : ''}\n`);
    for (const [name, value] of Object.entries(metadata))
      context.output.print(
        `  ${clean(name)}: ${clean(typeof value === 'string' ? value : JSON.stringify(value))}\n`,
      );
    if (error !== null)
      context.output.print(
        `  ${clean(error.message).replaceAll('\n', '\n  ')}\n${error.hint === null ? '' : `  ${clean(error.hint)}\n`}`,
      );
  }
}
