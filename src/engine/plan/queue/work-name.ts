/** An asset and a partition key as one name: what one process at a time works on. Pure. */

export function workName(asset: string, partitionKey: string | null): string {
  return `${asset}\0${partitionKey ?? ''}`;
}
