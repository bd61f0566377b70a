/** `dynpart sensor list`: status, interval, last tick and cursor of each sensor. */
import { withPresentLastTicks } from '../../engine/sensors/runs-of-ticks.ts';
import { sensorStatus } from '../../engine/sensors/sensor-status.ts';
import { printable } from '../../model/text.ts';
import type { Context } from '../context.ts';
import type { ListedSensor, SensorList } from '../json-results.ts';

export async function run({ output, project }: Context): Promise<SensorList> {
  const view = await project.store.read({ sensors: 'all' });
  const known = await project.known(view);
  const listed = await Promise.all(
    known.sensors.map(async (sensor): Promise<ListedSensor> => {
      const { cursor: at, lastTick } = view.sensor(sensor.name);
      return {
        sensor: sensor.name,
        status: sensorStatus(view, sensor),
        minimumIntervalSeconds: sensor.minimumIntervalSeconds,
        cron: sensor.cron ?? null,
        cursor: at,
        lastTick,
        evaluating: await project.store.evaluating(sensor.name),
      };
    }),
  );
  const sensors = output.options.json ? await withPresentLastTicks(project.store, listed) : listed;
  if (sensors.length === 0) output.chat('the pipeline has no sensors');
  await output.table({
    columns: [
      { title: 'SENSOR', keeps: 'difference' },
      { title: 'STATUS', keeps: 'all' },
      { title: 'EVERY', align: 'right', keeps: 'all', spare: true },
      { title: 'LAST TICK', keeps: 'all' },
      { title: 'OUTCOME' },
      { title: 'CURSOR', spare: true },
    ],
    rows: sensors.map(({ sensor, status, minimumIntervalSeconds, cron, lastTick, cursor: at }) => [
      sensor,
      { text: status, paint: status === 'RUNNING' ? 'good' : 'dim' },
      cron?.line ?? (minimumIntervalSeconds === 0 ? 'tick' : `${minimumIntervalSeconds} s`),
      lastTick === null ? '-' : output.when(lastTick.startedAt),
      lastTick === null
        ? '-'
        : { text: lastTick.status, paint: lastTick.status === 'FAILURE' ? 'bad' : 'dim' },
      at === null ? '-' : printable(at),
    ]),
  });
  return { sensors };
}
