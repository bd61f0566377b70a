/** The sets as they are after each request of a sensor's result, looked up once for all keys that the result names. Pure. */
import { quoted } from '../definitions/failure-words.ts';
import type { PartitionsOutcome } from '../definitions/tick.ts';
import { isoTime, type Millis } from '../definitions/time.ts';
import type { StateChange, StateView } from '../state/state-store.ts';
import { cancelRunsOfKeys } from './cancel-runs.ts';
import { type EvaluatedResult, onlyWhere, type RequestedRuns } from './sensor-result.ts';

/** What is known of a key: not there, there from the start, or (from 2) put there by the request with this number. */
type Mark = number;
const ABSENT: Mark = 0;
const PRESENT: Mark = 1;

export class SetsAfterRequests {
  readonly changes: StateChange[] = [];
  /** Keys that were removed at some point, by set: the run keys spent on them are free again. */
  readonly removed = new Map<string, Set<string>>();
  /** Keys that this result asked for and an operator keeps out, by set. */
  readonly #refused = new Map<string, Set<string>>();
  // One map a set and nothing else: a tick may bring a hundred thousand keys, and each more map or set of them shows.
  readonly #marks = new Map<string, Map<string, Mark>>();
  readonly #keptOut = new Map<string, ReadonlySet<string>>();
  readonly #view: StateView;
  readonly #now: Millis;
  #requests = PRESENT;

  constructor(view: StateView, result: EvaluatedResult, now: Millis) {
    this.#view = view;
    this.#now = now;
    for (const { set, keys } of result.requests) {
      const marks = this.#marksOf(set);
      for (const key of keys) marks.set(key, ABSENT);
    }
    for (const { set, keys } of [...result.runs, ...result.repeated]) {
      if (set === null) continue;
      const marks = this.#marksOf(set);
      for (const key of keys) marks.set(key!, ABSENT);
    }
    for (const [set, marks] of this.#marks) {
      for (const key of view.present(set, marks.keys())) marks.set(key, PRESENT);
      this.#keptOut.set(set, view.keptOut(set, marks.keys()));
    }
  }

  apply({ type, set, keys }: EvaluatedResult['requests'][number]): PartitionsOutcome {
    return type === 'add' ? this.#add(set, keys) : this.#remove(set, keys);
  }

  /** Run requests for keys that are not there, in words. A key that is kept out was reported as skipped already. */
  missing({ runs, repeated }: EvaluatedResult): string[] {
    return [...runs, ...repeated].flatMap(({ set, keys }) => {
      if (set === null) return [];
      const refused = this.#refused.get(set);
      return keys
        .filter((key) => !this.#has(set, key!) && !refused?.has(key!))
        .map(
          (key) =>
            `key ${quoted(key!)} of a run request is not in set '${set}' after the result's own requests`,
        );
    });
  }

  /** Without the runs of keys that an operator keeps out: their add request was skipped, and so are they. */
  withoutKeptOut(runs: readonly RequestedRuns[]): readonly RequestedRuns[] {
    if (this.#refused.size === 0) return runs;
    return onlyWhere(runs, (group, key) => group.set === null || this.#has(group.set, key!));
  }

  #has(set: string, key: string): boolean {
    return (this.#marks.get(set)?.get(key) ?? ABSENT) !== ABSENT;
  }

  #marksOf(set: string): Map<string, Mark> {
    const known = this.#marks.get(set);
    if (known !== undefined) return known;
    const marks = new Map<string, Mark>();
    this.#marks.set(set, marks);
    return marks;
  }

  #add(set: string, keys: readonly string[]): PartitionsOutcome {
    const request = ++this.#requests;
    const marks = this.#marksOf(set);
    const keptOut = this.#keptOut.get(set)!;
    const added: string[] = [];
    const skipped = new Set<string>();
    for (const key of keys) {
      const mark = marks.get(key)!;
      // Named twice by this very request: it counts once.
      if (mark === request) continue;
      if (mark === ABSENT && !keptOut.has(key)) {
        added.push(key);
        marks.set(key, request);
        continue;
      }
      skipped.add(key);
      if (mark === ABSENT) this.#refused.set(set, (this.#refused.get(set) ?? new Set()).add(key));
    }
    if (added.length > 0) this.changes.push({ type: 'keys-added', set, keys: added, at: isoTime(this.#now) });
    return { set, added, removed: [], skipped: [...skipped] };
  }

  #remove(set: string, keys: readonly string[]): PartitionsOutcome {
    ++this.#requests;
    const marks = this.#marksOf(set);
    const removed: string[] = [];
    const skipped: string[] = [];
    for (const key of new Set(keys)) (marks.get(key) === ABSENT ? skipped : removed).push(key);
    for (const key of removed) marks.set(key, ABSENT);
    if (removed.length > 0) {
      const before = this.removed.get(set) ?? new Set();
      this.removed.set(set, new Set([...before, ...removed]));
      // A key that the result removes, adds and removes again had its runs canceled the first time: one end is on record.
      const first = before.size === 0 ? removed : removed.filter((key) => !before.has(key));
      this.changes.push(...cancelRunsOfKeys(this.#view, set, first, this.#now));
      this.changes.push({ type: 'keys-removed', set, keys: removed, keepOut: false });
    }
    return { set, added: [], removed, skipped };
  }
}
