/** `dynpart runs retry|cancel|release`: what can be done about a run. */
import { fail } from '../../model/failure.ts';
import type { RunRecord } from '../../model/run.ts';
import { newId, steadyTime } from '../../model/time.ts';
import { blockedProcesses } from '../../engine/plan/blocked.ts';
import { cancelRuns } from '../../engine/plan/cancel-runs.ts';
import { planRetry } from '../../engine/plan/retry.ts';
import { runsIn } from '../../engine/plan/run-records.ts';
import { RunSession } from '../../engine/runs/run-session.ts';
import type { Context } from '../context.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { findRun } from '../find-run.ts';
import { EventRenderer } from '../render/event-renderer.ts';
import { counted } from '../../model/text.ts';
import { sessionOptions } from '../run-options.ts';

export async function retry(
  context: Context,
  flags: { readonly concurrency?: number },
  ids: readonly string[],
): Promise<void> {
  const { clock, project } = context;
  const { store } = project;
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
  const pipeline = await context.project.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  planRetry(view, pipeline, runs, moment);
  const renderer = new EventRenderer(context.output, { keepsRuns: true });
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
    await session.sayBlocked();
  } finally {
    renderer.end();
    Object.assign(context.output.document, { runs: renderer.runs, summary: renderer.summary });
    await session.leave();
  }
}

/** How long `cancel` waits for the process that executes a run to abort it. */
const CANCEL_WAIT_MS = 3000;
const ASK_EVERY_MS = 100;

export async function cancel(context: Context, _: object, ids: readonly string[]): Promise<void> {
  const { clock, project } = context;
  const { store } = project;
  const view = await store.read();
  const wanted = new Set(ids);
  const endedBefore = new Set<string>();
  for (const id of wanted) {
    const { finishedAt } = await findRun(context, view, id);
    if (finishedAt !== null) endedBefore.add(id);
  }
  await endLeftPrograms(context);
  await store.commit((now) => {
    const { changes } = cancelRuns(now, (_runs, run) => wanted.has(run.id), {
      why: 'it was canceled',
      now: clock.now(),
    });
    return { changes, outcome: undefined };
  });
  const until = steadyTime(clock) + CANCEL_WAIT_MS;
  while (steadyTime(clock) < until) {
    const now = await store.read();
    if ([...wanted].every((id) => now.run(id) === undefined)) break;
    await clock.sleep(ASK_EVERY_MS);
  }
  const after = await store.read();
  const runs: RunRecord[] = [];
  for (const id of wanted) runs.push(await findRun(context, after, id));
  Object.assign(context.output.document, { runs });
  // A process that is blocked will not see it.
  const owners = new Set([...wanted].map((id) => after.run(id)?.runs.owner));
  for (const { executor, failure } of blockedProcesses(after))
    if (owners.has(executor)) context.output.fail(failure);
  for (const { id, status } of runs)
    context.output.chat(
      status === 'STARTED' || status === 'QUEUED'
        ? `run ${id} is being aborted by the process that executes it`
        : endedBefore.has(id)
          ? `run ${id} had ended before: ${status}; nothing was canceled`
          : `run ${id}: ${status}`,
    );
}

export async function release(context: Context, _: object, ids: readonly string[]): Promise<void> {
  const { store } = context.project;
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
  Object.assign(context.output.document, { runs });
  context.output.chat(`${counted(runs.length, 'run')} released`);
}
