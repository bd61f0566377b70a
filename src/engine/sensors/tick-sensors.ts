/** Several sensors ticked by one process: which of them, in what order, and what became of their runs. */
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { fail } from '../../model/failure.ts';
import { AUTOMATION, type RunRecord, type RunStatus } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { StateView } from '../../state/state-view.ts';
import type { TickOutcome } from './commit-tick.ts';
import { sensorStatus } from './sensor-status.ts';

/** @throws FailureError where there is none: nothing could ever tick */
export function checkHasSensors({ sensors }: Pipeline): void {
  if (sensors.size === 0)
    fail({
      reason: 'usage',
      message: 'the pipeline has no sensors',
      hint: 'add one to sensors of definePipeline',
    });
}

/** Those that are named, also when they are stopped: somebody wants to see what they do. Without names, all that are running. */
export function chooseSensors(
  sensors: ReadonlyMap<string, SensorDefinition>,
  view: StateView,
  names: readonly string[],
): readonly SensorDefinition[] {
  if (names.length > 0) return [...new Set(names)].map((name) => sensors.get(name)!);
  return [...sensors.values()].filter((sensor) => sensorStatus(view, sensor) === 'RUNNING');
}

/**
 * `automation` comes last: what the others have found is to be made.
 * @param ticked is called with the outcomes until now, so that they can be told also when what follows fails
 */
export async function tickInOrder(
  sensors: readonly SensorDefinition[],
  tickOf: (sensor: SensorDefinition, sharesThread: boolean) => Promise<TickOutcome>,
  ticked: (outcomes: readonly TickOutcome[]) => void,
): Promise<void> {
  const automation = sensors.find(({ name }) => name === AUTOMATION);
  const others = sensors.filter((sensor) => sensor !== automation);
  const outcomes = await inOneThread(others, (sensor) => tickOf(sensor, others.length > 1));
  ticked(outcomes);
  if (automation !== undefined) ticked([...outcomes, await tickOf(automation, false)]);
}

/** Of several sensors in one thread, the one that blocks it is to be told from the others. */
async function inOneThread(
  sensors: readonly SensorDefinition[],
  tickOf: (sensor: SensorDefinition) => Promise<TickOutcome>,
): Promise<readonly TickOutcome[]> {
  if (sensors.length < 2) return Promise.all(sensors.map(tickOf));
  const { followTurns } = await import('../user-code/thread-turns.ts');
  const stopFollowing = followTurns();
  try {
    return await Promise.all(sensors.map(tickOf));
  } finally {
    stopFollowing();
  }
}

/** The runs of the ticks as they ended, and those that other processes had left behind. */
export function withEnds(
  outcomes: readonly TickOutcome[],
  runs: readonly RunRecord[],
): { readonly ticks: readonly TickRecord[]; readonly resumed: readonly RunRecord[] } {
  // A hundred thousand records are not copied for nobody: without --json no runs are kept.
  if (runs.length === 0) return { ticks: outcomes.map((outcome) => outcome.tick), resumed: [] };
  const statuses = new Map<string | null, RunStatus>(runs.map(({ id, status }) => [id, status]));
  const own = new Set(outcomes.flatMap(({ owned }) => owned.map(({ id }) => id)));
  return {
    ticks: outcomes.map(({ tick: one }) => ({
      ...one,
      runs: one.runs.map((queued) => ({ ...queued, status: statuses.get(queued.id) ?? queued.status })),
    })),
    resumed: runs.filter(({ id }) => !own.has(id)),
  };
}
