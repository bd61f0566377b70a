/** What happens in a history by turns of the event loop, until nothing happens any more. */
import { ManualClock } from './manual-clock.ts';

/** So many turns of the event loop without anything happening are rest. */
const QUIET_TURNS = 4;

export class HistoryTurns {
  #lock: Promise<unknown> = Promise.resolve();
  #locks = 0;
  #stirs = 0;
  #problem: { readonly error: unknown } | null = null;

  stir(): void {
    this.#stirs++;
  }

  /** The next turn of the event loop. */
  async turn(): Promise<void> {
    this.stir();
    await new Promise((resolve) => setImmediate(resolve));
    this.stir();
  }

  /** A rule that does not hold must not be lost in code that takes it for a failure of its own. */
  watching(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#problem ??= { error };
      throw error;
    }
  }

  async watch(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => void (this.#problem ??= { error }));
  }

  /** Until nothing happens any more without time passing. */
  async settle(): Promise<void> {
    for (let quiet = 0, before = -1; quiet < QUIET_TURNS; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#stirs !== before || this.#locks > 0) quiet = 0;
      before = this.#stirs;
    }
    if (this.#problem !== null) throw this.#problem.error;
  }

  /** A call of a store while no other one is on its way: a database answers after many turns of the event loop. */
  async alone<T>(call: () => Promise<T>): Promise<T> {
    this.#locks++;
    const turn = this.#lock;
    let unlock!: () => void;
    this.#lock = new Promise<void>((resolve) => (unlock = resolve));
    await turn;
    try {
      return await call();
    } finally {
      this.#locks--;
      this.stir();
      unlock();
    }
  }
}

/** A clock whose sleepers are let to finish what they wake up for before the next one wakes. */
export class SettlingClock extends ManualClock {
  readonly #settle: () => Promise<void>;

  constructor(settle: () => Promise<void>) {
    super();
    this.#settle = settle;
  }

  override settle(): Promise<void> {
    return this.#settle();
  }
}
