/** Materializes a selection of assets and keys, for every command that does. */
import { type RunRecord, runId } from '../model/run.ts';
import { recordOf } from '../model/pending-run.ts';
import { newId } from '../model/time.ts';
import {
  type MaterializePlan,
  needsOfMaterialize,
  planMaterialize,
  type TagsOf,
} from '../engine/plan/materialize/plan-materialize.ts';
import { NOTHING_CHOSEN, type Selection } from '../engine/plan/materialize/selection.ts';
import { endLeft, NEEDS_OF_LEFT } from '../engine/plan/ends/cancel-runs.ts';
import { hasCanceled } from '../engine/plan/executors/take-up.ts';
import { earlierTags } from '../engine/runs/earlier-tags.ts';
import { BlockedSayer } from '../engine/runs/say-blocked.ts';
import { countRuns } from '../engine/plan/queue/queue-runs.ts';
import { together } from '../engine/plan/needs-together.ts';
import { withPipeline } from '../engine/plan/pipeline/remember-pipeline.ts';
import type { QueuedRuns } from '../state/changes.ts';
import type { StateView } from '../state/state-view.ts';
import type { Context } from './context.ts';
import type { Output } from './output.ts';
import { EventRenderer } from './render/event-renderer.ts';
import { forKey, waitingInWords } from './render/process-words.ts';
import { type Counts, type Executed, noRuns } from './json-results-of-runs.ts';
import { shellFlag, shellWord } from '../model/shell-words.ts';
import { counted, printable, quoted } from '../model/text.ts';
import { settleLeftValues } from './stores.ts';
import { executed, withSession } from './with-session.ts';

/** Materializes the assets of a set for keys that were just added to it. */
export async function materializeKeys(
  context: Context,
  { set, keys }: { readonly set: string; readonly keys: readonly string[] },
): Promise<Executed> {
  const pipeline = await context.project.pipeline();
  const assets = [...pipeline.assets.values()].filter((asset) => asset.set === set).map(({ name }) => name);
  if (assets.length === 0) return { runs: [], summary: noRuns() };
  return materializeSelection(context, { ...NOTHING_CHOSEN, assets, keys, waits: true }, { run: true });
}

/** How the runs are executed. */
export interface RunFlags {
  readonly concurrency?: number;
  /** For so long runs may begin (ms). */
  readonly for?: number;
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
): Promise<Executed> {
  const { output, project, clock } = context;
  const { store } = project;
  const pipeline = await project.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  const planTagged = (view: StateView, owner: string | null, tagsOf?: TagsOf): MaterializePlan =>
    planMaterialize(view, pipeline, selection, { moment, owner, ...(tagsOf && { tagsOf }) });
  const needs = needsOfMaterialize(pipeline, selection);
  const before = await project.look(together(needs, NEEDS_OF_LEFT, { sensors: 'all' }));
  const previewer = flags.run ? 'preview' : null;
  const preview = planTagged(before, previewer);
  const tagsOf = await earlierTags(store, before, { pipeline, planned: preview.queued });
  const plan = (view: StateView, owner: string | null): MaterializePlan => planTagged(view, owner, tagsOf);
  const notExecuted = (runs: readonly RunRecord[], planned: MaterializePlan): Executed => {
    sayWaiting(output, planned, selection);
    return executed({ runs, counts: { ...noRuns(), total: runs.length, ...left(planned) } }, flags.summary);
  };
  if (flags.dryRun) {
    const { queued } = plan(before, previewer);
    const result = notExecuted(
      queued.flatMap((runs) => queuedRecords(runs, true)),
      preview,
    );
    printPlan(output, preview.queued);
    return result;
  }
  // What was chosen can be made: what the pipeline makes stale is on record before it is.
  await project.remember();
  if (!flags.run) {
    const known = await project.loadedAsKnown();
    const planned = await store.commit(together(needs, NEEDS_OF_LEFT), (view) => {
      const outcome = plan(view, null);
      const changes = [...endLeft(view, moment.now), ...outcome.changes];
      return { changes: withPipeline(view, known, changes, moment.now), outcome };
    });
    const runs = planned.queued.flatMap((group) => queuedRecords(group, false));
    output.chat(`${counted(runs.length, 'run')} queued; execute them: dynpart worker --once`);
    return notExecuted(runs, planned);
  }
  if (preview.changes.length === 0 && preview.takenOver.size === 0 && !hasCanceled(before)) {
    const { leftOut, waiting } = left(preview);
    const why = [
      ...(leftOut > 0 ? [`${counted(leftOut, 'key')} queued or started already`] : []),
      ...(waiting > 0 ? [waitingInWords(waiting)] : []),
    ];
    output.chat(
      `nothing to do${why.length === 0 ? '' : `: ${why.join(', ')}`}; what there is: dynpart status`,
    );
    const result = notExecuted([], preview);
    await settleLeftValues(pipeline, store);
    const { emit } = new EventRenderer(output, { keepsRuns: false });
    new BlockedSayer(emit).say(await store.read({ runs: ['all'], executors: true }));
    return result;
  }
  return withSession(
    context,
    {
      concurrency: flags.concurrency,
      failFast: flags.failFast ?? false,
      forMs: flags.for,
      onInterrupt: 'cancel',
      keepsRuns: !flags.summary,
    },
    async ({ session, counts }) => {
      const planned = await session.commit(moment.group, needs, (view, owner) => {
        const outcome = plan(view, owner);
        const { changes, queued, takenOver } = outcome;
        return { changes, outcome, queued: countRuns(queued), takenOver };
      });
      Object.assign(counts, left(planned));
      sayWaiting(output, planned, selection);
      await session.execute();
      await session.sayBlocked();
    },
    (ended) => executed(ended, flags.summary),
  );
}

/** What the plan leaves alone, counted. */
function left({ leftOut, waiting }: MaterializePlan): Pick<Counts, 'leftOut' | 'waiting'> {
  return { leftOut, waiting: new Set(waiting.map(({ partitionKey }) => partitionKey)).size };
}

/** Names what waits, with `--verbose`. Who names a key wants it made: then it is exit code 1. */
function sayWaiting(output: Output, { waiting }: MaterializePlan, { waits }: Selection): void {
  for (const { asset, partitionKey, upstream, absent } of waiting) {
    const which =
      absent === undefined
        ? ''
        : ` for ${counted(absent.count, 'key')}, the first is ${quoted(absent.first)}`;
    output.note(`asset '${asset}'${forKey(partitionKey)} waits: '${upstream}' is not there${which}`);
  }
  const [first] = waiting;
  if (first === undefined) return;
  const { asset, partitionKey: key } = first;
  const ofKey = key === null ? '' : ` ${shellFlag('--key', key)}`;
  output.chat(`why it waits: dynpart why ${shellWord(asset, 'ASSET')}${ofKey}`);
  if (waits) output.exitWith(1);
}

function queuedRecords(queued: QueuedRuns, dryRun: boolean): RunRecord[] {
  return queued.keys.map((partitionKey, at) => {
    // In a dry run nothing has happened, so nothing has an id either.
    const id = dryRun ? (null as unknown as string) : runId(queued.group, queued.firstNumber + at);
    return recordOf(queued, { id, partitionKey, runKey: null, status: 'QUEUED', startedAt: null, done: [] });
  });
}

function printPlan(output: Output, queued: readonly QueuedRuns[]): void {
  for (const { keys, assets, reasons } of queued) {
    const why = reasons === undefined ? '' : `\t${reasons.join(', ')}`;
    output.print(
      keys.map((key) => `${key === null ? '' : `${printable(key)}\t`}${assets.join(', ')}${why}\n`).join(''),
    );
  }
  if (queued.length === 0) output.chat('nothing to do; what there is: dynpart status');
}
