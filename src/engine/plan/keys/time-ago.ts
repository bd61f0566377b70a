/** Since when a key that is older than an age must be in its set. */
import { isoTime, type Millis } from '../../../model/time.ts';

/** The first instant that a record can have: nothing is older. */
const FIRST = '0000-01-01T00:00:00.000Z';

/** So long ago, however long that is. */
export function timeAgo(now: Millis, ms: number): string {
  return now - ms > Date.parse(FIRST) ? isoTime(now - ms) : FIRST;
}
