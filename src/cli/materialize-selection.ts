/** Materializes a selection of assets and keys, for every command that does. */
import { type RunRecord, runId } from '../model/run.ts';
import { newId } from '../model/time.ts';
import { type MaterializePlan, planMaterialize, type Selection } from '../engine/plan/materialize.ts';
import { RunSession } from '../engine/runs/run-session.ts';
import { remembering } from '../engine/plan/remembering.ts';
import type { QueuedRuns } from '../state/changes.ts';
import type { StateView } from '../state/slice.ts';
import type { Context } from './context.ts';
import { EventRenderer, type RunSummary } from './render/event-renderer.ts';
import { counted, printable } from '../model/text.ts';
import { sessionOptions } from './run-options.ts';

export interface MaterializeOutcome {
  readonly runs?: readonly RunRecord[];
  readonly summary: RunSummary;
}

/** Materializes the assets of a set for keys that were just added to it. */
export async function materializeKeys(
  context: Context,
  { set, keys }: { readonly set: string; readonly keys: readonly string[] },
): Promise<MaterializeOutcome> {
  const pipeline = await context.pipeline();
  const assets = [...pipeline.assets.values()].filter((asset) => asset.set === set).map(({ name }) => name);
  if (assets.length === 0)
    return { runs: [], summary: { total: 0, succeeded: 0, failed: 0, canceled: 0, leftOut: 0 } };
  const selection: Selection = {
    assets,
    keys,
    waits: true,
    all: false,
    missing: false,
    failed: false,
    prefix: null,
    order: 'oldest',
    limit: null,
    add: false,
  };
  return materializeSelection(context, selection, { run: true });
}

/** How the runs are executed. */
export interface RunFlags {
  readonly concurrency?: number;
  readonly failFast?: boolean;
  readonly dryRun?: boolean;
  /** `false`: leave them queued for a worker. */
  readonly run: boolean;
  /** Leave the list of runs out. */
  readonly summary?: boolean;
}

/** Materializes what was chosen: planned, committed, executed, summed up. */
export async function materializeSelection(
  context: Context,
  selection: Selection,
  flags: RunFlags,
): Promise<MaterializeOutcome> {
  const { store, clock } = context;
  const pipeline = await context.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  const plan = (view: StateView, owner: string | null): MaterializePlan =>
    planMaterialize(view, pipeline, selection, { moment, owner });
  const renderer = new EventRenderer(context, { keepsRuns: flags.summary !== true });
  const withList = (runs: readonly RunRecord[]): MaterializeOutcome => ({
    ...(flags.summary ? {} : { runs }),
    summary: renderer.summary,
  });

  const preview = plan(await store.read(), flags.run ? 'preview' : null);
  renderer.summary.leftOut = preview.leftOut;
  if (flags.dryRun) {
    const queued = preview.queued.flatMap((runs) => queuedRecords(runs, true));
    renderer.summary.total = queued.length;
    printPlan(context, preview.queued);
    return withList(queued);
  }
  if (!flags.run) {
    const known = await context.loadedAsKnown();
    const queued = await store.commit((view) => {
      const { changes, queued: runs, leftOut } = plan(view, null);
      return {
        changes: changes.length === 0 ? [] : [...changes, ...remembering(view, known)],
        outcome: { runs, leftOut },
      };
    });
    const runs = queued.runs.flatMap((group) => queuedRecords(group, false));
    renderer.summary.total = runs.length;
    renderer.summary.leftOut = queued.leftOut;
    context.chat(`${counted(runs.length, 'run')} queued; execute them: dynpart worker --once`);
    return withList(runs);
  }
  if (preview.changes.length === 0 && preview.takenOver.size === 0) {
    context.chat(
      preview.leftOut > 0
        ? `nothing to do: ${counted(preview.leftOut, 'key')} queued or started already`
        : 'nothing to do',
    );
    return withList([]);
  }
  const session = new RunSession(
    await sessionOptions(context, renderer, {
      concurrency: flags.concurrency,
      failFast: flags.failFast ?? false,
      onInterrupt: 'cancel',
    }),
  );
  try {
    renderer.summary.leftOut = await session.commit(moment.group, (view, owner) => {
      const { changes, queued, takenOver, leftOut } = plan(view, owner);
      return {
        changes,
        outcome: leftOut,
        queued: queued.reduce((sum, { keys }) => sum + keys.length, 0),
        takenOver,
      };
    });
    await session.execute();
  } catch (error) {
    // What was done before the failure stands in the document beside it.
    Object.assign(context.document, withList(renderer.runs));
    throw error;
  } finally {
    renderer.end();
    await session.leave();
  }
  return withList(renderer.runs);
}

function queuedRecords(queued: QueuedRuns, dryRun: boolean): RunRecord[] {
  const { createdAt, sensor, tags, retryOf, assets } = queued;
  return queued.keys.map((partitionKey, at) => ({
    id: dryRun ? (null as unknown as string) : runId(queued.group, queued.firstNumber + at),
    partitionKey,
    status: 'QUEUED',
    sensor,
    runKey: null,
    tags,
    attempts: 0,
    retryOf,
    error: null,
    assets: assets.map((asset) => ({ asset, status: 'QUEUED', attempts: 0, metadata: {}, error: null })),
    createdAt,
    startedAt: null,
    finishedAt: null,
  }));
}

function printPlan(context: Context, queued: readonly QueuedRuns[]): void {
  for (const { keys, assets } of queued) {
    context.print(
      keys.map((key) => `${key === null ? '' : `${printable(key)}\t`}${assets.join(', ')}\n`).join(''),
    );
  }
  if (queued.length === 0) context.chat('nothing to do');
}
