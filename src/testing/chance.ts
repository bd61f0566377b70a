/** Chance that repeats itself: a test that fails fails again. A small generator (mulberry32). */
export class Chance {
  #seed: number;

  constructor(seed = 1) {
    this.#seed = seed;
  }

  /** From 0 to less than 1. */
  next(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Another one that goes on from here. */
  copy(): Chance {
    return new Chance(this.#seed);
  }
}
