/** The values that an asset is given: loaded for each of its tries. */
import type { RunTask } from '../plan/executors/owned-run.ts';
import { upstreamPartition } from '../../definitions/mapping.ts';
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import type { GatheredKeys } from '../plan/gather/keys-there.ts';
import { LazyValues } from './keyed-values.ts';

/** Where the values are, and which keys of upstream assets are taken of which many are. */
interface InputsFrom {
  readonly context: { readonly pipeline: Pipeline; readonly ioManager: RunValues };
  readonly gathered: readonly GatheredKeys[];
}

/** @param signal aborted when the try is over: nothing is loaded lazily any more */
export async function inputsOf(
  asset: AssetDefinition,
  { partitionKey }: Pick<RunTask, 'partitionKey'>,
  { context: { ioManager, pipeline }, gathered }: InputsFrom,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const inputs: Record<string, unknown> = {};
  for (const [input, upstream] of asset.inputs) {
    inputs[input] = await ioManager.load({
      asset: upstream,
      partitionKey: upstreamPartition(pipeline, upstream, partitionKey).key,
    });
  }
  for (const keys of gathered)
    if (keys.input !== null) {
      // A method of the same name of a manager of the user's own means something else.
      const from = pipeline.ioManager === null ? ioManager : { load: ioManager.load.bind(ioManager) };
      const values = new LazyValues(keys, from, signal);
      inputs[keys.input] = keys.isOne ? await values.get(keys.keys[0] ?? '') : values;
    }
  return inputs;
}
