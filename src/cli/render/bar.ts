/** A bar of what is made, in progress, failed and missing: told apart by its signs, also without colours. */
import type { StatusCounts } from '../../state/state-view.ts';
import type { Paint } from './paint.ts';

/** Each key counts in one of them. */
export interface BarCounts {
  readonly fresh: number;
  readonly stale: number;
  readonly skipped: number;
  readonly inProgress: number;
  readonly failed: number;
  readonly backlog: number;
  readonly missing: number;
}

const PARTS = [
  ['fresh', '█', 'good'],
  ['stale', '▓', 'warn'],
  ['skipped', '-', 'dim'],
  ['inProgress', '>', 'strong'],
  ['failed', '×', 'bad'],
  ['backlog', '.', 'dim'],
  ['missing', '·', 'warn'],
] as const;

/** As many places as there may be parts: in fewer, not all of them could be seen. */
export const LEAST_PLACES = PARTS.length;

/** The parts of a status, where stale is one of materialized and backlog one of missing. */
export function barCounts(counts: StatusCounts): BarCounts {
  const { materialized, stale, skipped, inProgress, failed, backlog, missing } = counts;
  return {
    fresh: materialized - stale,
    stale,
    skipped,
    inProgress,
    failed,
    backlog,
    missing: missing - backlog,
  };
}

/** How many of the places each count gets: in proportion, but one of a million is seen, and so is what is not yet whole. */
export function placesOf(counts: BarCounts, places: number): number[] {
  const all = PARTS.map(([name]) => counts[name]);
  const total = all.reduce((sum, count) => sum + count, 0);
  if (total === 0) return PARTS.map(() => 0);
  const given = all.map((count) => (count === 0 ? 0 : Math.max(1, Math.floor((count / total) * places))));
  // What is left over, or was given too much, is the largest one's.
  const largest = all.indexOf(Math.max(...all));
  given[largest]! += places - given.reduce((sum, count) => sum + count, 0);
  return given;
}

/** @param places at least {@link LEAST_PLACES} */
export function bar(counts: BarCounts, places: number, paint: Paint): string {
  return placesOf(counts, places)
    .map((count, at) => (count === 0 ? '' : paint[PARTS[at]![2]](PARTS[at]![1].repeat(count))))
    .join('');
}
