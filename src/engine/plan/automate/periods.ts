/** Assets that are made at most once in each period: which of them rest until the next one. Pure. */
import { isoTime, type Millis } from '../../../model/time.ts';

/** The period that a moment lies in. */
export interface Period {
  readonly start: Millis;
  /** When the next one begins. */
  readonly next: Millis;
}

/** The present period of each asset that has some, by name. */
export type Periods = ReadonlyMap<string, Period>;

/** Those that were requested in this period. @param requested when the period began for which each was requested last */
export function restingIn(
  periods: Periods,
  requested: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const resting = new Set<string>();
  for (const [asset, { start, next }] of periods) {
    const last = Object.hasOwn(requested, asset) ? requested[asset]! : null;
    // One in the future: the clock was set back, and nobody knows for how long.
    if (last !== null && last >= isoTime(start) && last <= isoTime(next)) resting.add(asset);
  }
  return resting;
}

/** When the next of the periods begins. */
export function nextOf(periods: Periods): string | null {
  const next = Math.min(...Array.from(periods.values(), (period) => period.next));
  return next === Infinity ? null : isoTime(next);
}

/** What a commit remembers of the assets that it requests. */
export function requestedFor(
  periods: Periods,
  assets: ReadonlySet<string>,
): { readonly periods?: Readonly<Record<string, string>> } {
  const requested = [...periods].filter(([asset]) => assets.has(asset));
  if (requested.length === 0) return {};
  return { periods: Object.fromEntries(requested.map(([asset, { start }]) => [asset, isoTime(start)])) };
}

/** The earlier of two times (ISO 8601, UTC), where there are some. */
export function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
