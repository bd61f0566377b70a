/** Changes a set by hand: add, remove, sync. Pure. */
import { type Carried, NOTHING_CARRIED } from '../../../model/carried.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { Plan } from '../../../state/store.ts';
import { cancelRunsOfKeys, NEEDS_OF_LEFT, needsOfCanceling } from '../ends/cancel-runs.ts';
import { together } from '../needs-together.ts';
import { distinct } from './distinct.ts';

export function needsOfAdding(set: string, keys: Iterable<string>, given?: GivenToKeys): Needs {
  return { keys: [{ set, keys, ...(given && { carried: true }) }] };
}

/** What keys are to carry, as far as it was said: what was not stays as it is. */
export type GivenToKeys = ReadonlyMap<string, Partial<Carried>>;

/** Their runs are canceled. */
export function needsOfRemoving(set: string, keys: Iterable<string>): Needs {
  return { keys: [{ set, keys }], ...together(needsOfCanceling(set, keys), NEEDS_OF_LEFT) };
}

/** Which keys leave is not known before. */
export function needsOfSync(set: string): Needs {
  return { keys: [{ set, keys: 'all' }], runs: ['all'], executors: true };
}

export interface AddedKeys {
  readonly added: readonly string[];
  /** There already, and carrying something else now. */
  readonly updated: readonly string[];
  readonly skipped: readonly string[];
}

/** Adds keys by hand. That lifts an earlier `--keep-out`, and what is given to a known key always replaces what it carried. */
export function addKeys(
  view: StateView,
  set: string,
  keys: readonly string[],
  { now, given = new Map() }: { readonly now: Millis; readonly given?: GivenToKeys | undefined },
): Plan<AddedKeys> {
  const each = distinct(keys);
  const present = view.present(set, each);
  // Mostly all of them are new: a million keys are not copied for that.
  const added = present.size === 0 ? each : each.filter((key) => !present.has(key));
  const known = present.size === 0 ? [] : each.filter((key) => present.has(key));
  const keptOut = [...view.keptOut(set, added)];
  const changes: StateChange[] = [];
  if (keptOut.length > 0) changes.push({ type: 'keys-let-in', set, keys: keptOut });
  if (added.length > 0) {
    const carried = added.map((key) => ({ ...NOTHING_CARRIED, ...given.get(key) }));
    const at = isoTime(now);
    changes.push({ type: 'keys-added', set, keys: added, at, ...(given.size > 0 && { carried }) });
  }
  const updates = updatesOf(view, set, known, given);
  const updated = [...updates.keys()];
  if (updated.length > 0)
    changes.push({ type: 'keys-updated', set, keys: updated, carried: [...updates.values()] });
  return { changes, outcome: { added, updated, skipped: known.filter((key) => !updates.has(key)) } };
}

/** Those of the known keys that are to carry something else than they do. */
function updatesOf(
  view: StateView,
  set: string,
  known: readonly string[],
  given: GivenToKeys,
): Map<string, Carried> {
  const updates = new Map<string, Carried>();
  if (given.size === 0) return updates;
  const before = view.carried(set, known);
  for (const key of known) {
    const was = before.get(key) ?? NOTHING_CARRIED;
    const is = { ...was, ...given.get(key) };
    if (JSON.stringify(is) !== JSON.stringify(was)) updates.set(key, is);
  }
  return updates;
}

export interface RemovedKeys {
  readonly removed: readonly string[];
  readonly skipped: readonly string[];
}

export interface Removal {
  readonly keepOut: boolean;
  readonly purge?: boolean;
  /** What takes the keys out, in words. Default: a person */
  readonly by?: string;
  readonly now: Millis;
  /** See `Canceling`. */
  readonly endsLeft?: boolean;
}

export function removeKeys(
  view: StateView,
  set: string,
  keys: readonly string[],
  { keepOut, purge = false, by = 'partitions remove', now, endsLeft = false }: Removal,
): Plan<RemovedKeys> {
  const asked = new Set(keys);
  const present = view.present(set, asked);
  const removed: string[] = [];
  const skipped: string[] = [];
  for (const key of asked) (present.has(key) ? removed : skipped).push(key);
  // What is not there can be kept out as well: it was named so that no sensor brings it.
  const keptOut = keepOut ? skipped.filter((key) => !view.keptOut(set, [key]).has(key)) : [];
  const changes: StateChange[] = [
    ...(removed.length > 0 ? cancelRunsOfKeys(view, set, removed, { by, now, endsLeft }) : []),
  ];
  if (removed.length + keptOut.length > 0)
    changes.push({
      type: 'keys-removed',
      set,
      keys: [...removed, ...keptOut],
      keepOut,
      ...(purge && { purge }),
    });
  return { changes, outcome: { removed, skipped } };
}

export interface SyncedKeys {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

/** Makes a set equal to a list. Keys that stay keep their place. */
export function syncKeys(
  view: StateView,
  set: string,
  keys: readonly string[],
  now: Millis,
): Plan<SyncedKeys> {
  const wanted = new Set(keys);
  const gone = view.keys(set).filter((key) => !wanted.has(key));
  const removal = removeKeys(view, set, gone, { keepOut: false, by: 'partitions sync', now, endsLeft: true });
  const addition = addKeys(view, set, keys, { now });
  return {
    changes: [...removal.changes, ...addition.changes],
    outcome: {
      added: addition.outcome.added,
      removed: removal.outcome.removed,
      unchanged: addition.outcome.skipped.length,
    },
  };
}
