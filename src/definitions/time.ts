/** Time is a value: one clock reading is taken at the edge and passed down. */

/** Milliseconds since 1970, UTC. */
export type Millis = number;

/** ISO 8601 in UTC, to the millisecond. */
export function isoTime(at: Millis): string {
  return new Date(at).toISOString();
}

/** What the engine needs from outside: a clock, chance, waiting. Tests hold their own. */
export interface Clock {
  now(): Millis;
  /** Milliseconds on the machine's clock that nobody sets, from any beginning. Without one `now` is such a clock. */
  steady?(): Millis;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** For how long something takes or waits: `now` may be set forward and back meanwhile. */
export function steadyTime(clock: Pick<Clock, 'now' | 'steady'>): Millis {
  return clock.steady?.() ?? clock.now();
}

/** An id that sorts by time and is not met twice: milliseconds, then chance, in base 36. */
export function newId(clock: Clock): string {
  const time = clock.now().toString(36).padStart(9, '0');
  const chance = Math.floor(clock.random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
  return `${time}${chance}`;
}
