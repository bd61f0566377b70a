/** The end of a tick, a sensor's or that of `automation`: one commit, a record, and what is said of it. */
import type { RunValues } from '../../definitions/staged-values.ts';
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { Failure } from '../../model/failure.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import { type LogLine, recordOfTick, type TickRecord } from '../../model/tick.ts';
import type { Clock } from '../../model/time.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Executor } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import { type OwnedRun, ownedRuns } from '../plan/executors/owned-run.ts';
import { needsOfRoom, roomFor } from '../plan/executors/slots.ts';
import { together } from '../plan/needs-together.ts';
import { pipelineNews, withPipeline } from '../plan/pipeline/remember-pipeline.ts';
import { countRuns } from '../plan/queue/queue-runs.ts';
import { type TickMoment, type TickPlan, unappliedTick } from '../plan/tick/tick-record.ts';
import type { Processes } from '../user-code/programs.ts';
import type { TickStore } from './dry-run-store.ts';
import type { EvaluateSensor } from './evaluate-sensor.ts';

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
    const room = executor === null ? [] : roomFor(now, executor.id, wants, options);
    return { changes: withPipeline(now, options.known, [...changes, ...room], moment.now), outcome: tick };
  });
  const owned =
    executor === null || tick.runs.length === 0
      ? []
      : ownedRuns(await store.read({ runs: [{ owner: executor.id }] }), executor.id, moment.group);
  return finished(options, { tick, owned }, log);
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
