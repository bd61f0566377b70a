/** What the keys of a set carry, as columns beside the keys: as long as they have to be, and not there when nothing is carried. */
import type { Carried } from '../../model/carried.ts';
import { positionsOf } from './key-positions.ts';
import type { SetEntry } from './state-document.ts';

export type CarriedColumns = Pick<SetEntry, 'versions' | 'items'>;

export function carriesNothing({ versions, items }: CarriedColumns): boolean {
  return versions === undefined && items === undefined;
}

export function carriedAt({ versions, items }: CarriedColumns, position: number): Carried {
  return { version: versions?.[position] ?? null, item: items?.[position] ?? null };
}

/** Of those keys that carry something. */
export function carriedOf(set: SetEntry, keys: Iterable<string>): Map<string, Carried> {
  if (carriesNothing(set)) return new Map();
  const found = new Map<string, Carried>();
  for (const [key, position] of positionsOf(set.keys, keys)) {
    const carried = carriedAt(set, position);
    if (carried.version !== null || carried.item !== null) found.set(key, carried);
  }
  return found;
}
