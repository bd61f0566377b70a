/** Deletes what was made for keys that have left their set. After the commit: a value whose key is on record stays. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { RunValues } from '../../definitions/staged-values.ts';

/** Also of keys of which there is no value. */
export async function removeValues(
  pipeline: Pipeline,
  ioManager: RunValues,
  removed: Iterable<{ readonly set: string; readonly keys: readonly string[] }>,
): Promise<void> {
  for (const { set, keys } of removed) {
    const assets = [...pipeline.assets.values()].filter((asset) => asset.set === set);
    for (const { name } of assets)
      for (const partitionKey of keys) await ioManager.remove({ asset: name, partitionKey });
  }
  await ioManager.flush?.();
}
