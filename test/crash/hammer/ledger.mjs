/** What was asked for and what was acknowledged: far simpler than the program, and never wrong about a word that was given. */

let moment = 0;

/** The keys of a set of which each is changed by one command at a time. */
export class KeyLedger {
  #keys = new Map();

  #of(key) {
    let entry = this.#keys.get(key);
    if (entry === undefined) this.#keys.set(key, (entry = { there: false, changes: 0, busy: 0, life: null }));
    return entry;
  }

  isBusy(key) {
    return this.#of(key).busy > 0;
  }

  /** `true`, `false`, or `null`: whoever was to change it was killed. */
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

  /** A command that changes these keys begins; the answer is to be called with what became of each. */
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
    return new Map(
      [...this.#keys]
        .filter(([, { there, busy }]) => there !== null && busy === 0)
        .map(([key, { there, changes }]) => [key, { there, changes }]),
    );
  }

  /** What somebody saw otherwise. */
  wrong(expected, keys) {
    const present = new Set(keys);
    const problems = [...expected]
      .filter(([key, { there, changes }]) => this.#of(key).changes === changes && present.has(key) !== there)
      .map(([key, { there }]) => (there ? `${key} is not there` : `${key} is there`));
    for (const key of keys) if (!this.#keys.has(key)) problems.push(`${key} was never asked for`);
    if (present.size !== keys.length) problems.push('a key is there twice');
    return problems;
  }

  /** Keys stand in the order of adding: none before one whose adding had been acknowledged when its own began. */
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
  #may = [[]];
  #next = null;
  #changes = 0;

  get may() {
    return this.#may;
  }

  get changes() {
    return this.#changes;
  }

  begin(list) {
    this.#next = list;
    this.#changes++;
  }

  /** It was done, or perhaps done. */
  end(done) {
    this.#may = done ? [this.#next] : [...this.#may, this.#next];
    this.#next = null;
    this.#changes++;
  }

  /** Only while nobody changes it: what was seen is what it is. */
  isSeen(list) {
    if (this.#next === null) this.#may = [list];
  }

  allows(list) {
    return [...this.#may, ...(this.#next === null ? [] : [this.#next])].some((one) => same(one, list));
  }
}

/** Whether two lists hold the same, in any order. */
export function same(one, other) {
  return sorted(one) === sorted(other);
}

function sorted(list) {
  return JSON.stringify([...list].sort((a, b) => (a < b ? -1 : 1)));
}

/** A cursor `opN:M` that an operator sets to `opN:0`, each time with a higher N, and each tick counts up. It never goes back. */
export class CursorLedger {
  #last = [0, 0];
  /** From which value an acknowledged tick went on. */
  #left = new Map();
  operation = 0;

  get last() {
    return this.#last;
  }

  /** A value that was acknowledged: whoever looks later sees this one or a later one. */
  acknowledged(text) {
    const value = parse(text);
    if (isLess(this.#last, value)) this.#last = value;
  }

  isOlder(text, than) {
    return isLess(parse(text), than);
  }

  /** Two ticks that were both acknowledged cannot have gone on from one and the same value. */
  stepped(before, after) {
    const problems = [];
    const [operation, number] = parse(before);
    if (after !== `op${operation}:${number + 1}`) problems.push(`the tick went from ${before} to ${after}`);
    if (this.#left.has(before)) problems.push(`two ticks went on from cursor ${before}`);
    this.#left.set(before, after);
    return problems;
  }
}

function parse(text) {
  const [, operation, number] = /^op(\d+):(\d+)$/.exec(text ?? 'op0:0') ?? [null, NaN, NaN];
  return [Number(operation), Number(number)];
}

function isLess([a, b], [c, d]) {
  return a < c || (a === c && b < d);
}

/** The ends of runs that commands gave word of, and who wanted which of them canceled. */
export class RunLedger {
  #ends = new Map();
  /** Runs that somebody wanted to cancel. */
  cancelAsked = new Set();
  /** How often somebody wanted a key to be removed, by `set key`. */
  removals = new Map();
  /** Removals that were acknowledged, and between which times. */
  removed = [];

  get ends() {
    return this.#ends;
  }

  note(runs, by) {
    for (const { id, status, partitionKey, finishedAt } of runs) {
      if (!['SUCCESS', 'FAILURE', 'CANCELED'].includes(status)) continue;
      const known = this.#ends.get(id) ?? [];
      known.push({ status, by, partitionKey, finishedAt });
      this.#ends.set(id, known);
    }
  }

  /** Some of those that were given word of last. */
  recent(count) {
    return [...this.#ends.keys()].slice(-count);
  }

  /** Somebody begins to remove keys; the answer is to be called with those that were removed. */
  removing(set, keys) {
    const began = new Date().toISOString();
    for (const key of keys) this.removals.set(`${set} ${key}`, (this.removals.get(`${set} ${key}`) ?? 0) + 1);
    return (removed) => {
      const ended = new Date().toISOString();
      for (const key of removed) this.removed.push({ set, key, began, ended });
    };
  }
}
