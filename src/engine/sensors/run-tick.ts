/** One tick of one sensor: claim, evaluate, plan, one commit, a record. Its runs are executed by whoever called. */
import type { Failure } from '../../model/failure.ts';
import { describe } from '../../model/describe-failure.ts';
import type { SensorDefinition } from '../../definitions/pipeline.ts';
import { AUTOMATION } from '../../model/run.ts';
import { type Millis, newId, steadyTime } from '../../model/time.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Executor, HeldClaim, SensorClaim } from '../../state/store.ts';
import { commitTick, finished, type TickOptions, type TickOutcome } from './commit-tick.ts';
import type { TickStore } from './dry-run-store.ts';
import type { Evaluation, EvaluationPrograms } from './evaluate-sensor.ts';
import type { EvaluatedResult } from '../plan/sensor-result/result-fields.ts';
import {
  type PlanTick,
  planSkippedTick,
  type TickMoment,
  type TickPlan,
  unappliedTick,
} from '../plan/tick/tick-record.ts';

/** A sensor that is held so much longer than its timeout is stuck: its process does not even see its own timer. */
const STUCK_GRACE_MS = 5000;

const ASK_AGAIN_MS = 100;

export async function runTick(sensor: SensorDefinition, options: TickOptions): Promise<TickOutcome> {
  if (sensor.name === AUTOMATION) return (await import('./run-automation.ts')).runAutomation(options);
  const claim = await claimOrHolder(sensor, options);
  if ('holder' in claim) return heldByAnother(sensor, claim, options);
  try {
    if ((await claim.left()).length > 0) {
      const { endLeftOfSensor } = await import('./left-of-sensor.ts');
      await endLeftOfSensor(sensor.name, claim, options);
    }
    return await evaluateAndPlan(sensor, options, claim);
  } finally {
    await claim.release();
  }
}

async function evaluateAndPlan(
  sensor: SensorDefinition,
  options: TickOptions,
  claim: SensorClaim,
): Promise<TickOutcome> {
  const { store, clock, evaluate, emit, interrupt } = options;
  const startedAt = clock.now();
  const view = await store.read({ sensors: [sensor.name] });
  const { cursor, version, lastTick } = view.sensor(sensor.name);
  const { ended, log } = await evaluate(sensor, {
    cursor,
    sets: await store.sets(),
    lastTickAt: lastTick === null ? null : new Date(lastTick.startedAt),
    interrupt,
    onTurn: options.sharesThread ? () => claim.hasThread() : undefined,
    programs: store.isDryRun ? null : notedBy(claim),
    onOutput: (line) => emit({ type: 'output', source: sensor.name, line }),
  });
  const moment = { startedAt, now: clock.now(), group: newId(clock) };
  if ('failure' in ended) {
    const error = describe(await withMissingKeys(store, moment.now, ended));
    const tick = unappliedTick(view, sensor.name, moment, { status: 'FAILURE', error });
    return finished(options, { tick, owned: [] }, log);
  }
  const { plan, needs } = await plannerFor(sensor.name, ended.result, cursor);
  const planned = (now: StateView, executor: Executor | null): TickPlan =>
    plan(now, sensor, ended.result, {
      moment,
      owner: executor?.id ?? null,
      listsAllRuns: options.listsAllRuns ?? true,
    });
  const tick = { sensor: sensor.name, moment, version, needs, plan: planned, log };
  return commitTick(options, { ...tick, queues: ended.result.runs.length > 0 });
}

/** A note that cannot be taken back is read by the next one who evaluates the sensor, and finds nothing. */
function notedBy(claim: SensorClaim): EvaluationPrograms {
  return {
    id: claim.id,
    note: (program) => claim.started(program),
    ended: () => void claim.programsEnded().catch(() => undefined),
  };
}

/** Most ticks ask for nothing, and start without what plans the others. */
async function plannerFor(
  sensor: string,
  result: EvaluatedResult,
  before: string | null,
): Promise<{ readonly plan: PlanTick; readonly needs: Needs }> {
  const { requests, runs, cursor } = result;
  const asksForNothing = requests.length + runs.length === 0 && (cursor === undefined || cursor === before);
  if (asksForNothing) return { plan: planSkippedTick, needs: { sensors: [sensor] } };
  const { needsOfTick, planTick } = await import('../plan/tick/plan-tick.ts');
  return { plan: planTick, needs: needsOfTick(sensor, result) };
}

/** Every offending key is named: those that are missing, too. */
async function withMissingKeys(
  store: TickStore,
  now: Millis,
  { failure, usable }: Extract<Evaluation['ended'], { readonly failure: Failure }>,
): Promise<Failure> {
  if (failure.reason !== 'sensor-result' || usable === undefined) return failure;
  const { missingKeys, needsOfTick } = await import('../plan/tick/plan-tick.ts');
  const view = await store.read(needsOfTick(failure.sensor, usable));
  return { ...failure, problems: [...failure.problems, ...missingKeys(view, usable, failure.sensor, now)] };
}

async function claimOrHolder(
  sensor: SensorDefinition,
  options: TickOptions,
): Promise<SensorClaim | HeldClaim> {
  const { store, clock, ifBusy, waitTimeoutMs, interrupt } = options;
  const until = steadyTime(clock) + waitTimeoutMs;
  for (;;) {
    const claim = await store.claimSensor(sensor.name);
    if (!('holder' in claim) || ifBusy !== 'wait' || steadyTime(clock) >= until || interrupt.aborted)
      return claim;
    await clock.sleep(ASK_AGAIN_MS, interrupt);
  }
}

async function heldByAnother(
  sensor: SensorDefinition,
  { holder, thread }: HeldClaim,
  options: TickOptions,
): Promise<TickOutcome> {
  const { store, clock } = options;
  const now = clock.now();
  const { name, timeoutSeconds } = sensor;
  const view = await store.read({ sensors: [name] });
  const moment: Omit<TickMoment, 'group'> = { startedAt: now, now };
  const stuck = now - Date.parse(holder.since) > timeoutSeconds * 1000 + STUCK_GRACE_MS;
  const failure: Failure = {
    reason: 'sensor-stuck',
    sensor: thread ?? name,
    ...holder,
    seconds: timeoutSeconds,
  };
  if (stuck && failure.sensor === name) {
    return finished(
      options,
      { tick: unappliedTick(view, name, moment, { status: 'FAILURE', error: describe(failure) }), owned: [] },
      [],
    );
  }
  return finished(
    options,
    {
      tick: unappliedTick(view, name, moment, { status: 'BUSY', busy: holder }),
      owned: [],
      ...(stuck && { blockedBy: failure }),
    },
    [],
  );
}
