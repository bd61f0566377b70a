/** `dynpart runs retry|cancel|release`: what can be done about a run. */
import { fail } from '../../model/failure.ts';
import { newId, steadyTime } from '../../model/time.ts';
import { blockedProcesses } from '../../engine/plan/blocked.ts';
import { cancelRuns } from '../../engine/plan/cancel-runs.ts';
import { countRuns } from '../../engine/plan/queue-runs.ts';
import { needsOfRetry, planRetry } from '../../engine/plan/retry.ts';
import { runsIn } from '../../model/pending-run.ts';
import { RunSession } from '../../engine/runs/run-session.ts';
import type { Context } from '../context.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { findRuns } from '../find-run.ts';
import { EventRenderer } from '../render/event-renderer.ts';
import { counted } from '../../model/text.ts';
import { sessionOptions } from '../run-options.ts';

export async function retry(
  context: Context,
  flags: { readonly concurrency?: number },
  ids: readonly string[],
): Promise<void> {
  const { clock } = context;
  const { store } = context.project;
  const runs = await findRuns(store, [...new Set(ids)]);
  const pending = runs.find(({ finishedAt }) => finishedAt === null);
  if (pending !== undefined)
    fail({
      reason: 'usage',
      message: `run ${pending.id} has not ended yet (${pending.status})`,
      hint: `cancel it first: dynpart runs cancel ${pending.id}`,
    });
  const pipeline = await context.project.pipeline();
  const moment = { now: clock.now(), group: newId(clock) };
  const needs = needsOfRetry(pipeline, runs);
  planRetry(await store.read(needs), pipeline, runs, moment);
  const renderer = new EventRenderer(context.output, { keepsRuns: true });
  const session = new RunSession(
    await sessionOptions(context, renderer, {
      concurrency: flags.concurrency,
      failFast: false,
      onInterrupt: 'cancel',
    }),
  );
  try {
    await session.commit(moment.group, needs, (now, owner) => {
      const queued = planRetry(now, pipeline, runs, moment);
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
    Object.assign(context.output.document, { runs: renderer.runs, summary: renderer.summary });
    await session.leave();
  }
}

/** How long `cancel` waits for the process that executes a run to abort it. */
const CANCEL_WAIT_MS = 3000;
const ASK_EVERY_MS = 100;

export async function cancel(context: Context, _: object, ids: readonly string[]): Promise<void> {
  const { clock } = context;
  const { store } = context.project;
  const wanted = new Set(ids);
  const before = await findRuns(store, [...wanted]);
  const endedBefore = new Set(before.flatMap(({ id, finishedAt }) => (finishedAt === null ? [] : [id])));
  await endLeftPrograms(context);
  await store.commit({ runs: [{ ids: wanted }], executors: true }, (now) => {
    const { changes } = cancelRuns(now, (_runs, run) => wanted.has(run.id), {
      why: 'it was canceled',
      now: clock.now(),
    });
    return { changes, outcome: undefined };
  });
  const until = steadyTime(clock) + CANCEL_WAIT_MS;
  while (steadyTime(clock) < until) {
    const now = await store.read({ runs: [{ ids: wanted }] });
    if ([...wanted].every((id) => now.run(id) === undefined)) break;
    await clock.sleep(ASK_EVERY_MS);
  }
  const after = await store.read({ runs: ['all'], executors: true });
  const runs = await findRuns(store, [...wanted]);
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
