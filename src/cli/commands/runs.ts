/** `dynpart runs …`: what runs there are and were. What they printed, and what can be done about them, have files of their own. */
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import type { RunStatus } from '../../model/run.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { findRun } from '../find-run.ts';
import { oneOf, wholeNumber } from '../command-line/options.ts';
import { clean, printable } from '../../model/text.ts';
import { cancel, release, retry } from './runs-change.ts';
import { logs } from './runs-logs.ts';

const STATUSES = ['QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED'] as const;

export function runsCommand(program: Declaration): void {
  const runs = program.command('runs').description('runs, what they printed, retry and cancel');
  runs
    .command('list')
    .description('runs, newest first')
    .option('--status <status>', 'only these', oneOf('--status', STATUSES))
    .option('--key <key>', 'only of this key')
    .option('--asset <asset>', 'only of this asset')
    .option('--sensor <sensor>', 'only requested by this sensor')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1), 50)
    .option('--after <id>', 'only runs that stand after this one in the list')
    .action(list);
  runs.command('show').argument('<id>').description('one run, its assets and their metadata').action(show);
  runs
    .command('logs')
    .argument('<id>')
    .description('what a run printed, by attempt')
    .option('--follow', 'go on until the run has ended')
    .action(logs);
  runs
    .command('retry')
    .argument('<ids...>')
    .description('new runs for the assets that did not succeed')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .action(retry);
  runs
    .command('cancel')
    .argument('<ids...>')
    .description('cancel queued runs and abort started ones, also in another process')
    .action(cancel);
  runs
    .command('release')
    .argument('<ids...>')
    .description('say that the process which owns these runs is gone for good: others may take them up')
    .action(release);
}

interface ListOptions {
  readonly status?: RunStatus;
  readonly key?: string;
  readonly asset?: string;
  readonly sensor?: string;
  readonly limit: number;
  readonly after?: string;
}

async function list(
  context: Context,
  { status, key, asset, sensor, limit, after }: ListOptions,
): Promise<void> {
  await checkFilters(context, { asset, sensor });
  if (after !== undefined) await findRun(context.project.store, after);
  const { runs, hasMore } = await context.project.store.runs({
    ...(status !== undefined && { status }),
    ...(key !== undefined && { keys: [key] }),
    ...(asset !== undefined && { assets: [asset] }),
    ...(sensor !== undefined && { sensor }),
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

/** A name that neither the pipeline nor any run has is a slip of the pen, not an empty list. */
async function checkFilters(
  context: Context,
  { asset, sensor }: { readonly asset: string | undefined; readonly sensor: string | undefined },
): Promise<void> {
  if (asset === undefined && sensor === undefined) return;
  const isUnknown = (known: KnownPipeline): boolean =>
    (asset !== undefined && known.assets.every(({ name }) => name !== asset)) ||
    (sensor !== undefined && known.sensors.every(({ name }) => name !== sensor));
  const known = await context.project.known(await context.project.store.read({}), isUnknown);
  if (!isUnknown(known)) return;
  const assets = known.assets.map(({ name }) => name);
  const sensors = known.sensors.map(({ name }) => name);
  const { runs } = await context.project.store.runs({});
  if (asset !== undefined) {
    context.project.checkName('asset', asset, [
      ...assets,
      ...runs.flatMap((run) => run.assets.map((outcome) => outcome.asset)),
    ]);
  }
  if (sensor !== undefined) {
    context.project.checkName('sensor', sensor, [
      ...sensors,
      ...runs.flatMap((run) => (run.sensor === null ? [] : [run.sensor])),
    ]);
  }
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
