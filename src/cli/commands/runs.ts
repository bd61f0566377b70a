/** `dynpart runs …`: what runs there are and were, what they printed, and how to try again, cancel and release them. */
import type { Command } from 'commander';
import { fail } from '../../definitions/failure.ts';
import { nearest } from '../../definitions/nearest.ts';
import type { RunRecord, RunStatus } from '../../definitions/run.ts';
import { newId } from '../../definitions/time.ts';
import { cancelRuns } from '../../engine/cancel-runs.ts';
import { planRetry } from '../../engine/plan-retry.ts';
import { pendingRecords, recordOf, runsIn } from '../../engine/run-records.ts';
import { RunSession } from '../../engine/run-session.ts';
import type { RunLogLine, StateView } from '../../state/state-store.ts';
import type { Context } from '../context.ts';
import { oneOf, wholeNumber } from '../options.ts';
import type { Act } from '../act.ts';
import { EventRenderer } from '../render/event-renderer.ts';
import { clean, counted, printable } from '../render/text.ts';
import { sessionOptions } from '../run-options.ts';

const STATUSES = ['QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED'] as const;

export function runsCommand(program: Command, act: Act): void {
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
    .action(act(list));
  runs
    .command('show')
    .argument('<id>')
    .description('one run, its assets and their metadata')
    .action(act(show));
  runs
    .command('logs')
    .argument('<id>')
    .description('what a run printed, by attempt')
    .option('--follow', 'go on until the run has ended')
    .action(act(logs));
  runs
    .command('retry')
    .argument('<ids...>')
    .description('new runs for the assets that did not succeed')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .action(act(retry));
  runs
    .command('cancel')
    .argument('<ids...>')
    .description('cancel queued runs and abort started ones, also in another process')
    .action(act(cancel));
  runs
    .command('release')
    .argument('<ids...>')
    .description('say that the process which owns these runs is gone for good: others may take them up')
    .action(act(release));
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
  const view = await context.store.read();
  await checkFilters(context, view, { asset, sensor });
  const pending = pendingRecords(view).reverse();
  const pendingIds = new Set(pending.map(({ id }) => id));
  const passes = (run: RunRecord): boolean =>
    (status === undefined || run.status === status) &&
    (key === undefined || run.partitionKey === key) &&
    (asset === undefined || run.assets.some((outcome) => outcome.asset === asset)) &&
    (sensor === undefined || run.sensor === sensor);
  let reached = after === undefined;
  const wanted = (run: RunRecord): boolean => {
    if (!reached) {
      reached = run.id === after;
      return false;
    }
    return passes(run);
  };
  const inState = pending.filter(wanted).slice(0, limit + 1);
  // A run that a killed process recorded but did not commit is still in the state: that counts.
  const finished =
    inState.length > limit
      ? []
      : await context.store.finishedRuns({
          limit: limit + 1 - inState.length,
          where: (run) => !pendingIds.has(run.id) && wanted(run),
        });
  if (!reached) await findRun(context, view, after!);
  const found = [...inState, ...finished];
  const runs = found.slice(0, limit);
  Object.assign(context.document, { runs, next: found.length > limit ? runs.at(-1)!.id : null });
  if (runs.length === 0) return context.chat('no runs');
  await context.table({
    columns: [
      { title: 'RUN' },
      { title: 'STATUS' },
      { title: 'KEY' },
      { title: 'ASSETS' },
      { title: 'CREATED' },
    ],
    rows: runs.map((run) => [
      run.id,
      {
        text: run.status,
        paint: run.status === 'SUCCESS' ? 'good' : run.status === 'FAILURE' ? 'bad' : 'dim',
      },
      run.partitionKey === null ? '-' : printable(run.partitionKey),
      run.assets.map((outcome) => outcome.asset).join(', '),
      run.createdAt,
    ]),
  });
  if (found.length > limit) context.chat(`older ones: --after ${runs.at(-1)!.id}`);
}

/** A name that neither the pipeline nor any run has is a slip of the pen, not an empty list. */
async function checkFilters(
  context: Context,
  view: StateView,
  { asset, sensor }: { readonly asset: string | undefined; readonly sensor: string | undefined },
): Promise<void> {
  if (asset === undefined && sensor === undefined) return;
  const known = await context.known(view);
  const assets = known.assets.map(({ name }) => name);
  const sensors = known.sensors.map(({ name }) => name);
  const isUnknown =
    (asset !== undefined && !assets.includes(asset)) || (sensor !== undefined && !sensors.includes(sensor));
  if (!isUnknown) return;
  const runs = [...pendingRecords(view), ...(await context.store.finishedRuns({ limit: Infinity }))];
  if (asset !== undefined) {
    context.checkName('asset', asset, [
      ...assets,
      ...runs.flatMap((run) => run.assets.map((outcome) => outcome.asset)),
    ]);
  }
  if (sensor !== undefined) {
    context.checkName('sensor', sensor, [
      ...sensors,
      ...runs.flatMap((run) => (run.sensor === null ? [] : [run.sensor])),
    ]);
  }
}

/** A run, wherever it is. @throws FailureError with the nearest ids */
async function findRun(context: Context, view: StateView, id: string): Promise<RunRecord> {
  const pending = view.run(id);
  if (pending !== undefined) return recordOf(pending.runs, pending.run);
  const [finished] = await context.store.finishedRuns({ limit: 1, where: (run) => run.id === id });
  if (finished !== undefined) return finished;
  const recent = [
    ...pendingRecords(view).slice(-1000),
    ...(await context.store.finishedRuns({ limit: 1000 })),
  ].map((run) => run.id);
  return fail({
    reason: 'unknown-name',
    thing: 'run',
    names: [id],
    nearest: nearest(id, recent),
    known: recent.length,
  });
}

async function show(context: Context, _: object, id: string): Promise<void> {
  const run = await findRun(context, await context.store.read(), id);
  Object.assign(context.document, { run });
  const rows: [string, string][] = [
    ['run', run.id],
    ['status', run.status],
    ['key', run.partitionKey === null ? '-' : printable(run.partitionKey)],
    ...(run.sensor === null ? [] : [['sensor', run.sensor] as [string, string]]),
    ...(run.runKey === null ? [] : [['run key', printable(run.runKey)] as [string, string]]),
    ...Object.entries(run.tags).map(([name, value]): [string, string] => ['tag', `${name}=${value}`]),
    ...(run.retryOf === null ? [] : [['retry of', run.retryOf] as [string, string]]),
    ['created', run.createdAt],
    ['started', run.startedAt ?? '-'],
    ['finished', run.finishedAt ?? '-'],
  ];
  context.print(rows.map(([name, value]) => `${name.padEnd(9)} ${clean(value)}\n`).join(''));
  for (const { asset, status, attempts, metadata, error } of run.assets) {
    context.print(`\n${asset}: ${status}${attempts > 1 ? ` after ${attempts} tries` : ''}\n`);
    for (const [name, value] of Object.entries(metadata))
      context.print(
        `  ${clean(name)}: ${clean(typeof value === 'string' ? value : JSON.stringify(value))}\n`,
      );
    if (error !== null)
      context.print(
        `  ${clean(error.message).replaceAll('\n', '\n  ')}\n${error.hint === null ? '' : `  ${clean(error.hint)}\n`}`,
      );
  }
}

const FOLLOW_EVERY_MS = 300;

async function logs(context: Context, { follow }: { readonly follow?: boolean }, id: string): Promise<void> {
  let run = await findRun(context, await context.store.read(), id);
  let shown = 0;
  const showNew = async (): Promise<readonly RunLogLine[]> => {
    const lines = await context.store.readLog(id);
    for (const line of lines.slice(shown)) {
      if (follow && context.options.json)
        context.printLine({
          id,
          asset: line.asset,
          attempt: line.attempt,
          line: { at: line.at, stream: line.stream, text: line.text },
        });
      else context.print(`${line.at}\t${line.asset}\t${line.attempt}\t${clean(line.text)}\n`);
    }
    shown = lines.length;
    return lines;
  };
  let lines = await showNew();
  while (follow && (run.status === 'QUEUED' || run.status === 'STARTED')) {
    await context.clock.sleep(FOLLOW_EVERY_MS);
    run = await findRun(context, await context.store.read(), id);
    lines = await showNew();
  }
  if (follow) return context.printedLines();
  Object.assign(context.document, { id, attempts: byAttempt(lines) });
  if (lines.length === 0) context.chat(`run ${id} printed nothing`);
}

function byAttempt(lines: readonly RunLogLine[]) {
  const attempts = new Map<
    string,
    { asset: string; attempt: number; lines: { at: string; stream: string; text: string }[] }
  >();
  for (const { asset, attempt, at, stream, text } of lines) {
    const name = `${asset}\0${attempt}`;
    const known = attempts.get(name) ?? { asset, attempt, lines: [] };
    attempts.set(name, known);
    known.lines.push({ at, stream, text });
  }
  return [...attempts.values()];
}

async function retry(
  context: Context,
  flags: { readonly concurrency?: number },
  ids: readonly string[],
): Promise<void> {
  const { store, clock } = context;
  const view = await store.read();
  const runs: RunRecord[] = [];
  for (const id of new Set(ids)) {
    const run = await findRun(context, view, id);
    if (run.finishedAt === null)
      fail({
        reason: 'usage',
        message: `run ${id} has not ended yet (${run.status})`,
        hint: `cancel it first: dynpart runs cancel ${id}`,
      });
    runs.push(run);
  }
  const pipeline = await context.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  planRetry(view, pipeline, runs, moment);
  const renderer = new EventRenderer(context, { keepsRuns: true });
  const session = new RunSession(
    await sessionOptions(context, renderer, {
      concurrency: flags.concurrency,
      failFast: false,
      onInterrupt: 'cancel',
    }),
  );
  try {
    await session.commit(moment.group, (now, owner) => {
      const queued = planRetry(now, pipeline, runs, moment);
      return {
        changes: queued.map((group) => ({ type: 'runs-queued', runs: group, owner })),
        outcome: undefined,
        queued: queued.length,
        takenOver: new Set(),
      };
    });
    await session.execute();
  } finally {
    renderer.end();
    Object.assign(context.document, { runs: renderer.runs, summary: renderer.summary });
    await session.leave();
  }
}

/** How long `cancel` waits for the process that executes a run to abort it. */
const CANCEL_WAIT_MS = 3000;
const ASK_EVERY_MS = 100;

async function cancel(context: Context, _: object, ids: readonly string[]): Promise<void> {
  const { store, clock } = context;
  const view = await store.read();
  const wanted = new Set(ids);
  for (const id of wanted) {
    const { status } = await findRun(context, view, id);
    if (status !== 'QUEUED' && status !== 'STARTED') context.note(`run ${id} has ended already: ${status}`);
  }
  await store.commit((now) => {
    const { changes } = cancelRuns(now, (_runs, run) => wanted.has(run.id), {
      why: 'it was canceled',
      now: clock.now(),
    });
    return { changes, outcome: undefined };
  });
  const until = clock.now() + CANCEL_WAIT_MS;
  while (clock.now() < until) {
    const now = await store.read();
    if ([...wanted].every((id) => now.run(id) === undefined)) break;
    await clock.sleep(ASK_EVERY_MS);
  }
  const after = await store.read();
  const runs: RunRecord[] = [];
  for (const id of wanted) runs.push(await findRun(context, after, id));
  Object.assign(context.document, { runs });
  for (const { id, status } of runs)
    context.chat(
      status === 'STARTED' || status === 'QUEUED'
        ? `run ${id} is being aborted by the process that executes it`
        : `run ${id}: ${status}`,
    );
}

async function release(context: Context, _: object, ids: readonly string[]): Promise<void> {
  const { store } = context;
  const view = await store.read();
  const wanted = new Set(ids);
  for (const id of wanted) await findRun(context, view, id);
  await store.commit((now) => {
    const owned = now.runs().flatMap((runs) =>
      runs.owner === null
        ? []
        : Array.from(runsIn(runs))
            .filter(({ id }) => wanted.has(id))
            .map(({ id }) => id),
    );
    return { changes: owned.length === 0 ? [] : [{ type: 'runs-released', ids: owned }], outcome: undefined };
  });
  const after = await store.read();
  const runs: RunRecord[] = [];
  for (const id of wanted) runs.push(await findRun(context, after, id));
  Object.assign(context.document, { runs });
  context.chat(`${counted(runs.length, 'run')} released`);
}
