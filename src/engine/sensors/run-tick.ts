/** One tick of one sensor: claim, evaluate, plan, one commit, a record. Its runs are executed by whoever called. */
import type { Failure } from '../../model/failure.ts';
import { describe } from '../../model/describe-failure.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { AUTOMATION } from '../../model/run.ts';
import { type LogLine, recordOfTick, type TickRecord } from '../../model/tick.ts';
import { type Clock, type Millis, newId, steadyTime } from '../../model/time.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Executor, HeldClaim, SensorClaim } from '../../state/store.ts';
import { type OwnedRun, ownedRuns } from '../plan/executors/claim-runs.ts';
import type { TickStore } from './dry-run-store.ts';
import type { EvaluateSensor, Evaluation, EvaluationPrograms } from './evaluate-sensor.ts';
import type { Processes } from '../user-code/programs.ts';
import type { Emit } from '../event.ts';
import { pipelineNews, withPipeline } from '../plan/pipeline/remember-pipeline.ts';
import type { EvaluatedResult } from '../plan/sensor-result/result-fields.ts';
import {
  type PlanTick,
  planSkippedTick,
  type TickMoment,
  type TickPlan,
  unappliedTick,
} from '../plan/tick/tick-record.ts';
import { needsOfRoom, roomFor } from '../plan/executors/slots.ts';
import { countRuns } from '../plan/queue/queue-runs.ts';
import { together } from '../plan/needs-together.ts';

export interface TickOptions {
  /** In a dry run a `DryRunStore`. */
  readonly store: TickStore;
  readonly pipeline: Pipeline;
  /** Remembered with a commit of the tick, so that other commands need not load the user's code. */
  readonly known: KnownPipeline;
  readonly evaluate: EvaluateSensor;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly interrupt: AbortSignal;
  readonly concurrency: number;
  /** Whether other sensors are evaluated in the same thread: then it is noted which one has it. Default false. */
  readonly sharesThread?: boolean;
  /** Whether somebody will see every run of the tick. Default true. */
  readonly listsAllRuns?: boolean;
  /** Who executes the runs; asked for only when there are some. `null` leaves them to a worker. */
  readonly executor: (() => Promise<Executor>) | null;
  /** What the system can do with programs that sensors have started. */
  readonly processes: () => Promise<Processes>;
  /** Where values are, for rules that delete those of the keys that they take out; `null`: they stay. */
  readonly values: (() => Promise<RunValues>) | null;
  /** What to do when another process evaluates the sensor. */
  readonly ifBusy: 'skip' | 'wait' | 'fail';
  readonly waitTimeoutMs: number;
}

export interface TickOutcome {
  readonly tick: TickRecord;
  /** Runs that are this process's to execute now. */
  readonly owned: readonly OwnedRun[];
  /** Of `automation`: when there may be more to do though nothing changes (ISO 8601, UTC). */
  readonly nextAt?: string | null;
  /** Another sensor blocks the process that evaluates this one. */
  readonly blockedBy?: Failure;
}

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

/** A tick that is planned and not committed yet. */
export interface PlannedTick {
  readonly sensor: string;
  readonly moment: TickMoment;
  /** The sensor's version when it was evaluated; `null`: any. */
  readonly version: number | null;
  readonly needs: Needs;
  readonly plan: (view: StateView, executor: Executor | null) => TickPlan;
  /** Whether it may queue runs. */
  readonly queues: boolean;
  readonly log: readonly LogLine[];
}

/** Commits a tick; what it came to is recorded, and said. */
export async function commitTick(options: TickOptions, planned: PlannedTick): Promise<TickOutcome> {
  const { store } = options;
  const { sensor, moment, version, needs, plan, log } = planned;
  const executor = planned.queues && !store.isDryRun ? ((await options.executor?.()) ?? null) : null;
  const all = executor === null ? needs : together(needs, needsOfRoom(executor.id));
  const tick = await store.commit<TickRecord>(all, (now) => {
    // An operator's edit, or another process's tick, came first: it wins.
    if (version !== null && now.sensor(sensor).version !== version) {
      return { changes: [], outcome: unappliedTick(now, sensor, moment, { status: 'BUSY' }) };
    }
    const { changes, queued, tick } = plan(now, executor);
    // A change of the pipeline is on record also where the sensor asks for nothing.
    if (changes.length === 0) return { changes: pipelineNews(now, options.known, moment.now), outcome: tick };
    const wants = countRuns(queued);
    const room = executor === null ? [] : roomFor(now, executor.id, wants, options.concurrency);
    return { changes: withPipeline(now, options.known, [...changes, ...room], moment.now), outcome: tick };
  });
  const owned =
    executor === null || tick.runs.length === 0
      ? []
      : ownedRuns(await store.read({ runs: [{ owner: executor.id }] }), executor.id, moment.group);
  return finished(options, { tick, owned }, log);
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
  return { ...failure, problems: [...failure.problems, ...missingKeys(view, usable, now)] };
}

export async function finished(
  options: TickOptions,
  outcome: TickOutcome,
  log: readonly LogLine[],
): Promise<TickOutcome> {
  const { store, emit } = options;
  // In a dry run nothing has happened, so nothing has an id either.
  const tick = store.isDryRun
    ? { ...outcome.tick, runs: outcome.tick.runs.map((run) => ({ ...run, id: null })) }
    : outcome.tick;
  // What is committed is committed: its runs are executed also when the history beside the state takes no record.
  await store
    .recordTick(recordOfTick(tick, log))
    .catch((error: unknown) => emit({ type: 'tick-unrecorded', sensor: tick.sensor, error }));
  emit({ type: 'tick-finished', tick });
  return { ...outcome, tick };
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
