/** `dynpart sensor history`: past ticks, newest first. */
import { withPresentRuns } from '../../engine/sensors/runs-of-ticks.ts';
import { checkSensor } from '../check-names.ts';
import type { Context } from '../context.ts';
import { wordsForTick } from '../render/tick-words.ts';
import type { SensorHistory } from '../json-results.ts';

export async function run(
  { output, project }: Context,
  { limit }: { readonly limit: number },
  sensor: string,
): Promise<SensorHistory> {
  await checkSensor(project, sensor, { isPast: true });
  const past = await project.store.ticks(sensor, limit);
  const ticks = output.options.json ? await withPresentRuns(project.store, past) : past;
  if (ticks.length === 0) output.chat(`sensor '${sensor}' has not ticked yet`);
  await output.table({
    columns: [{ title: 'STARTED', keeps: 'all' }, { title: 'OUTCOME', keeps: 'all' }, { title: 'WHAT' }],
    rows: ticks.map((tick) => [
      output.when(tick.startedAt),
      {
        text: tick.status,
        paint: tick.status === 'FAILURE' ? 'bad' : tick.status === 'SUCCESS' ? 'good' : 'dim',
      },
      wordsForTick(tick),
    ]),
  });
  return { sensor, ticks };
}
