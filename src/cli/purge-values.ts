/** Deletes the stored values of keys that are removed. */
import { Purge } from '../engine/runs/remove-values.ts';
import { newId } from '../model/time.ts';
import type { Context } from './context.ts';
import { valuesOf } from './stores.ts';

/** Before the commit. */
export async function purgeOf(
  { project, clock }: Context,
  set: string,
  keys: readonly string[],
): Promise<Purge> {
  // A pipeline with an I/O manager of its own is the only one that knows where its values are.
  const pipeline = await project.pipeline();
  const values = await valuesOf(pipeline, project.store);
  return Purge.before({ pipeline, values, id: newId(clock) }, [{ set, keys }]);
}
