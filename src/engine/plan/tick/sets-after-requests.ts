/** The sets as they are after each request of a sensor's result, looked up once for all keys that the result names. Pure. */
import { type Carried, isChanged, NOTHING_CARRIED } from '../../../model/carried.ts';
import { quoted } from '../../../model/text.ts';
import type { PartitionsOutcome } from '../../../model/tick.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { StateView } from '../../../state/state-view.ts';
import { cancelRunsOfKeys } from '../ends/cancel-runs.ts';
import { distinct } from '../keys/distinct.ts';
import { onlyWhere, type RequestedRuns } from '../sensor-result/runs-in-columns.ts';
import type { EvaluatedResult } from '../sensor-result/result-fields.ts';

/** What became of a key: removed by a request, there from the start, or (from 2) put there by the request with this number. */
type Mark = number;
const ABSENT: Mark = 0;
const PRESENT: Mark = 1;

interface SetBefore {
  /** Those of the result's keys that are in the set. */
  readonly present: ReadonlySet<string>;
  readonly keptOut: ReadonlySet<string>;
  /** Keys that a request touched. */
  readonly marks: Marks;
}

/** A tick may bring a hundred thousand new keys, and mostly nobody asks what became of a single one: then no map of them is made. */
class Marks {
  readonly #byKey = new Map<string, Mark>();
  #all: readonly string[] = [];
  #mark: Mark = ABSENT;

  get size(): number {
    return this.#byKey.size + this.#all.length;
  }

  get(key: string): Mark | undefined {
    return this.#made().get(key);
  }

  set(key: string, mark: Mark): void {
    this.#made().set(key, mark);
  }

  /** The first keys that are marked. */
  setAll(keys: readonly string[], mark: Mark): void {
    this.#all = keys;
    this.#mark = mark;
  }

  #made(): Map<string, Mark> {
    for (const key of this.#all) this.#byKey.set(key, this.#mark);
    this.#all = [];
    return this.#byKey;
  }
}

export class SetsAfterRequests {
  readonly changes: StateChange[] = [];
  /** Keys that were removed at some point, by set: the run keys spent on them are free again. */
  readonly removed = new Map<string, Set<string>>();
  /** Keys that this result asked for and an operator keeps out, by set. */
  readonly #refused = new Map<string, Set<string>>();
  readonly #sets = new Map<string, SetBefore>();
  /** What keys carry by what this result has asked so far, by set. */
  readonly #carried = new Map<string, Map<string, Carried>>();
  readonly #view: StateView;
  readonly #removal: { readonly by: string; readonly now: Millis };
  #requests = PRESENT;

  constructor(view: StateView, result: EvaluatedResult, sensor: string, now: Millis) {
    this.#view = view;
    this.#removal = { by: `sensor ${quoted(sensor)}`, now };
    const named = new Map<string, (readonly (string | null)[])[]>();
    for (const { set, keys } of [...result.requests, ...result.runs]) {
      if (set !== null) named.set(set, [...(named.get(set) ?? []), keys]);
    }
    for (const [set, lists] of named) {
      const present = view.present(set, keysIn(lists));
      const keptOut = view.keptOut(set, keysIn(lists));
      this.#sets.set(set, { present, keptOut, marks: new Marks() });
    }
  }

  apply(request: EvaluatedResult['requests'][number]): PartitionsOutcome {
    return request.type === 'add' ? this.#add(request) : this.#remove(request.set, request.keys);
  }

  /** Run requests for keys that are not there, in words. A key that is kept out was reported as skipped already. */
  missing({ runs }: EvaluatedResult): string[] {
    return runs.flatMap((group) => {
      const { set, keys } = group;
      if (set === null || this.areAsAdded(group)) return [];
      const refused = this.#refused.get(set);
      return keys
        .filter((key) => !this.#has(set, key!) && !refused?.has(key!))
        .map(
          (key) =>
            `key ${quoted(key!)} of a run request is not in set '${set}' after the result's own requests`,
        );
    });
  }

  /**
   * Whether runs are requested for exactly the first keys that a request added, in its order: then each of them is there,
   * and none stands there twice. So it is with nearly every sensor, and nothing has to be looked up key by key.
   */
  areAsAdded({ set, keys }: RequestedRuns): boolean {
    if (set === null || this.removed.has(set)) return false;
    const added = this.changes.find((change) => change.type === 'keys-added' && change.set === set);
    return (
      added?.type === 'keys-added' &&
      keys.length <= added.keys.length &&
      keys.every((key, at) => key === added.keys[at])
    );
  }

  /** Without the runs of keys that an operator keeps out: their add request was skipped, and so are they. */
  withoutKeptOut(runs: readonly RequestedRuns[]): readonly RequestedRuns[] {
    if (this.#refused.size === 0) return runs;
    return onlyWhere(runs, ({ set, keys }, at) => set === null || this.#has(set, keys[at]!));
  }

  #has(set: string, key: string): boolean {
    const { marks, present } = this.#sets.get(set)!;
    return markOf(key, marks, present) !== ABSENT;
  }

  #add({ set, keys, carried }: EvaluatedResult['requests'][number]): PartitionsOutcome {
    const request = ++this.#requests;
    const { marks, present, keptOut } = this.#sets.get(set)!;
    let added: readonly string[];
    const skipped = new Set<string>();
    const known = new Set<string>();
    if (marks.size + present.size + keptOut.size === 0) {
      // All of them are new, and one that is named twice counts once.
      added = carried === undefined ? distinct(keys) : keys;
      marks.setAll(added, request);
    } else {
      const fresh: string[] = [];
      for (const key of keys) {
        const mark = markOf(key, marks, present);
        // Named twice by this very request.
        if (mark === request) continue;
        if (mark === ABSENT && !keptOut.has(key)) {
          fresh.push(key);
          marks.set(key, request);
          continue;
        }
        (mark === ABSENT ? skipped : known).add(key);
        if (mark === ABSENT) this.#refused.set(set, (this.#refused.get(set) ?? new Set()).add(key));
      }
      added = fresh;
    }
    const asked = new Map(carried?.map((one, at) => [keys[at]!, one]));
    if (added.length > 0) this.#addAll(set, added, asked);
    const updated = this.#update(set, known, asked);
    for (const key of known) if (!updated.has(key)) skipped.add(key);
    return { set, added, updated: [...updated], removed: [], skipped: [...skipped] };
  }

  #addAll(set: string, keys: readonly string[], asked: ReadonlyMap<string, Carried>): void {
    const at = isoTime(this.#removal.now);
    if (asked.size === 0) return void this.changes.push({ type: 'keys-added', set, keys, at });
    const carried = keys.map((key) => asked.get(key) ?? NOTHING_CARRIED);
    this.changes.push({ type: 'keys-added', set, keys, at, carried });
    this.#remember(set, keys, carried);
  }

  /** @returns those of the keys that have another version now */
  #update(set: string, keys: ReadonlySet<string>, asked: ReadonlyMap<string, Carried>): ReadonlySet<string> {
    const versioned = [...keys].filter((key) => (asked.get(key)?.version ?? null) !== null);
    if (versioned.length === 0) return new Set();
    const inState = this.#view.carried(set, versioned);
    const soFar = this.#carried.get(set);
    const updated = versioned.filter((key) =>
      isChanged(soFar?.get(key) ?? inState.get(key) ?? NOTHING_CARRIED, asked.get(key)!),
    );
    if (updated.length === 0) return new Set();
    const carried = updated.map((key) => asked.get(key)!);
    this.changes.push({ type: 'keys-updated', set, keys: updated, carried });
    this.#remember(set, updated, carried);
    return new Set(updated);
  }

  #remember(set: string, keys: readonly string[], carried: readonly Carried[]): void {
    const soFar = this.#carried.get(set) ?? new Map<string, Carried>();
    this.#carried.set(set, soFar);
    keys.forEach((key, at) => soFar.set(key, carried[at]!));
  }

  #remove(set: string, keys: readonly string[]): PartitionsOutcome {
    ++this.#requests;
    const { marks, present } = this.#sets.get(set)!;
    const removed: string[] = [];
    const skipped: string[] = [];
    for (const key of new Set(keys)) (markOf(key, marks, present) === ABSENT ? skipped : removed).push(key);
    for (const key of removed) marks.set(key, ABSENT);
    // Added again, a key is a new one.
    if (removed.length > 0)
      this.#remember(
        set,
        removed,
        removed.map(() => NOTHING_CARRIED),
      );
    if (removed.length > 0) {
      const before = this.removed.get(set) ?? new Set();
      this.removed.set(set, new Set([...before, ...removed]));
      // A key that the result removes, adds and removes again had its runs canceled the first time: one end is on record.
      const first = before.size === 0 ? removed : removed.filter((key) => !before.has(key));
      this.changes.push(...cancelRunsOfKeys(this.#view, set, first, this.#removal));
      this.changes.push({ type: 'keys-removed', set, keys: removed, keepOut: false });
    }
    return { set, added: [], updated: [], removed, skipped };
  }
}

/** Not as one list: most of the time nobody looks at any of them. */
function* keysIn(lists: readonly (readonly (string | null)[])[]): Generator<string> {
  // Requests for a set have keys.
  for (const keys of lists) yield* keys as readonly string[];
}

function markOf(key: string, marks: Marks, present: ReadonlySet<string>): Mark {
  return marks.get(key) ?? (present.has(key) ? PRESENT : ABSENT);
}
