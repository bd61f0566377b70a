/** `dynpart runs retry|cancel|release`: what can be done about runs. */
import { fail } from '../../model/failure.ts';
import { pendingRecords, runsIn } from '../../model/pending-run.ts';
import { counted } from '../../model/text.ts';
import { newId, steadyTime } from '../../model/time.ts';
import { blockedProcesses } from '../../engine/plan/blocked.ts';
import { cancelRuns } from '../../engine/plan/cancel-runs.ts';
import { newestOfEachKey, type NewestRuns } from '../../engine/plan/newest-of-each-key.ts';
import { countRuns } from '../../engine/plan/queue-runs.ts';
import { needsOfRetry, planRetry } from '../../engine/plan/retry.ts';
import { RunSession } from '../../engine/runs/run-session.ts';
import type { QueuedRuns } from '../../state/changes.ts';
import type { Needs } from '../../state/needs.ts';
import { type RunQuery, selectRuns } from '../../state/run-query.ts';
import type { StateView } from '../../state/slice.ts';
import type { Context } from '../context.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { findRuns } from '../find-run.ts';
import type { Project } from '../project.ts';
import { EventRenderer } from '../render/event-renderer.ts';
import { queryOf, type RunFilters } from '../run-filters.ts';
import { sessionOptions } from '../run-options.ts';

export async function retry(
  context: Context,
  { concurrency, ...filters }: RunFilters & { readonly concurrency?: number },
  ids: readonly string[],
): Promise<void> {
  checkChoice('retry', filters, ids);
  const { clock, output, project } = context;
  const { needs, choose } =
    ids.length > 0
      ? await namedRuns(project, [...new Set(ids)])
      : await newestRuns(project, await queryOf(project, filters));
  const pipeline = await project.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  const renderer = new EventRenderer(output, { keepsRuns: true });
  const plan = (view: StateView): QueuedRuns[] => {
    const { runs, leftOut } = choose(view);
    renderer.summary.leftOut = leftOut;
    return planRetry(view, pipeline, runs, moment);
  };
  if (plan(await project.store.read(needs)).length === 0) {
    const { leftOut } = renderer.summary;
    Object.assign(output.document, { runs: [], summary: renderer.summary });
    const why = leftOut === 0 ? '' : `: ${counted(leftOut, 'key')} queued or started already`;
    return output.chat(`nothing to retry${why}`);
  }
  const session = new RunSession(
    await sessionOptions(context, renderer, { concurrency, failFast: false, onInterrupt: 'cancel' }),
  );
  try {
    await session.commit(moment.group, needs, (now, owner) => {
      const queued = plan(now);
      return {
        changes: queued.map((group) => ({ type: 'runs-queued', runs: group, owner })),
        outcome: undefined,
        queued: countRuns(queued),
        takenOver: new Set(),
      };
    });
    await session.execute();
    await session.sayBlocked();
  } finally {
    renderer.end();
    Object.assign(output.document, { runs: renderer.runs, summary: renderer.summary });
    await session.leave();
  }
}

/** What is to be retried, of a state that may have become newer meanwhile. */
interface Choice {
  readonly needs: Needs;
  readonly choose: (view: StateView) => NewestRuns;
}

async function namedRuns(project: Project, ids: readonly string[]): Promise<Choice> {
  const runs = await findRuns(project.store, ids);
  const pending = runs.find(({ finishedAt }) => finishedAt === null);
  if (pending !== undefined)
    fail({
      reason: 'usage',
      message: `run ${pending.id} has not ended yet (${pending.status})`,
      hint: `cancel it first: dynpart runs cancel ${pending.id}`,
    });
  return {
    needs: needsOfRetry(await project.pipeline(), runs),
    choose: () => ({ runs, leftOut: 0 }),
  };
}

async function newestRuns(project: Project, query: RunQuery): Promise<Choice> {
  const { runs } = await project.store.runs(query);
  const keys = [...new Set(runs.map(({ partitionKey }) => partitionKey))];
  const assets = [...new Set(runs.flatMap((run) => run.assets.map(({ asset }) => asset)))];
  const all = (await project.store.runs({ keys, assets })).runs;
  const pipeline = await project.pipeline();
  const chosen = new Set(runs.map(({ id }) => id));
  const seen = new Set(all.map(({ id }) => id));
  return {
    needs: { ...needsOfRetry(pipeline, runs), runs: [{ assets }] },
    choose: (view) => {
      // Those that were at work when they were looked for are left out, also when they have ended since.
      const since = [...pendingRecords(view.runs(), () => [])].filter(({ id }) => !seen.has(id));
      return newestOfEachKey(view, pipeline, chosen, [...since, ...all]);
    },
  };
}

/** How long `cancel` waits for the process that executes a run to abort it. */
const CANCEL_WAIT_MS = 3000;
const ASK_EVERY_MS = 100;

export async function cancel(context: Context, filters: RunFilters, ids: readonly string[]): Promise<void> {
  checkChoice('cancel', filters, ids);
  const { clock, output, project } = context;
  const { store } = project;
  const query: RunQuery = ids.length > 0 ? { ids } : await queryOf(project, filters);
  const named = new Set(ids);
  const before = await findRuns(store, [...named]);
  const endedBefore = new Set(before.flatMap(({ id, finishedAt }) => (finishedAt === null ? [] : [id])));
  await endLeftPrograms(context);
  const chosen = await store.commit({ runs: ['all'], executors: true }, (now) => {
    const pending = pendingRecords(now.runs(), () => now.executors());
    const passed = new Set(selectRuns(query, pending).runs.map(({ id }) => id));
    const { changes } = cancelRuns(now, (_runs, run) => passed.has(run.id), {
      why: 'it was canceled',
      now: clock.now(),
    });
    return { changes, outcome: passed };
  });
  const wanted = ids.length > 0 ? named : chosen;
  const until = steadyTime(clock) + CANCEL_WAIT_MS;
  while (steadyTime(clock) < until) {
    const now = await store.read({ runs: [{ ids: wanted }] });
    if ([...wanted].every((id) => now.run(id) === undefined)) break;
    await clock.sleep(ASK_EVERY_MS);
  }
  const after = await store.read({ runs: ['all'], executors: true });
  const runs = await findRuns(store, [...wanted]);
  Object.assign(output.document, { runs });
  // A process that is blocked will not see it.
  const owners = new Set([...wanted].map((id) => after.run(id)?.runs.owner));
  for (const { executor, failure } of blockedProcesses(after)) if (owners.has(executor)) output.fail(failure);
  if (wanted.size === 0) output.chat('no run to cancel');
  for (const { id, status, finishedAt } of runs)
    output.chat(
      finishedAt === null
        ? `run ${id} is being aborted by the process that executes it`
        : endedBefore.has(id)
          ? `run ${id} had ended before: ${status}; nothing was canceled`
          : `run ${id}: ${status}`,
    );
}

export async function release(context: Context, _: object, ids: readonly string[]): Promise<void> {
  const { store } = context.project;
  const wanted = new Set(ids);
  await findRuns(store, [...wanted]);
  await store.commit({ runs: [{ ids: wanted }] }, (now) => {
    const owned = now.runs().flatMap((runs) =>
      runs.owner === null
        ? []
        : Array.from(runsIn(runs))
            .filter(({ id }) => wanted.has(id))
            .map(({ id }) => id),
    );
    return { changes: owned.length === 0 ? [] : [{ type: 'runs-released', ids: owned }], outcome: undefined };
  });
  const runs = await findRuns(store, [...wanted]);
  Object.assign(context.output.document, { runs });
  context.output.chat(`${counted(runs.length, 'run')} released`);
}

/** Runs are named, or chosen by what they are. Both at once could mean either. */
function checkChoice(command: string, filters: RunFilters, ids: readonly string[]): void {
  const byFilters = Object.values(filters).some((value) => value !== undefined);
  if (byFilters !== ids.length > 0) return;
  const status = command === 'retry' ? 'FAILURE' : 'QUEUED';
  fail({
    reason: 'usage',
    message: byFilters
      ? 'runs were named and filters given: which of both is meant?'
      : 'neither ids of runs nor filters were given',
    hint: `for example: dynpart runs ${command} ID, or dynpart runs ${command} --status ${status}; to find one: dynpart runs list`,
  });
}
