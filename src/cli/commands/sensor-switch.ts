/** `dynpart sensor start|stop`: whether a sensor ticks. */
import { checkSensor } from '../check-names.ts';
import type { Context } from '../context.ts';
import type { SensorSwitch } from '../json-results.ts';

export async function setStatus(
  { output, project }: Context,
  sensor: string,
  status: SensorSwitch['status'],
): Promise<SensorSwitch> {
  await checkSensor(project, sensor);
  await project.commit({ sensors: [sensor] }, (view) => ({
    changes: view.sensor(sensor).status === status ? [] : [{ type: 'sensor-changed', sensor, status }],
    outcome: undefined,
  }));
  output.chat(`sensor '${sensor}' is ${status}`);
  return { sensor, status };
}
