/** What was made in this process, as long as no view shows it yet. What is on record stands where a run failed. */
import { workName } from '../plan/queue/work-name.ts';
import type { RunRecord } from '../../model/run.ts';

export class FreshlyMade {
  readonly #runs = new Map<string, string>();

  has(asset: string, partitionKey: string | null): boolean {
    return this.#runs.has(workName(asset, partitionKey));
  }

  note({ id, partitionKey, assets }: RunRecord): void {
    for (const { asset, status } of assets)
      if (status === 'SUCCESS') this.#runs.set(workName(asset, partitionKey), id);
  }

  /** The run is on record. What a later run of the same key made stays. */
  forget({ id, partitionKey, assets }: RunRecord): void {
    for (const { asset } of assets) {
      const name = workName(asset, partitionKey);
      if (this.#runs.get(name) === id) this.#runs.delete(name);
    }
  }
}
