/** When a key that has failed is tried again without anybody asking. Pure. */
import { isoTime, type Millis } from './time.ts';

/** What is remembered of an asset and key that failed. */
export interface NextTry {
  /** How often in a row, since the last success and with this version and code. */
  readonly failures: number;
  /** ISO 8601, UTC; `null`: a person, or a change, is waited for. */
  readonly at: string | null;
}

/** Whether its time has come. */
export function isDue(next: NextTry | null | undefined, now: Millis): boolean {
  return next?.at != null && next.at <= isoTime(now);
}

/** What an asset says of keys that failed. */
export interface TriedLater {
  /** Not there: nothing is made of it without anybody asking. */
  readonly automate?: unknown;
  /** Milliseconds from each failure to the next try. */
  readonly later?: readonly Millis[];
}

/** What asks for a time itself is heard so often in a row. */
const MOST_ASKED = 10;

/**
 * After one more failure.
 * @param askedMs what the asset itself asked for: it counts as one of its delays
 * @returns `null` where nothing has to be remembered
 */
export function nextTry(
  { automate, later }: TriedLater,
  before: NextTry | undefined,
  { failedAt, askedMs }: { readonly failedAt: Millis; readonly askedMs: Millis | undefined },
): NextTry | null {
  if (automate === undefined || (later === undefined && askedMs === undefined)) return null;
  const failures = (before?.failures ?? 0) + 1;
  const delay = askedMs ?? later?.[failures - 1];
  const isOver = failures > (later?.length ?? MOST_ASKED);
  if (later === undefined && isOver) return null;
  return { failures, at: isOver ? null : isoTime(failedAt + delay!) };
}
