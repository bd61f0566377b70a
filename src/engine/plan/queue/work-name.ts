/** An asset and a partition key as one name: what one process at a time works on. Pure. */

/** The asset with any key. */
export function anyWorkName(asset: string): string {
  return asset;
}

export function workName(asset: string, partitionKey: string | null): string {
  return `${asset}\0${partitionKey ?? ''}`;
}
