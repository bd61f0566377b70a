/** What the keys of a set carry, as columns beside the keys: as long as they have to be, and not there when nothing is carried. */
import type { Carried } from '../../model/carried.ts';
import { positionsOf } from './key-positions.ts';
import type { SetEntry } from './state-document.ts';
import { versionReader } from './version-lines.ts';

export type CarriedColumns = Pick<SetEntry, 'versions' | 'items'>;

function carriesNothing({ versions, items }: CarriedColumns): boolean {
  return versions === undefined && items === undefined;
}

/** What stands at a position. Positions are best asked for in ascending order, as of `versionReader`. */
export function carriedReader({ versions, items }: CarriedColumns): (position: number) => Carried {
  const versionAt = versions === undefined ? () => null : versionReader(versions);
  return (position) => ({ version: versionAt(position), item: items?.[position] ?? null });
}

/** Of those keys that are there. */
export function carriedOf(set: SetEntry, keys: Iterable<string>): Map<string, Carried> {
  const carriedAt = carriedReader(set);
  const places = [...positionsOf(set.keys, keys)];
  // Found in an index, they come in the order in which they were asked for.
  if (set.versions !== undefined) places.sort(([, a], [, b]) => a - b);
  return new Map(places.map(([key, position]) => [key, carriedAt(position)]));
}

/** Of those keys that carry something. */
export function carryingOf(set: SetEntry, keys: Iterable<string>): Map<string, Carried> {
  if (carriesNothing(set)) return new Map();
  const found = carriedOf(set, keys);
  for (const [key, { version, item }] of found) if (version === null && item === null) found.delete(key);
  return found;
}
