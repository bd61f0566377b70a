/** One tick of the built-in sensor `automation`: what automated assets need is planned, committed and recorded. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import { describe } from '../../model/describe-failure.ts';
import { FailureError } from '../../model/failure.ts';
import { AUTOMATION } from '../../model/run.ts';
import { isoTime, type Millis, newId } from '../../model/time.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Executor } from '../../state/store.ts';
import { needsOfAutomation, planAutomation } from '../plan/automate/plan-automation.ts';
import {
  type NamedKeys,
  namedByRules,
  needsOfNaming,
  needsOfRetention,
} from '../plan/automate/plan-retention.ts';
import { together } from '../plan/needs-together.ts';
import type { Needs } from '../../state/needs.ts';
import type { TickRecord } from '../../model/tick.ts';
import { earlier, type Periods } from '../plan/automate/periods.ts';
import type { Purge } from '../runs/remove-values.ts';
import { type TickPlan, unappliedTick } from '../plan/tick/tick-record.ts';
import { notePipeline } from '../note-pipeline.ts';
import { commitTick, finished, type TickOptions, type TickOutcome } from './commit-tick.ts';

/** Keys grow old without anything else happening: a watch looks at them so often. */
const RETAIN_EVERY_MS = 3_600_000;

/** Nothing is evaluated, and the commit plans anew where others came first: so nobody has to be kept out meanwhile. */
export async function runAutomation(options: TickOptions): Promise<TickOutcome> {
  const { store, clock, pipeline, known } = options;
  const now = clock.now();
  const moment = { startedAt: now, now, group: newId(clock) };
  const periods = await periodsOf(pipeline, now);
  try {
    // What it makes stale is to be made, too.
    await notePipeline(store, await store.read({}), { known, now });
    const { named, needs } = await lookOf(options, now);
    const planned = (
      view: StateView,
      executor: Executor | null,
      { onlyAsks, named }: { readonly onlyAsks: boolean; readonly named: NamedKeys },
    ): TickPlan =>
      planAutomation(view, pipeline, {
        onlyAsks,
        moment,
        owner: executor?.id ?? null,
        listsAllRuns: options.listsAllRuns ?? true,
        periods,
        named,
      });
    const {
      changes,
      tick,
      nextAt: next = null,
    } = planned(await store.read(needs), null, {
      onlyAsks: true,
      named,
    });
    const nextAt = earlier(next, pipeline.retain.size === 0 ? null : isoTime(now + RETAIN_EVERY_MS));
    // Mostly there is nothing to do: then nothing is committed, and the process owns nothing.
    if (changes.length === 0) return await finished(options, { tick, owned: [], nextAt }, []);
    const purging = await beforePurge(options, tick, named);
    const committed = await commitTick(options, {
      sensor: AUTOMATION,
      moment,
      version: null,
      needs,
      plan: (view, executor) => planned(view, executor, { onlyAsks: false, named: purging?.going ?? named }),
      queues: true,
      log: [],
    });
    await purging?.purge.after(purgedBy(pipeline, committed.tick));
    return { ...committed, nextAt };
  } catch (error) {
    if (!(error instanceof FailureError) || !('sensor' in error.failure)) throw error;
    const view = await store.read({ sensors: [AUTOMATION] });
    const failed = { status: 'FAILURE', error: describe(error.failure) } as const;
    return finished(options, { tick: unappliedTick(view, AUTOMATION, moment, failed), owned: [] }, []);
  }
}

/** What the plan looks at. Which keys rules name is asked first: a database is asked for what became of those, and of no others. */
async function lookOf(
  { store, pipeline }: TickOptions,
  now: Millis,
): Promise<{ readonly named: NamedKeys; readonly needs: Needs }> {
  const needs = needsOfAutomation(pipeline, now);
  if (pipeline.retain.size === 0) return { named: new Map(), needs };
  const named = namedByRules(await store.read(needsOfNaming(pipeline, now)), pipeline, now);
  return { named, needs: together(needs, needsOfRetention(pipeline, named)) };
}

/** Values go with the commit that takes their keys out: of what is to be purged, it takes out no more than was said before it. */
async function beforePurge(
  { pipeline, values, clock, store }: TickOptions,
  tick: TickRecord,
  named: NamedKeys,
): Promise<{ readonly purge: Purge; readonly going: NamedKeys } | null> {
  if (values === null || store.isDryRun || ![...named.keys()].some((set) => pipeline.retain.get(set)?.purge))
    return null;
  const purged = purgedBy(pipeline, tick);
  const stays = [...named].filter(([set]) => !pipeline.retain.get(set)?.purge);
  const going = new Map([...stays, ...purged.map(({ set, keys }) => [set, keys] as const)]);
  const { Purge } = await import('../runs/remove-values.ts');
  return { purge: await Purge.before({ pipeline, values: await values(), id: newId(clock) }, purged), going };
}

function purgedBy(
  pipeline: Pipeline,
  { partitions }: TickRecord,
): { readonly set: string; readonly keys: readonly string[] }[] {
  return partitions.flatMap(({ set, removed }) =>
    pipeline.retain.get(set)?.purge ? [{ set, keys: removed }] : [],
  );
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
