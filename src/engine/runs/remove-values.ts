/**
 * Deletes what was made for keys that leave their set: said before the commit that takes them out, and done after it, also by the next process
 * where this one is killed in between. A value whose key is on record stays.
 */
import type { IoManager } from '../../definitions/io-manager.ts';
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { RunValues, StagedPurge } from '../../definitions/staged-values.ts';

type KeysOfSets = Iterable<{ readonly set: string; readonly keys: readonly string[] }>;

type Place = Parameters<IoManager['remove']>[0];

export class Purge {
  readonly #pipeline: Pipeline;
  readonly #values: RunValues;
  readonly #staged: StagedPurge | undefined;

  private constructor(pipeline: Pipeline, values: RunValues, staged: StagedPurge | undefined) {
    this.#pipeline = pipeline;
    this.#values = values;
    this.#staged = staged;
  }

  /** Before the commit. @param keys that it may take out @param id met once */
  static async before(
    {
      pipeline,
      values,
      id,
    }: { readonly pipeline: Pipeline; readonly values: RunValues; readonly id: string },
    keys: KeysOfSets,
  ): Promise<Purge> {
    const staged = values.purging?.(id);
    await staged?.stage(placesOf(pipeline, keys));
    return new Purge(pipeline, values, staged);
  }

  /** After the commit. @param gone the keys that are not in their sets now, also those of which there is no value */
  async after(gone: KeysOfSets): Promise<void> {
    const places = placesOf(this.#pipeline, gone);
    const names = new Set(places.map(nameOf));
    this.#staged?.settle((place) => names.has(nameOf(place)));
    // Also what others have staged.
    for (const place of places) await this.#values.remove(place);
    await this.#values.flush?.();
  }
}

function placesOf(pipeline: Pipeline, keys: KeysOfSets): Place[] {
  return Array.from(keys).flatMap(({ set, keys }) => {
    const assets = [...pipeline.assets.values()].filter((asset) => asset.set === set);
    return assets.flatMap(({ name }) => keys.map((partitionKey) => ({ asset: name, partitionKey })));
  });
}

function nameOf({ asset, partitionKey }: Place): string {
  return JSON.stringify([asset, partitionKey]);
}
