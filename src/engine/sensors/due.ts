/** When a sensor is to tick next: after its interval, or at the next time of its cron line. */
import type { SensorTimes } from '../../model/known-pipeline.ts';
import type { Millis } from '../../model/time.ts';

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
