/** Timers that may be as long as anybody asks: one of the system's own fires at once beyond 24.8 days. */

/** The longest delay that a timer of the system can hold, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Calls `then` after so many milliseconds, `Infinity` for never.
 * @returns what stops the timer
 */
export function startTimer(ms: number, then: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer =
      left > LONGEST_MS ? setTimeout(() => wait(left - LONGEST_MS), LONGEST_MS) : setTimeout(then, left);
  };
  wait(ms);
  return () => clearTimeout(timer);
}
