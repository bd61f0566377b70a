/** A partition of an asset: the asset for one key of its set, or as a whole where it has no set; and what is on record of it. */

export interface PartitionRef {
  readonly asset: string;
  /** Both are `null` for an asset without a set. */
  readonly set: string | null;
  readonly key: string | null;
}

/**
 * - `missing`: nothing was made;
 * - `materialized`: the last run made it;
 * - `failed`: the last run failed, and nothing was made before;
 * - `failed-again`: the last run failed, and what was made before it stands until it is replaced.
 */
export type PartitionStatus = 'missing' | 'materialized' | 'failed' | 'failed-again';

/** What a status counts as. */
export type CountedStatus = Exclude<PartitionStatus, 'failed-again'>;

export function countedAs(status: PartitionStatus): CountedStatus {
  return status === 'failed-again' ? 'failed' : status;
}

/** Whether what depends on it can be made. */
export function isThere(status: PartitionStatus): boolean {
  return status === 'materialized' || status === 'failed-again';
}
