/** `dynpart sensor cursor`: shows the cursor of a sensor, or changes it. */
import { fail } from '../../model/failure.ts';
import { printable } from '../../model/text.ts';
import type { Context } from '../context.ts';
import type { SensorCursor } from '../json-results.ts';

export async function run(
  { output, project }: Context,
  options: { readonly set?: string; readonly clear?: boolean },
  sensor: string,
): Promise<SensorCursor> {
  if (options.set !== undefined && options.clear)
    fail({ reason: 'usage', message: '--set and --clear contradict each other', hint: 'use one of them' });
  if (options.set !== undefined && !options.set.isWellFormed())
    fail({
      reason: 'usage',
      message: 'the cursor is no text: it holds half of a surrogate pair',
      hint: 'nothing was changed; give text that is whole',
    });
  const value = options.clear ? null : options.set;
  await project.checkSensor(sensor, { isPast: value === undefined });
  if (value !== undefined) {
    // Also when it is the same: an evaluation that is under way must not win over what an operator said.
    await project.commit({}, () => ({
      changes: [{ type: 'sensor-changed', sensor, cursor: value }],
      outcome: undefined,
    }));
  }
  const now = (await project.store.read({ sensors: [sensor] })).sensor(sensor).cursor;
  if (value === undefined && now !== null) output.print(`${printable(now)}\n`);
  else if (value === undefined) output.chat(`sensor '${sensor}' has no cursor yet`);
  else
    output.chat(
      now === null ? `cursor of '${sensor}' cleared` : `cursor of '${sensor}' set to ${printable(now)}`,
    );
  return { sensor, cursor: now };
}
