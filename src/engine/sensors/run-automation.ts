/** One tick of the built-in sensor `automation`: what automated assets need is planned, committed and recorded. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import { describe } from '../../model/describe-failure.ts';
import { FailureError } from '../../model/failure.ts';
import { AUTOMATION } from '../../model/run.ts';
import { type Millis, newId } from '../../model/time.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Executor } from '../../state/store.ts';
import { needsOfAutomation, planAutomation } from '../plan/automate/plan-automation.ts';
import type { Periods } from '../plan/automate/periods.ts';
import { pipelineNews } from '../plan/pipeline/remember-pipeline.ts';
import { type TickPlan, unappliedTick } from '../plan/tick/tick-record.ts';
import { commitTick, finished, type TickOptions, type TickOutcome } from './run-tick.ts';

/** Nothing is evaluated, and the commit plans anew where others came first: so nobody has to be kept out meanwhile. */
export async function runAutomation(options: TickOptions): Promise<TickOutcome> {
  const { store, clock, pipeline, known } = options;
  const now = clock.now();
  const moment = { startedAt: now, now, group: newId(clock) };
  const needs = needsOfAutomation(pipeline, now);
  const periods = await periodsOf(pipeline, now);
  const plan = (view: StateView, executor: Executor | null): TickPlan =>
    planAutomation(view, pipeline, {
      moment,
      owner: executor?.id ?? null,
      listsAllRuns: options.listsAllRuns ?? true,
      periods,
    });
  try {
    // What it makes stale is to be made, too.
    if (pipelineNews(await store.read({}), known, now).length > 0)
      await store.commit({}, (view) => ({ changes: pipelineNews(view, known, now), outcome: undefined }));
    const { queued, tick, nextAt = null } = plan(await store.read(needs), null);
    // Mostly there is nothing to make: then nothing is committed, and the process owns nothing.
    if (queued.length === 0) return await finished(options, { tick, owned: [], nextAt }, []);
    const committed = await commitTick(options, {
      sensor: AUTOMATION,
      moment,
      version: null,
      needs,
      plan,
      queues: true,
      log: [],
    });
    return { ...committed, nextAt };
  } catch (error) {
    if (!(error instanceof FailureError) || !('sensor' in error.failure)) throw error;
    const view = await store.read({ sensors: [AUTOMATION] });
    const failed = { status: 'FAILURE', error: describe(error.failure) } as const;
    return finished(options, { tick: unappliedTick(view, AUTOMATION, moment, failed), owned: [] }, []);
  }
}

/** What knows time zones is loaded where an asset asks for it. */
export async function periodsOf(pipeline: Pipeline, now: Millis): Promise<Periods> {
  const timed = [...pipeline.assets.values()].flatMap(({ name, automate }) =>
    automate?.every == null ? [] : [[name, automate.every] as const],
  );
  if (timed.length === 0) return new Map();
  const { periodAt } = await import('./period.ts');
  return new Map(timed.map(([name, every]) => [name, periodAt(every, now)]));
}
