/** Deletes the stored values of keys that were removed. */
import { removeValues } from '../engine/runs/remove-values.ts';
import type { Project } from './project.ts';
import { valuesOf } from './stores.ts';

export async function purgeValues(project: Project, set: string, keys: readonly string[]): Promise<void> {
  // A pipeline with an I/O manager of its own is the only one that knows where its values are.
  const pipeline = await project.pipeline();
  const ioManager = await valuesOf(pipeline, project.store);
  await removeValues(pipeline, ioManager, [{ set, keys }]);
}
