/** `dynpart runs cancel`: cancels queued runs, and has started ones aborted, also in another process. */
import { blockedProcesses } from '../../engine/plan/executors/blocked.ts';
import { cancelRuns } from '../../engine/plan/ends/cancel-runs.ts';
import { CANCELED_BY_HAND } from '../../model/failures/run.ts';
import { pendingRecords } from '../../model/pending-run.ts';
import { steadyTime } from '../../model/time.ts';
import { type RunQuery, selectRuns } from '../../state/run-query.ts';
import type { Context } from '../context.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { findRuns } from '../find-run.ts';
import type { ChangedRuns } from '../json-results-of-runs.ts';
import { checkChoice, queryOf, type RunFilters } from '../run-filters.ts';

/** How long `cancel` waits for the process that executes a run to abort it. */
const CANCEL_WAIT_MS = 3000;
const ASK_EVERY_MS = 100;

export async function run(
  context: Context,
  filters: RunFilters,
  ids: readonly string[],
): Promise<ChangedRuns> {
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
      why: CANCELED_BY_HAND,
      endsLeft: true,
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
  // A process that is blocked will not see it.
  const owners = new Set([...wanted].map((id) => after.run(id)?.runs.owner));
  for (const { executor, failure } of blockedProcesses(after)) if (owners.has(executor)) output.fail(failure);
  if (wanted.size === 0) output.chat('no run to cancel; what is queued or started: dynpart status');
  for (const { id, status, finishedAt } of runs)
    output.chat(
      finishedAt === null
        ? `run ${id} is being aborted by the process that executes it`
        : endedBefore.has(id)
          ? `run ${id} had ended before: ${status}; nothing was canceled`
          : `run ${id}: ${status}`,
    );
  return { runs };
}
