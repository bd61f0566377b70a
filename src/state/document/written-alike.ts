/**
 * Whether two documents say the same of all keys in the same letters: where they do, nobody need take apart what a million keys come to.
 * Where they do not, they may mean the same: two places keep it in other words, or in another order.
 */
import {
  type AssetEntry,
  entryOf,
  type SetEntry,
  type SpentRunKeys,
  type StateDocument,
  type StatusColumn,
} from './state-document.ts';

/** Of `keys`, `statuses` and `run keys`. Of all else: no. */
export function writtenAlike(one: StateDocument, other: StateDocument): (part: string) => boolean {
  // Where each key stands is what all letters mean.
  const keysAre = everyEntry(one.sets, other.sets, sameKeys);
  return (part) => {
    switch (part) {
      case 'keys':
        return keysAre && everyEntry(one.sets, other.sets, sameCarried);
      case 'statuses':
        return keysAre && everyEntry(one.assets, other.assets, sameColumns);
      case 'run keys':
        return keysAre && everyEntry(one.sensors, other.sensors, (a, b) => sameSpent(a.runKeys, b.runKeys));
      default:
        return false;
    }
  };
}

function everyEntry<T>(
  one: Readonly<Record<string, T>>,
  other: Readonly<Record<string, T>>,
  same: (one: T, other: T) => boolean,
): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => {
      const there = entryOf(other, name);
      return there !== undefined && same(one[name]!, there);
    })
  );
}

function everyOne<T>(one: readonly T[], other: readonly T[], same: (one: T, other: T) => boolean): boolean {
  return one.length === other.length && one.every((item, at) => same(item, other[at]!));
}

function sameKeys({ keys }: SetEntry, { keys: others }: SetEntry): boolean {
  return everyOne(keys, others, (key, there) => key === there);
}

function sameCarried(one: SetEntry, other: SetEntry): boolean {
  return (
    (one.versions ?? '') === (other.versions ?? '') &&
    everyOne(one.added, other.added, sameJson) &&
    everyOne(one.items ?? [], other.items ?? [], sameJson)
  );
}

function sameColumns(one: AssetEntry, other: AssetEntry): boolean {
  return everyOne(
    columnsOf(one),
    columnsOf(other),
    (column, there) =>
      column.set === there.set &&
      withoutMissing(column.status) === withoutMissing(there.status) &&
      everyOne(column.retries ?? [], there.retries ?? [], sameJson),
  );
}

function columnsOf({ before = [], ...first }: AssetEntry): readonly StatusColumn[] {
  return [first, ...before];
}

/** Those at the end may be left out. */
function withoutMissing(status: string): string {
  let end = status.length;
  while (end > 0 && status[end - 1] === '.') end--;
  return status.slice(0, end);
}

function sameSpent(one: SpentRunKeys, other: SpentRunKeys): boolean {
  return (
    everyEntry(
      one.ofKeys,
      other.ofKeys,
      (letters, there) => withoutMissing(letters) === withoutMissing(there),
    ) && everyOne(one.other, other.other, sameJson)
  );
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
