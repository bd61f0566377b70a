/** Materializes a selection of assets and keys, for every command that does. */
import { type RunRecord, runId } from '../model/run.ts';
import { recordOf } from '../model/pending-run.ts';
import { newId } from '../model/time.ts';
import {
  type MaterializePlan,
  needsOfMaterialize,
  planMaterialize,
  type Selection,
  type TagsOf,
} from '../engine/plan/materialize.ts';
import { earlierTags } from '../engine/runs/earlier-tags.ts';
import { BlockedSayer } from '../engine/runs/say-blocked.ts';
import { RunSession } from '../engine/runs/run-session.ts';
import { countRuns } from '../engine/plan/queue-runs.ts';
import { together } from '../engine/plan/together.ts';
import { remembering } from '../engine/plan/remembering.ts';
import type { QueuedRuns } from '../state/changes.ts';
import type { StateView } from '../state/slice.ts';
import type { Context } from './context.ts';
import { EventRenderer, noRuns, type RunSummary, waitingInWords } from './render/event-renderer.ts';
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
  const pipeline = await context.project.pipeline();
  const assets = [...pipeline.assets.values()].filter((asset) => asset.set === set).map(({ name }) => name);
  if (assets.length === 0) return { runs: [], summary: noRuns() };
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
  const { clock } = context;
  const { store } = context.project;
  const pipeline = await context.project.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  const planTagged = (view: StateView, owner: string | null, tagsOf?: TagsOf): MaterializePlan =>
    planMaterialize(view, pipeline, selection, { moment, owner, ...(tagsOf && { tagsOf }) });
  const renderer = new EventRenderer(context.output, { keepsRuns: flags.summary !== true });
  const withList = (runs: readonly RunRecord[]): MaterializeOutcome => ({
    ...(flags.summary ? {} : { runs }),
    summary: renderer.summary,
  });

  const needs = needsOfMaterialize(pipeline, selection);
  const before = await store.read(together(needs, { sensors: 'all' }));
  const previewer = flags.run ? 'preview' : null;
  const preview = planTagged(before, previewer);
  const tagsOf = await earlierTags(store, before, { pipeline, planned: preview.queued });
  const plan = (view: StateView, owner: string | null): MaterializePlan => planTagged(view, owner, tagsOf);
  countLeft(renderer.summary, preview);
  if (flags.dryRun) {
    const { queued: tagged } = plan(before, previewer);
    const queued = tagged.flatMap((runs) => queuedRecords(runs, true));
    renderer.summary.total = queued.length;
    sayWaiting(context, preview, selection);
    printPlan(context, preview.queued);
    return withList(queued);
  }
  if (!flags.run) {
    const known = await context.project.loadedAsKnown();
    const queued = await store.commit(needs, (view) => {
      const planned = plan(view, null);
      const { changes, queued: runs } = planned;
      return {
        changes: changes.length === 0 ? [] : [...changes, ...remembering(view, known)],
        outcome: { runs, planned },
      };
    });
    const runs = queued.runs.flatMap((group) => queuedRecords(group, false));
    renderer.summary.total = runs.length;
    countLeft(renderer.summary, queued.planned);
    sayWaiting(context, queued.planned, selection);
    context.output.chat(`${counted(runs.length, 'run')} queued; execute them: dynpart worker --once`);
    return withList(runs);
  }
  if (preview.changes.length === 0 && preview.takenOver.size === 0) {
    sayWaiting(context, preview, selection);
    const { leftOut, waiting } = renderer.summary;
    const why = [
      ...(leftOut > 0 ? [`${counted(leftOut, 'key')} queued or started already`] : []),
      ...(waiting > 0 ? [waitingInWords(waiting)] : []),
    ];
    context.output.chat(why.length === 0 ? 'nothing to do' : `nothing to do: ${why.join(', ')}`);
    new BlockedSayer(renderer.emit).say(await store.read({ runs: ['all'], executors: true }));
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
    const planned = await session.commit(moment.group, needs, (view, owner) => {
      const current = plan(view, owner);
      const { changes, queued, takenOver } = current;
      return { changes, outcome: current, queued: countRuns(queued), takenOver };
    });
    countLeft(renderer.summary, planned);
    sayWaiting(context, planned, selection);
    await session.execute();
    await session.sayBlocked();
  } catch (error) {
    // What was done before the failure stands in the document beside it.
    Object.assign(context.output.document, withList(renderer.runs));
    throw error;
  } finally {
    renderer.end();
    await session.leave();
  }
  return withList(renderer.runs);
}

/** What the plan leaves alone, counted. */
function countLeft(summary: RunSummary, { leftOut, waiting }: MaterializePlan): void {
  summary.leftOut = leftOut;
  summary.waiting = new Set(waiting.map(({ partitionKey }) => partitionKey)).size;
}

/** Names what waits, with `--verbose`. Who names a key wants it made: then it is exit code 1. */
function sayWaiting(context: Context, { waiting }: MaterializePlan, { waits }: Selection): void {
  for (const { asset, partitionKey, upstream } of waiting) {
    const key = partitionKey === null ? '' : ` for ${printable(partitionKey)}`;
    context.output.note(`asset '${asset}'${key} waits: '${upstream}' is not there`);
  }
  if (waits && waiting.length > 0) context.output.exitWith(1);
}

function queuedRecords(queued: QueuedRuns, dryRun: boolean): RunRecord[] {
  return queued.keys.map((partitionKey, at) => {
    // In a dry run nothing has happened, so nothing has an id either.
    const id = dryRun ? (null as unknown as string) : runId(queued.group, queued.firstNumber + at);
    return recordOf(queued, { id, partitionKey, runKey: null, status: 'QUEUED', startedAt: null, done: [] });
  });
}

function printPlan(context: Context, queued: readonly QueuedRuns[]): void {
  for (const { keys, assets } of queued) {
    context.output.print(
      keys.map((key) => `${key === null ? '' : `${printable(key)}\t`}${assets.join(', ')}\n`).join(''),
    );
  }
  if (queued.length === 0) context.output.chat('nothing to do');
}
