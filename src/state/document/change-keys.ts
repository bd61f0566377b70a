/** What becomes of a set, and of all that goes by the positions of its keys. */
import { carryingOf } from './carried-columns.ts';
import { withCarried, withColumns } from './change-carried.ts';
import { mapEntries, withSet, withStatuses } from './change-entries.ts';
import { withoutVersions } from './change-versions.ts';
import { timesWithout, without } from './columns.ts';
import { grownFrom, positionsOf } from './key-positions.ts';
import { EMPTY_SET, entryOf, type SetEntry, type StateDocument } from './state-document.ts';
import { withoutKeys } from './status-column.ts';
import { NOTHING_CARRIED } from '../../model/carried.ts';
import type { StateChange } from '../changes.ts';

type KeysAdded = Extract<StateChange, { readonly type: 'keys-added' }>;
type KeysUpdated = Extract<StateChange, { readonly type: 'keys-updated' }>;

export function addKeys(set: SetEntry, { keys, at, carried }: KeysAdded): SetEntry {
  if (keys.length === 0) return set;
  const last = set.added.at(-1);
  const added =
    last?.[1] === at
      ? [...set.added.slice(0, -1), [last[0] + keys.length, at] as const]
      : [...set.added, [keys.length, at] as const];
  const grown = { ...set, keys: grownFrom(set.keys, keys), added };
  if (carried === undefined) return grown;
  return withCarried(
    grown,
    keys.map((_, number) => set.keys.length + number),
    carried,
  );
}

export function letInKeys(set: SetEntry, keys: readonly string[]): SetEntry {
  const letIn = new Set(keys);
  return { ...set, keptOut: set.keptOut.filter((key) => !letIn.has(key)) };
}

/** Takes keys out of a set, and out of everything that goes by the positions of its keys. */
export function removeKeys(
  document: StateDocument,
  name: string,
  keys: readonly string[],
  keepOut: boolean,
): StateDocument {
  const set = entryOf(document.sets, name) ?? EMPTY_SET;
  const gone = new Set(keys);
  const positions = [...positionsOf(set.keys, gone).values()].sort((a, b) => a - b);
  const changed = withSet(document, name, () =>
    withColumns(
      {
        keys: without(set.keys, positions),
        added: timesWithout(set.added, positions),
        keptOut: keepOut ? [...new Set([...set.keptOut, ...keys])] : set.keptOut,
      },
      {
        versions: withoutVersions(set.versions ?? '', positions),
        items: without(set.items ?? [], positions),
      },
    ),
  );
  return {
    ...changed,
    assets: mapEntries(document.assets, (asset) => withoutKeys(asset, name, { positions, keys: gone })),
    sensors: mapEntries(document.sensors, (sensor) => ({
      ...sensor,
      runKeys: {
        ofKeys: mapEntries(sensor.runKeys.ofKeys, (letters, of) =>
          of === name ? without(letters, positions) : letters,
        ),
        other: sensor.runKeys.other.filter(([, of, key]) => of !== name || key === null || !gone.has(key)),
      },
    })),
  };
}

export function updateKeys(
  document: StateDocument,
  { set: name, keys, carried }: KeysUpdated,
): StateDocument {
  const set = entryOf(document.sets, name) ?? EMPTY_SET;
  const positions = positionsOf(set.keys, keys);
  const before = carryingOf(set, keys);
  const changed = keys.filter(
    (key, at) => (before.get(key) ?? NOTHING_CARRIED).version !== carried[at]!.version,
  );
  const updated = withSet(document, name, () =>
    withCarried(
      set,
      keys.map((key) => positions.get(key)!),
      carried,
    ),
  );
  if (changed.length === 0) return updated;
  return withStatuses(updated, (statuses) => statuses.changeVersions(name, changed));
}
