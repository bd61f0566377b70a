/** Names that were said, and that the pipeline or the state must have. */
import { fail } from '../model/failure.ts';
import type { NamedThing } from '../model/failures/usage.ts';
import { nearest } from '../model/nearest.ts';
import type { Project } from './project.ts';

/** @throws FailureError with the nearest names */
export function checkName(thing: NamedThing, name: string, names: Iterable<string>): void {
  const all = [...new Set(names)];
  if (!all.includes(name))
    fail({ reason: 'unknown-name', thing, names: [name], nearest: nearest(name, all), known: all.length });
}

/** A set of the pipeline, or one that only the state knows. @throws FailureError */
export async function checkSet(project: Project, set: string): Promise<void> {
  const view = await project.store.read({ sets: true });
  const names = view.setNames();
  if (names.includes(set)) return;
  const { sets } = await project.known(view, (known) => !known.sets.includes(set));
  checkName('set', set, [...sets, ...names]);
}

/**
 * A sensor of the pipeline.
 * @param isPast also one that the pipeline does not have any more: to see what it left
 * @throws FailureError
 */
export async function checkSensor(project: Project, sensor: string, { isPast = false } = {}): Promise<void> {
  const view = await project.store.read({ sensors: 'all' });
  const past = isPast ? view.sensorNames() : [];
  if (past.includes(sensor)) return;
  const { sensors } = await project.known(view, (known) =>
    known.sensors.every(({ name }) => name !== sensor),
  );
  checkName('sensor', sensor, [...sensors.map(({ name }) => name), ...past]);
}
