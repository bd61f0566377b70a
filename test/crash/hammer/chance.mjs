/** Chance that a seed decides, so that a run of the hammer can make the same choices again. */

export class Chance {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** 0 to below 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} limit */
  below(limit) {
    return Math.floor(this.next() * limit);
  }

  /** @param {number} probability */
  is(probability) {
    return this.next() < probability;
  }

  /**
   * @template T
   * @param {readonly T[]} list
   * @returns {T}
   */
  of(list) {
    return /** @type {T} */ (list[this.below(list.length)]);
  }

  /**
   * Between two times, short ones as often as long ones: 10 to 100 ms as likely as 300 ms to 3 s.
   * @param {number} least
   * @param {number} most
   */
  time(least, most) {
    return least * (most / least) ** this.next();
  }

  /**
   * Some of a list, at least one, in its order.
   * @template T
   * @param {readonly T[]} list
   * @param {number} most
   * @returns {T[]}
   */
  some(list, most) {
    const wanted = 1 + this.below(Math.min(most, list.length));
    /** @type {Set<number>} */
    const chosen = new Set();
    while (chosen.size < wanted) chosen.add(this.below(list.length));
    return list.filter((_, at) => chosen.has(at));
  }

  /**
   * One of the names of `{name: weight}`.
   * @template {string} Name
   * @param {Readonly<Partial<Record<Name, number>>>} weights
   * @returns {Name}
   */
  weighed(weights) {
    const all = /** @type {[Name, number][]} */ (Object.entries(weights));
    let at = this.next() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of all) {
      at -= weight;
      if (at < 0) return name;
    }
    return /** @type {[Name, number]} */ (all.at(-1))[0];
  }
}
