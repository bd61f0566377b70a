/** Those that wait for one answer go on a few at a time: what they do may block the event loop, and the database is to be heard in between. */

/** So much may be done before the event loop turns. */
const MAY_TAKE_MS = 5;

const MOST_AT_A_TIME = 64;

/** What others wait for while this process has it. */
export interface Held {
  readonly isHeld: boolean;
  /** Calls back, once, when it is not held any more. */
  readonly whenFree: (callback: () => void) => void;
}

const NOTHING_HELD: Held = { isHeld: false, whenFree: (callback) => callback() };

export class Turns {
  readonly #held: Held;
  #waiting: (() => void)[] = [];
  #atATime = 1;
  /** Those that went on in the last turn, and when. */
  #gone = 0;
  #since = 0;
  #isGoing = false;
  /** They wait for what is held. */
  #isHalted = false;

  /** @param held what is soon over where nothing keeps the event loop: those that take long go on behind it */
  constructor(held = NOTHING_HELD) {
    this.#held = held;
  }

  /** How many have not had their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Calls back when the event loop has turned; while they wait for what is held, when they go on. */
  afterTurn(callback: () => void): void {
    if (this.#isHalted) this.#held.whenFree(() => setImmediate(callback));
    else setImmediate(callback);
  }

  /** Calls them in their order, behind those that were to go before. */
  go(callbacks: readonly (() => void)[]): void {
    this.#waiting.push(...callbacks);
    if (this.#isGoing || this.#waiting.length === 0) return;
    this.#isGoing = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const now = performance.now();
    // They have done all by now that they do at once.
    if (this.#gone > 0) this.#atATime = this.#fitting(now - this.#since);
    if (this.#held.isHeld && this.#isLong(now - this.#since) && this.#waiting.length > 0) {
      this.#gone = 0;
      this.#isHalted = true;
      this.#held.whenFree(() => {
        this.#isHalted = false;
        setImmediate(this.#turn);
      });
      return;
    }
    const next = this.#waiting.splice(0, this.#atATime);
    this.#gone = next.length;
    this.#since = now;
    this.#isGoing = next.length > 0;
    for (const callback of next) callback();
    if (this.#isGoing) setImmediate(this.#turn);
  };

  #isLong(tookMs: number): boolean {
    return this.#gone > 0 && tookMs > this.#gone * MAY_TAKE_MS;
  }

  /** How many may go on in the next turn, since those before took so long. */
  #fitting(tookMs: number): number {
    const fit = (this.#gone * MAY_TAKE_MS) / tookMs;
    return Math.max(1, Math.floor(Math.min(MOST_AT_A_TIME, this.#atATime * 2, fit)));
  }
}
