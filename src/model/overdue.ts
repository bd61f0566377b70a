/** Whether an asset is as fresh as it is wanted, and whether a sensor brings keys as often as it is expected to. Pure. */
import type { Freshness } from './known-pipeline.ts';
import { isoTime, type Millis } from './time.ts';

/** `warn`: older than is liked, and not overdue yet. */
export type Fresh = 'fresh' | 'warn' | 'fail';

/**
 * Counted from the last time that the asset was made, for whatever key. `null`: nobody asks, or it was never made: then its keys are
 * missing, or there are none.
 */
export function freshness(
  wanted: Freshness | undefined,
  { madeAt, now }: { readonly madeAt: string | null; readonly now: Millis },
): Fresh | null {
  if (wanted === undefined || madeAt === null) return null;
  const age = now - Date.parse(madeAt);
  if (age > (wanted.failMs ?? Infinity)) return 'fail';
  return age > (wanted.warnMs ?? Infinity) ? 'warn' : 'fresh';
}

/** Until when a sensor is to bring its next key. `null`: whenever it likes. One that is stopped is not waited for. */
export function newKeysBy(
  everyMs: number | undefined,
  { quietSince, status }: { readonly quietSince: string | null; readonly status: 'RUNNING' | 'STOPPED' },
): string | null {
  if (everyMs === undefined || quietSince === null || status === 'STOPPED') return null;
  return isoTime(Date.parse(quietSince) + everyMs);
}

export function isPast(by: string | null, now: Millis): boolean {
  return by !== null && now > Date.parse(by);
}
