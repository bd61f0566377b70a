/** `dynpart runs show`: one run, its assets and their metadata. */
import { clean, printable } from '../../model/text.ts';
import type { Context } from '../context.ts';
import { findRun } from '../find-run.ts';
import type { OneRun } from '../json-results-of-runs.ts';

export async function run({ output, project }: Context, _: object, id: string): Promise<OneRun> {
  const run = await findRun(project.store, id);
  const rows: [string, string][] = [
    ['run', run.id],
    ['status', run.status],
    ['key', run.partitionKey === null ? '-' : printable(run.partitionKey)],
    ...(run.sensor === null ? [] : [['sensor', run.sensor] as [string, string]]),
    ...(run.runKey === null ? [] : [['run key', printable(run.runKey)] as [string, string]]),
    ...Object.entries(run.tags).map(([name, value]): [string, string] => ['tag', `${name}=${value}`]),
    ...(run.retryOf === null ? [] : [['retry of', run.retryOf] as [string, string]]),
    ['created', output.when(run.createdAt)],
    ['started', run.startedAt === null ? '-' : output.when(run.startedAt)],
    ['finished', run.finishedAt === null ? '-' : output.when(run.finishedAt)],
  ];
  if (run.status === 'QUEUED') {
    const { poolsOfQueued } = await import('../pools-waited-for.ts');
    const view = await project.store.read({ executors: true, runs: [{ ids: [run.id] }] });
    rows.push(...poolsOfQueued(view, run.id).map((line): [string, string] => ['waits', line]));
  }
  output.print(rows.map(([name, value]) => `${name.padEnd(9)} ${clean(value)}\n`).join(''));
  for (const { asset, status, attempts, metadata, warnings, error } of run.assets) {
    output.print(`\n${asset}: ${status}${attempts > 1 ? ` after ${attempts} tries` : ''}\n`);
    for (const [name, value] of Object.entries(metadata))
      output.print(`  ${clean(name)}: ${clean(typeof value === 'string' ? value : JSON.stringify(value))}\n`);
    for (const { check, message } of warnings)
      output.print(`  warning of check ${printable(check)}: ${clean(message).replaceAll('\n', '\n  ')}\n`);
    if (error !== null)
      output.print(
        `  ${clean(error.message).replaceAll('\n', '\n  ')}\n${error.hint === null ? '' : `  ${clean(output.toPaste(error.hint))}\n`}`,
      );
  }
  return { run };
}
