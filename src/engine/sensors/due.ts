/** When a sensor is to tick next, after its interval or at the next time of its cron line, and which are due now. */
import type { SensorDefinition } from '../../definitions/pipeline.ts';
import type { SensorTimes } from '../../model/known-pipeline.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { Millis } from '../../model/time.ts';
import type { StateView } from '../../state/state-view.ts';

/** The next time after a tick began. */
export type NextTick = (sensor: SensorTimes, after: Millis) => Millis;

/** What knows calendars is loaded where a sensor has a cron line. */
export async function nextTickOf(sensors: readonly SensorTimes[]): Promise<NextTick> {
  if (sensors.every(({ cron }) => cron == null)) return byInterval;
  const { Cron } = await import('croner');
  return (sensor, after) => {
    if (sensor.cron == null) return byInterval(sensor, after);
    const { line, timeZone } = sensor.cron;
    const calendar = new Cron(line, { paused: true, ...(timeZone !== null && { timezone: timeZone }) });
    // One whose time never comes is refused with the pipeline.
    return calendar.nextRun(new Date(after))?.getTime() ?? Infinity;
  };
}

const byInterval: NextTick = ({ minimumIntervalSeconds }, after) => after + minimumIntervalSeconds * 1000;

/** @returns the time of the next tick; now, where it has passed */
export function dueAt(
  sensor: SensorTimes,
  {
    last,
    now,
    nextTick,
  }: { readonly last: TickRecord | null; readonly now: Millis; readonly nextTick: NextTick },
): Millis {
  if (last === null) return now;
  const began = Date.parse(last.startedAt);
  // A last tick in the future: the clock was set back, and nobody knows for how long.
  return began > now ? now : Math.max(now, nextTick(sensor, began));
}

/** Those whose interval is over, or whose time has come. */
export async function dueSensors(
  sensors: readonly SensorDefinition[],
  view: StateView,
  now: Millis,
): Promise<readonly SensorDefinition[]> {
  const nextTick = await nextTickOf(sensors);
  return sensors.filter(
    (sensor) => dueAt(sensor, { last: view.sensor(sensor.name).lastTick, now, nextTick }) <= now,
  );
}
