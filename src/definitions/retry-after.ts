/** What `materialize` throws when it is to be tried again, and knows when. */

/** Registered in the global symbol registry, so that every copy of the package agrees on it. */
const mark: unique symbol = Symbol.for('dynpart.retry-after') as never;

const MOST_SECONDS = 366 * 86_400;

/**
 * Thrown by `materialize`: not now, but in so many seconds, as an API's `Retry-After` says. Up to a minute is waited for within the
 * run, ten times at most. More ends the run, and the built-in sensor `automation` requests the key again then: it counts as one of
 * the delays of `retry.later`, and without these it is honoured ten times in a row. An asset without `automate` fails, and says when.
 *
 * @param seconds from 0 to a year
 * @param message what was wrong
 * @throws RangeError for any other number
 */
export class RetryAfter extends Error {
  readonly [mark]: number;

  constructor(seconds: number, message = 'it is to be tried again later') {
    super(message);
    if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= MOST_SECONDS))
      throw new RangeError(`RetryAfter takes seconds from 0 to ${MOST_SECONDS}, not ${String(seconds)}`);
    this[mark] = seconds * 1000;
  }

  /** The milliseconds that a thrown value asks for; `null` for any other value. */
  static msIn(thrown: unknown): number | null {
    if (typeof thrown !== 'object' || thrown === null) return null;
    try {
      return (thrown as Partial<RetryAfter>)[mark] ?? null;
    } catch {
      // A proxy may refuse to say.
      return null;
    }
  }
}
