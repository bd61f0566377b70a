/** `dynpart runs list`: runs, newest first. */
import type { RunRecord } from '../../model/run.ts';
import { duration, printable } from '../../model/text.ts';
import type { Millis } from '../../model/time.ts';
import type { Context } from '../context.ts';
import { findRun } from '../find-run.ts';
import type { RunList } from '../json-results-of-runs.ts';
import { queryOf, type RunFilters } from '../run-filters.ts';

/** In fewer columns the key would be cut for the rest. */
const ROOMY = 90;

interface ListOptions extends RunFilters {
  readonly limit: number;
  readonly after?: string;
}

export async function run(
  { output, project, clock }: Context,
  { limit, after, ...filters }: ListOptions,
): Promise<RunList> {
  const query = await queryOf(project, filters);
  if (after !== undefined) await findRun(project.store, after);
  const { runs, hasMore } = await project.store.runs({
    ...query,
    ...(after !== undefined && { after }),
    limit,
  });
  const next = hasMore ? runs.at(-1)!.id : null;
  if (runs.length === 0) {
    output.chat((await import('../none-found.ts')).noRuns({ ...filters, after }));
    if (output.terminal.stdout.isTerminal) return { runs, next };
  }
  const { isTerminal, columns } = output.terminal.stdout;
  const hasRoom = !isTerminal || columns >= ROOMY;
  const hasWarnings = hasRoom && runs.some((run) => warningsOf(run) > 0);
  await output.table({
    columns: [
      { title: 'RUN', keeps: 'all' },
      { title: 'STATUS', keeps: 'all' },
      { title: 'KEY', keeps: 'difference' },
      { title: 'ASSETS', spare: true },
      { title: 'CREATED', keeps: 'all', spare: true },
      ...(hasRoom ? [{ title: 'TOOK', keeps: 'all', align: 'right' } as const, { title: 'CAUSE' }] : []),
      ...(hasWarnings ? [{ title: 'WARNINGS', align: 'right' } as const] : []),
    ],
    rows: runs.map((run) => [
      run.id,
      {
        text: run.status,
        paint: run.status === 'SUCCESS' ? 'good' : run.status === 'FAILURE' ? 'bad' : 'dim',
      },
      run.partitionKey === null ? '-' : printable(run.partitionKey),
      run.assets.map((outcome) => outcome.asset).join(', '),
      output.when(run.createdAt),
      ...(hasRoom
        ? [tookOf(run, clock.now()), run.cause === 'sensor' ? `sensor ${run.sensor}` : run.cause]
        : []),
      ...(hasWarnings ? [String(warningsOf(run) || '-')] : []),
    ]),
  });
  if (output.chats && runs.some(({ status }) => status === 'QUEUED')) {
    const { poolsWaitedFor } = await import('../pools-waited-for.ts');
    const view = await project.store.read({ executors: true });
    for (const line of poolsWaitedFor(view.executors())) output.chat(line);
  }
  if (next !== null) output.chat(`older ones: --after ${next}`);
  return { runs, next };
}

function warningsOf({ assets }: RunRecord): number {
  return assets.reduce((sum, { warnings }) => sum + warnings.length, 0);
}

/** How long it was executed: until now, where it still is. */
function tookOf({ startedAt, finishedAt }: RunRecord, now: Millis): string {
  if (startedAt === null) return '-';
  const until = finishedAt === null ? now : Date.parse(finishedAt);
  return duration(Math.max(0, until - Date.parse(startedAt)));
}
