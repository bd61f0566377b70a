/** What is on record of an asset for one partition key, and what it means to those who count and to those who need the value. */

/** `failed-since`: the last run failed, and what an earlier one made stands until it is replaced. */
export type PartitionStatus = 'materialized' | 'failed' | 'failed-since' | 'missing';

/** Whether there is a materialization on record that others may use. */
export function isThere(status: PartitionStatus): boolean {
  return status === 'materialized' || status === 'failed-since';
}

/** A status in the words that people count in. */
export function countedAs(status: PartitionStatus): 'materialized' | 'failed' | 'missing' {
  return status === 'failed-since' ? 'failed' : status;
}

/** The status after a run. */
export function statusAfter(before: PartitionStatus, outcome: 'SUCCESS' | 'FAILURE'): PartitionStatus {
  if (outcome === 'SUCCESS') return 'materialized';
  return isThere(before) ? 'failed-since' : 'failed';
}
