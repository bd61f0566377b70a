/** Whether a sensor ticks. */
import type { SensorDefinition } from '../../definitions/pipeline.ts';
import type { StateView } from '../../state/state-view.ts';

/** What was said last with `sensor start` or `stop`, or else what the pipeline says. */
export function sensorStatus(
  view: StateView,
  { name, defaultStatus }: Pick<SensorDefinition, 'name' | 'defaultStatus'>,
): 'RUNNING' | 'STOPPED' {
  return view.sensor(name).status ?? defaultStatus;
}
