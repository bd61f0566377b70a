/** Those that wait for one answer go on a few at a time: what they do may block the event loop, and the database is to be heard in between. */

/** So much may be done before the event loop turns. */
const MAY_TAKE_MS = 5;

const MOST_AT_A_TIME = 64;

export class Turns {
  #last: Promise<void> = Promise.resolve();
  #atATime = 1;
  #left = 0;
  #since = 0;

  /** @returns when it is the caller's turn */
  next(): Promise<void> {
    return (this.#last = this.#last.then(() => this.#turn()));
  }

  async #turn(): Promise<void> {
    if (this.#left-- > 0) return;
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    // What went on before has done all by now that it does at once.
    const isQuick = now - this.#since < MAY_TAKE_MS;
    this.#atATime = isQuick ? Math.min(MOST_AT_A_TIME, this.#atATime * 2) : 1;
    this.#since = now;
    this.#left = this.#atATime - 1;
  }
}
