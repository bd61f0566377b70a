/**
 * The time of a test: it stands still until the test moves it, or until nothing is left to do but to wait for it.
 *
 * What a run waits for (the delay before a retry) passes at once when every run that is under way waits: then the clock is
 * where it would be after that wait.
 */
import type { Millis } from '../model/time.ts';
import { Chance } from './chance.ts';

interface Sleeper {
  readonly until: Millis;
  readonly wake: () => void;
}

export class HeldClock {
  #time: Millis;
  readonly #chance: Chance;
  #underWay = new Set<object>();
  readonly #sleepers = new Set<Sleeper>();

  constructor(time: Millis, chance = new Chance()) {
    this.#time = time;
    this.#chance = chance;
  }

  now(): Millis {
    return this.#time;
  }

  random(): number {
    return this.#chance.next();
  }

  /** Moves on; who sleeps no longer than that is woken. */
  advance(ms: number): void {
    this.#time += ms;
    for (const sleeper of this.#sleepers) if (sleeper.until <= this.#time) sleeper.wake();
  }

  /** Something is under way, which may sleep. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay;
    const one = {};
    underWay.add(one);
    try {
      return await work();
    } finally {
      underWay.delete(one);
      this.#passIfAllSleep();
    }
  }

  /** What is under way, and who sleeps, will not go on. */
  forget(): void {
    this.#underWay = new Set();
    this.#sleepers.clear();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        until: this.#time + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake);
      this.#passIfAllSleep();
    });
  }

  #passIfAllSleep(): void {
    // Somebody may be about to begin.
    setImmediate(() => {
      if (this.#sleepers.size === 0 || this.#sleepers.size < this.#underWay.size) return;
      const first = Math.min(...[...this.#sleepers].map(({ until }) => until));
      this.advance(Math.max(0, first - this.#time));
    });
  }

  /** Another one that goes on from here, with the same chance. */
  copy(): HeldClock {
    return new HeldClock(this.#time, this.#chance.copy());
  }
}
