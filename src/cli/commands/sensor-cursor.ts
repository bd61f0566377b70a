/** `dynpart sensor cursor`: shows the cursor of a sensor, or changes it. */
import { fail, FailureError } from '../../model/failure.ts';
import { clean, printable } from '../../model/text.ts';
import { checkSensor } from '../check-names.ts';
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
  await checkSensor(project, sensor, { isPast: options.set === undefined && options.clear !== true });
  const isTyped = await hasTypedCursor(project, sensor);
  const value = options.clear
    ? null
    : isTyped
      ? await typed({ output, project }, sensor, options.set)
      : options.set;
  const shown = (cursor: string): string => (isTyped ? clean(cursor) : printable(cursor));
  if (value !== undefined) {
    // Also when it is the same: an evaluation that is under way must not win over what an operator said.
    await project.commit({}, () => ({
      changes: [{ type: 'sensor-changed', sensor, cursor: value }],
      outcome: undefined,
    }));
  }
  const now = (await project.store.read({ sensors: [sensor] })).sensor(sensor).cursor;
  if (value === undefined && now !== null) output.print(`${shown(now)}\n`);
  else if (value === undefined) output.chat(`sensor '${sensor}' has no cursor yet`);
  else
    output.chat(
      now === null ? `cursor of '${sensor}' cleared` : `cursor of '${sensor}' set to ${shown(now)}`,
    );
  return { sensor, cursor: now };
}

async function hasTypedCursor(project: Context['project'], sensor: string): Promise<boolean> {
  const view = await project.store.read({});
  // Where nothing can be loaded, what the state remembers of a sensor is what there is.
  const known = await project.known(view).catch(() => view.pipeline);
  return known?.sensors.find(({ name }) => name === sensor)?.typedCursor === true;
}

/** What was typed for a cursor that a schema types, as it is kept. While the pipeline cannot be loaded, the next tick asks the schema. */
async function typed(
  { output, project }: Pick<Context, 'output' | 'project'>,
  sensor: string,
  text: string | undefined,
): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const { parseCursor, readCursor } = await import('../../engine/sensors/typed-cursor.ts');
  const parsed = parseCursor(text);
  const refuse = (why: string): never =>
    fail({
      reason: 'usage',
      message: `the cursor of sensor '${sensor}' is JSON of its schema: ${why}`,
      hint: 'nothing was changed; text is JSON in quotes: --set \'"text"\'',
    });
  if ('problem' in parsed) return refuse(parsed.problem);
  const json = JSON.stringify(parsed.value);
  const pipeline = await project.pipeline().catch((error: unknown) => {
    if (!(error instanceof FailureError)) throw error;
    output.warn(`the pipeline cannot be loaded: whether the cursor fits its schema is seen by the next tick`);
    return null;
  });
  const schema = pipeline?.sensors.get(sensor)?.cursor ?? null;
  const fits = schema === null ? parsed : await readCursor(schema, json);
  return 'problem' in fits ? refuse(fits.problem) : json;
}
