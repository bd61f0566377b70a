/** A clock that the test holds: it moves when somebody sleeps, and chance is a fixed sequence. */
import type { Clock } from '../../src/model/time.ts';
import { Chance } from '../../src/testing/chance.ts';

export class FakeClock implements Clock {
  /** Milliseconds since 1970. */
  time: number;
  readonly slept: number[] = [];
  readonly #chance: Chance;

  constructor(time = Date.UTC(2026, 0, 1), seed = 1) {
    this.time = time;
    this.#chance = new Chance(seed);
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return this.#chance.next();
  }

  /** Time passes at once; a short real pause lets other work go on. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    this.slept.push(ms);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!signal?.aborted && Number.isFinite(ms)) this.time += ms;
  }
}
