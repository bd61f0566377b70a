/** What was made in this process, as long as no view shows it yet. What is on record stands where a run failed. */
import { workName } from '../plan/queue/work-name.ts';
import type { PartitionStatus } from '../../model/partition-status.ts';
import type { RunRecord } from '../../model/run.ts';

type FreshStatus = Extract<PartitionStatus, 'materialized' | 'skipped'>;

export class FreshlyMade {
  readonly #runs = new Map<string, { readonly id: string; readonly status: FreshStatus }>();

  statusOf(asset: string, partitionKey: string | null): FreshStatus | undefined {
    return this.#runs.get(workName(asset, partitionKey))?.status;
  }

  note({ id, partitionKey, assets }: RunRecord): void {
    for (const { asset, status, skipReason } of assets)
      if (status === 'SUCCESS' || skipReason !== null)
        this.#runs.set(workName(asset, partitionKey), {
          id,
          status: status === 'SUCCESS' ? 'materialized' : 'skipped',
        });
  }

  /** The run is on record. What a later run of the same key made stays. */
  forget({ id, partitionKey, assets }: RunRecord): void {
    for (const { asset } of assets) {
      const name = workName(asset, partitionKey);
      if (this.#runs.get(name)?.id === id) this.#runs.delete(name);
    }
  }
}
