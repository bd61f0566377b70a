/** A clock that the test holds: it moves when somebody sleeps, and chance is a fixed sequence. */
import type { Clock } from '../../src/model/time.ts';

export class FakeClock implements Clock {
  /** Milliseconds since 1970. */
  time: number;
  readonly slept: number[] = [];
  #seed: number;

  constructor(time = Date.UTC(2026, 0, 1), seed = 1) {
    this.time = time;
    this.#seed = seed;
  }

  now(): number {
    return this.time;
  }

  /** A small generator (mulberry32), so that a failing test fails again. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Time passes at once; a short real pause lets other work go on. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    this.slept.push(ms);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!signal?.aborted && Number.isFinite(ms)) this.time += ms;
  }
}
