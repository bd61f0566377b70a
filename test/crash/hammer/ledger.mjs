/** What was asked for and what was acknowledged: far simpler than the program, and never wrong about a word that was given. */

/**
 * What is known of a key; `there` is `null` when whoever was to change it was killed.
 * @typedef {object} KeyEntry
 * @property {boolean | null} there
 * @property {number} changes
 * @property {number} busy how many commands are changing it
 * @property {{ began: number, ended: number } | null} life when it was added
 *
 * @typedef {(there: (key: string) => boolean | null) => void} Settle
 *
 * @typedef {readonly [operation: number, number: number]} Cursor
 *
 * A run, as commands print it.
 * @typedef {object} SaidRun
 * @property {string | null} id
 * @property {RunRecord['status'] | null} status
 * @property {string | null} partitionKey
 * @property {string | null} [finishedAt]
 *
 * @typedef {{ status: string, by: string, partitionKey: string | null, finishedAt: string | null | undefined }} SaidEnd
 *
 * What all parts of the hammer share.
 * @typedef {object} Field
 * @property {string} base the folder of everything
 * @property {string} project
 * @property {Place} place of the state
 * @property {string} prefix of the lists that its pipeline reads
 * @property {string} logFile of its pipeline
 * @property {string} binary
 * @property {string} pointFile
 * @property {boolean} over
 * @property {number} until from then on nobody begins anything, and sleepers are woken
 * @property {number} files so many were made
 * @property {Map<number, Victim>} victims by pid
 * @property {{ feed: string[], pairs: string[] }} lists
 * @property {CarriedLedger} carried
 * @property {Field} [other] that of the other pipeline in the folder
 * @property {KeyLedger} items
 * @property {ListLedger} mirror
 * @property {CursorLedger} cursor
 * @property {RunLedger} runs
 * @property {Map<string, boolean | null>} keptOut
 * @property {number} keptOutChanges
 * @property {{ status: string | null, changes: number }} stopped
 * @property {string[]} seenFound
 * @property {Notes} notes
 * @property {(line: string) => void} mark
 * @property {(name: string, by?: number) => void} count
 * @property {(how: 'kill' | 'stop', phase: Phase, way: string) => void} struck
 * @property {(problem: { what: readonly string[], args?: readonly string[], output?: unknown }) => void} problem
 *
 * @import { RunRecord } from '../../../src/model/run.ts'
 * @import { CarriedLedger } from './carried.mjs'
 * @import { Notes, Phase, Place } from './phases.mjs'
 * @import { Victim } from './victim.mjs'
 */

let moment = 0;

/** The keys of a set of which each is changed by one command at a time. */
export class KeyLedger {
  /** @type {Map<string, KeyEntry>} */
  #keys = new Map();

  /**
   * @param {string} key
   * @returns {KeyEntry}
   */
  #of(key) {
    let entry = this.#keys.get(key);
    if (entry === undefined) this.#keys.set(key, (entry = { there: false, changes: 0, busy: 0, life: null }));
    return entry;
  }

  /** @param {string} key */
  isBusy(key) {
    return this.#of(key).busy > 0;
  }

  /**
   * `true`, `false`, or `null`: whoever was to change it was killed.
   * @param {string} key
   */
  isThere(key) {
    return this.#of(key).there;
  }

  /** All that were ever asked for. */
  get known() {
    return new Set(this.#keys.keys());
  }

  get there() {
    return [...this.#keys]
      .filter(([, entry]) => entry.there === true && entry.busy === 0)
      .map(([key]) => key);
  }

  /**
   * A command that changes these keys begins; the answer is to be called with what became of each.
   * @param {readonly string[]} keys
   * @returns {Settle}
   */
  change(keys) {
    const began = ++moment;
    for (const key of keys) {
      const entry = this.#of(key);
      entry.busy++;
      entry.changes++;
    }
    return (there) => {
      const ended = ++moment;
      for (const key of keys) {
        const entry = this.#of(key);
        entry.busy--;
        entry.changes++;
        const is = there(key);
        if (is !== entry.there) entry.life = is === true && entry.there === false ? { began, ended } : null;
        entry.there = is;
      }
    };
  }

  /** What must be seen by whoever begins to look now. */
  expected() {
    /** @type {Map<string, { there: boolean, changes: number }>} */
    const expected = new Map();
    for (const [key, { there, busy, changes }] of this.#keys)
      if (there !== null && busy === 0) expected.set(key, { there, changes });
    return expected;
  }

  /**
   * What somebody saw otherwise.
   * @param {ReadonlyMap<string, { readonly there: boolean, readonly changes: number }>} expected
   * @param {readonly string[]} keys
   */
  wrong(expected, keys) {
    const present = new Set(keys);
    const problems = [...expected]
      .filter(([key, { there, changes }]) => this.#of(key).changes === changes && present.has(key) !== there)
      .map(([key, { there }]) => (there ? `${key} is not there` : `${key} is there`));
    for (const key of keys) if (!this.#keys.has(key)) problems.push(`${key} was never asked for`);
    if (present.size !== keys.length) problems.push('a key is there twice');
    return problems;
  }

  /**
   * Keys stand in the order of adding: none before one whose adding had been acknowledged when its own began.
   * @param {readonly string[]} keys
   */
  outOfOrder(keys) {
    let latest = 0;
    return keys.filter((key) => {
      const { life } = this.#of(key);
      if (life === null) return false;
      const late = life.ended < latest;
      latest = Math.max(latest, life.began);
      return late;
    });
  }
}

/** A set that is made equal to a list by one command at a time: it is one of few lists, whole. */
export class ListLedger {
  /** @type {readonly (readonly string[])[]} */
  #may = [[]];
  /** @type {readonly string[] | null} */
  #next = null;
  #changes = 0;

  get may() {
    return this.#may;
  }

  get changes() {
    return this.#changes;
  }

  /** @param {readonly string[]} list */
  begin(list) {
    this.#next = list;
    this.#changes++;
  }

  /**
   * It was done, or perhaps done.
   * @param {boolean} done
   */
  end(done) {
    const next = this.#next ?? [];
    this.#may = done ? [next] : [...this.#may, next];
    this.#next = null;
    this.#changes++;
  }

  /**
   * Only while nobody changes it: what was seen is what it is.
   * @param {readonly string[]} list
   */
  isSeen(list) {
    if (this.#next === null) this.#may = [list];
  }

  /** @param {readonly string[]} list */
  allows(list) {
    return [...this.#may, ...(this.#next === null ? [] : [this.#next])].some((one) => same(one, list));
  }
}

/**
 * Whether two lists hold the same, in any order.
 * @param {Iterable<string>} one
 * @param {Iterable<string>} other
 */
export function same(one, other) {
  return sorted(one) === sorted(other);
}

/** @param {Iterable<string>} list */
function sorted(list) {
  return JSON.stringify([...list].sort((a, b) => (a < b ? -1 : 1)));
}

/** A cursor `opN:M` that an operator sets to `opN:0`, each time with a higher N, and each tick counts up. It never goes back. */
export class CursorLedger {
  /** @type {Cursor} */
  #last = [0, 0];
  /**
   * From which value an acknowledged tick went on.
   * @type {Map<string | null, string | null>}
   */
  #left = new Map();
  operation = 0;

  get last() {
    return this.#last;
  }

  /**
   * A value that was acknowledged: whoever looks later sees this one or a later one.
   * @param {string | null} text
   */
  acknowledged(text) {
    const value = parse(text);
    if (isLess(this.#last, value)) this.#last = value;
  }

  /**
   * @param {string | null | undefined} text
   * @param {Cursor} than
   */
  isOlder(text, than) {
    return isLess(parse(text), than);
  }

  /**
   * Two ticks that were both acknowledged cannot have gone on from one and the same value.
   * @param {string | null} before
   * @param {string | null} after
   */
  stepped(before, after) {
    const problems = [];
    const [operation, number] = parse(before);
    if (after !== `op${operation}:${number + 1}`) problems.push(`the tick went from ${before} to ${after}`);
    if (this.#left.has(before)) problems.push(`two ticks went on from cursor ${before}`);
    this.#left.set(before, after);
    return problems;
  }
}

/**
 * @param {string | null | undefined} text
 * @returns {Cursor}
 */
function parse(text) {
  const [, operation, number] = /^op(\d+):(\d+)$/.exec(text ?? 'op0:0') ?? [null, NaN, NaN];
  return [Number(operation), Number(number)];
}

/**
 * @param {Cursor} one
 * @param {Cursor} other
 */
function isLess([a, b], [c, d]) {
  return a < c || (a === c && b < d);
}

/** The ends of runs that commands gave word of, and who wanted which of them canceled. */
export class RunLedger {
  /** @type {Map<string, SaidEnd[]>} */
  #ends = new Map();
  /**
   * Runs that somebody wanted to cancel.
   * @type {Set<string>}
   */
  cancelAsked = new Set();
  /**
   * How often somebody wanted a key to be removed, by `set key`.
   * @type {Map<string, number>}
   */
  removals = new Map();
  /**
   * Removals that were acknowledged, and between which times.
   * @type {{ set: string, key: string, began: string, ended: string }[]}
   */
  removed = [];

  get ends() {
    return this.#ends;
  }

  /**
   * @param {readonly SaidRun[]} runs
   * @param {string} by
   */
  note(runs, by) {
    for (const { id, status, partitionKey, finishedAt } of runs) {
      if (id === null || status === null || !['SUCCESS', 'FAILURE', 'CANCELED'].includes(status)) continue;
      const known = this.#ends.get(id) ?? [];
      known.push({ status, by, partitionKey, finishedAt });
      this.#ends.set(id, known);
    }
  }

  /**
   * Some of those that were given word of last.
   * @param {number} count
   */
  recent(count) {
    return [...this.#ends.keys()].slice(-count);
  }

  /**
   * Somebody begins to remove keys; the answer is to be called with those that were removed.
   * @param {string} set
   * @param {readonly string[]} keys
   */
  removing(set, keys) {
    const began = new Date().toISOString();
    for (const key of keys) this.removals.set(`${set} ${key}`, (this.removals.get(`${set} ${key}`) ?? 0) + 1);
    return (/** @type {readonly string[]} */ removed) => {
      const ended = new Date().toISOString();
      for (const key of removed) this.removed.push({ set, key, began, ended });
    };
  }
}
