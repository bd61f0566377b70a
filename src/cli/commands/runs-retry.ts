/** `dynpart runs retry`: new runs for the assets that did not succeed. */
import { newestOfEachKey, type NewestRuns } from '../../engine/plan/retry/newest-of-each-key.ts';
import { countRuns } from '../../engine/plan/queue/queue-runs.ts';
import { needsOfRetry, planRetry } from '../../engine/plan/retry/plan-retry.ts';
import { fail } from '../../model/failure.ts';
import { pendingRecords } from '../../model/pending-run.ts';
import { counted } from '../../model/text.ts';
import { newId } from '../../model/time.ts';
import type { QueuedRuns } from '../../state/changes.ts';
import type { Needs } from '../../state/needs.ts';
import type { RunQuery } from '../../state/run-query.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Context } from '../context.ts';
import { findRuns } from '../find-run.ts';
import type { Project } from '../project.ts';
import { type Executed, noRuns } from '../json-results-of-runs.ts';
import { checkChoice, queryOf, type RunFilters } from '../run-filters.ts';
import { executed, withSession } from '../with-session.ts';

export async function run(
  context: Context,
  { concurrency, ...filters }: RunFilters & { readonly concurrency?: number },
  ids: readonly string[],
): Promise<Executed> {
  checkChoice('retry', filters, ids);
  const { clock, output, project } = context;
  const { needs, choose } =
    ids.length > 0
      ? await namedRuns(project, [...new Set(ids)])
      : await newestRuns(project, await queryOf(project, filters));
  const pipeline = await project.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  const plan = (view: StateView): { readonly queued: QueuedRuns[]; readonly leftOut: number } => {
    const { runs, leftOut } = choose(view);
    return { queued: planRetry(view, pipeline, runs, moment), leftOut };
  };
  const { queued, leftOut } = plan(await project.store.read(needs));
  if (queued.length === 0) {
    const why = leftOut === 0 ? '' : `: ${counted(leftOut, 'key')} queued or started already`;
    output.chat(`nothing to retry${why}; what failed: dynpart runs list --status FAILURE`);
    return { runs: [], summary: { ...noRuns(), leftOut } };
  }
  return withSession(
    context,
    { concurrency, onInterrupt: 'cancel', keepsRuns: true },
    async ({ session, counts }) => {
      counts.leftOut = await session.commit(moment.group, needs, (now, owner) => {
        const planned = plan(now);
        return {
          changes: planned.queued.map((group) => ({ type: 'runs-queued', runs: group, owner })),
          outcome: planned.leftOut,
          queued: countRuns(planned.queued),
          takenOver: new Set(),
        };
      });
      await session.execute();
      await session.sayBlocked();
    },
    executed,
  );
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
