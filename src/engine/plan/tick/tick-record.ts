/** What a plan of a tick says, and the ticks that need none. */
import type { SensorDefinition } from '../../../definitions/pipeline.ts';
import type { TickRecord } from '../../../model/tick.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { QueuedRuns, StateChange } from '../../../state/changes.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { EvaluatedResult } from '../sensor-result/result-fields.ts';

export interface TickMoment {
  readonly startedAt: Millis;
  readonly now: Millis;
  /** The id of the runs that this tick queues, before their number. */
  readonly group: string;
}

export interface PlanTickOptions {
  readonly moment: TickMoment;
  /** The executor that will execute the runs; `null` leaves them to a worker. */
  readonly owner: string | null;
  /** `false`: the tick lists no more runs than its record keeps, as nobody will see the others. Default true. */
  readonly listsAllRuns?: boolean;
}

export interface TickPlan {
  /** Empty when the state stays as it is. */
  readonly changes: readonly StateChange[];
  readonly tick: TickRecord;
  readonly queued: readonly QueuedRuns[];
  /** When there may be more to do though nothing changes (ISO 8601, UTC). */
  readonly nextAt?: string | null;
}

/** Plans a tick: what a sensor's result comes to, given the state. */
export type PlanTick = (
  view: StateView,
  sensor: SensorDefinition,
  result: EvaluatedResult,
  options: PlanTickOptions,
) => TickPlan;

/** Why a tick did nothing when its sensor did not say. */
export const nothingRequested = 'the sensor requested nothing';

/** The plan of a tick whose sensor asked for nothing. */
export const planSkippedTick: PlanTick = (view, { name }, { skipReason, failures }, { moment }) => ({
  changes: [],
  queued: [],
  tick: unappliedTick(view, name, moment, {
    status: 'SKIPPED',
    skipReason: skipReason ?? nothingRequested,
    failures,
  }),
});

/** A tick that applies nothing: the cursor stays, and the history says why. */
export function unappliedTick(
  view: StateView,
  sensor: string,
  moment: Omit<TickMoment, 'group'>,
  outcome: Pick<TickRecord, 'status'> &
    Partial<Pick<TickRecord, 'error' | 'busy' | 'skipReason' | 'failures'>>,
): TickRecord {
  const { cursor } = view.sensor(sensor);
  return {
    sensor,
    startedAt: isoTime(moment.startedAt),
    finishedAt: isoTime(moment.now),
    cursor: { before: cursor, after: cursor },
    partitions: [],
    runs: [],
    skippedRunKeys: [],
    skipReason: null,
    error: null,
    failures: [],
    busy: null,
    ...outcome,
  };
}
