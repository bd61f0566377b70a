/** Changes a set by hand: add, remove, sync. Pure. */
import { isoTime, type Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/slice.ts';
import type { Plan } from '../../../state/store.ts';
import { cancelRunsOfKeys, needsOfCanceling } from '../ends/cancel-runs.ts';
import { distinct } from './distinct.ts';

export function needsOfAdding(set: string, keys: Iterable<string>): Needs {
  return { keys: [{ set, keys }] };
}

/** Their runs are canceled. */
export function needsOfRemoving(set: string, keys: Iterable<string>): Needs {
  return { keys: [{ set, keys }], ...needsOfCanceling(set, keys) };
}

/** Which keys leave is not known before. */
export function needsOfSync(set: string): Needs {
  return { keys: [{ set, keys: 'all' }], runs: ['all'], executors: true };
}

export interface AddedKeys {
  readonly added: readonly string[];
  readonly skipped: readonly string[];
}

/** Adds keys by hand. That lifts an earlier `--keep-out`. */
export function addKeys(view: StateView, set: string, keys: readonly string[], now: Millis): Plan<AddedKeys> {
  const each = distinct(keys);
  const present = view.present(set, each);
  // Mostly all of them are new: a million keys are not copied for that.
  const added = present.size === 0 ? each : each.filter((key) => !present.has(key));
  const skipped = present.size === 0 ? [] : each.filter((key) => present.has(key));
  const keptOut = [...view.keptOut(set, added)];
  const changes: StateChange[] = [];
  if (keptOut.length > 0) changes.push({ type: 'keys-let-in', set, keys: keptOut });
  if (added.length > 0) changes.push({ type: 'keys-added', set, keys: added, at: isoTime(now) });
  return { changes, outcome: { added, skipped } };
}

export interface RemovedKeys {
  readonly removed: readonly string[];
  readonly skipped: readonly string[];
}

export function removeKeys(
  view: StateView,
  set: string,
  keys: readonly string[],
  { keepOut, now }: { readonly keepOut: boolean; readonly now: Millis },
): Plan<RemovedKeys> {
  const asked = new Set(keys);
  const present = view.present(set, asked);
  const removed: string[] = [];
  const skipped: string[] = [];
  for (const key of asked) (present.has(key) ? removed : skipped).push(key);
  // What is not there can be kept out as well: it was named so that no sensor brings it.
  const keptOut = keepOut ? skipped.filter((key) => !view.keptOut(set, [key]).has(key)) : [];
  const changes: StateChange[] = [...(removed.length > 0 ? cancelRunsOfKeys(view, set, removed, now) : [])];
  if (removed.length + keptOut.length > 0)
    changes.push({ type: 'keys-removed', set, keys: [...removed, ...keptOut], keepOut });
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
  const removal = removeKeys(view, set, gone, { keepOut: false, now });
  const addition = addKeys(view, set, keys, now);
  return {
    changes: [...removal.changes, ...addition.changes],
    outcome: {
      added: addition.outcome.added,
      removed: removal.outcome.removed,
      unchanged: addition.outcome.skipped.length,
    },
  };
}
