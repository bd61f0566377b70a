/** What became of assets and keys in this process, as long as no view shows it yet. */
import type { RunRecord } from '../../model/run.ts';
import type { PartitionStatus } from '../../state/slice.ts';

export class FreshStatuses {
  readonly #fresh = new Map<string, { readonly status: PartitionStatus; readonly run: string }>();

  get(asset: string, partitionKey: string | null): PartitionStatus | undefined {
    return this.#fresh.get(nameOf(asset, partitionKey))?.status;
  }

  note({ id, partitionKey, assets }: RunRecord): void {
    for (const { asset, status } of assets) {
      if (status !== 'SUCCESS' && status !== 'FAILURE') continue;
      this.#fresh.set(nameOf(asset, partitionKey), { status: status === 'SUCCESS' ? 'm' : 'f', run: id });
    }
  }

  /** The run is on record. What a later run of the same key made of it stays. */
  forget({ id, partitionKey, assets }: RunRecord): void {
    for (const { asset } of assets) {
      const name = nameOf(asset, partitionKey);
      if (this.#fresh.get(name)?.run === id) this.#fresh.delete(name);
    }
  }
}

function nameOf(asset: string, partitionKey: string | null): string {
  return `${asset}\0${partitionKey ?? ''}`;
}
