/** What random histories of a source share: chance that can be had again, and what a set has in the end, against what is there. */

/** @import { SetModel } from '../../test/support/set-model.mjs' */
/** @typedef {{ lost: number, twice: number, wrong: number }} Verdict */

/** Chance that can be had again (mulberry32). @param {number} seed */
export function chanceFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each key was added in its present life. */
export class Lives {
  /** @type {Map<string, number>} */
  added = new Map();

  /** @param {{ added: string[], removed: string[] }} tick */
  see({ added, removed }) {
    for (const key of added) this.added.set(key, (this.added.get(key) ?? 0) + 1);
    for (const key of removed) this.added.delete(key);
  }

  get twice() {
    return [...this.added.values()].filter((times) => times > 1).length;
  }
}

/** @param {SetModel} set @param {readonly { id: number, version: number }[]} there @param {Lives} lives @returns {Verdict} */
export function verdict(set, there, lives) {
  const lost = there.filter(({ id }) => !set.keys.has(String(id))).length;
  const wrong = there.filter(
    ({ id, version }) => set.keys.has(String(id)) && set.keys.get(String(id))?.version !== String(version),
  ).length;
  return { lost, twice: lives.twice, wrong };
}
