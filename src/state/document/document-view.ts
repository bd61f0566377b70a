/** A view of a document: what both implementations answer when the engine asks. */
import { positionsOf } from './key-positions.ts';
import { findRun, pendingRuns } from './run-columns.ts';
import { EMPTY_SET, entryOf, type ExecutorEntry, NEW_SENSOR, type StateDocument } from './state-document.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { ExecutorSigns, KeyPage, PageQuery, PartitionStatus, StateView } from '../slice.ts';

/** What is not in the document: the processes of its executors, and the history. */
export interface BesideDocument {
  /** Says of an executor whether it lives, and what it is or was in the middle of. */
  readonly judge: (executor: ExecutorEntry) => ExecutorSigns;
  /** The last tick that evaluated a sensor, given the one in the document. */
  readonly lastTick: (sensor: string, inDocument: TickRecord | null) => TickRecord | null;
}

export function viewOf(document: StateDocument, { judge, lastTick }: BesideDocument): StateView {
  const keysOf = (set: string): readonly string[] => entryOf(document.sets, set)?.keys ?? [];
  const statuses = (asset: string, set: string | null): string => {
    const entry = entryOf(document.assets, asset);
    const known = entry !== undefined && entry.set === set ? entry.status : '';
    return known.padEnd(set === null ? 1 : keysOf(set).length, '.');
  };
  let executors: ReturnType<StateView['executors']> | undefined;
  return {
    serial: document.serial,
    pipeline: document.pipeline,
    setNames: () => Object.keys(document.sets),
    keys: keysOf,
    page: (set, query) => pageOf(document, set, query),
    present: (set, keys) => new Set(positionsOf(keysOf(set), keys).keys()),
    keptOut: (set, keys) => new Set(positionsOf(entryOf(document.sets, set)?.keptOut ?? [], keys).keys()),
    statuses,
    statusOf: (asset, set, keys) => {
      const letters = statuses(asset, set);
      if (set === null) return keys.map(() => letters as PartitionStatus);
      const positions = positionsOf(keysOf(set), keys as string[]);
      return keys.map((key) => (letters[positions.get(key!) ?? -1] ?? '.') as PartitionStatus);
    },
    sensor: (name) => {
      const { status, cursor, version, lastTick: inDocument } = entryOf(document.sensors, name) ?? NEW_SENSOR;
      return {
        status,
        cursor,
        version,
        get lastTick() {
          return lastTick(name, inDocument);
        },
      };
    },
    sensorNames: () => Object.keys(document.sensors),
    spentRunKeys: (sensor, runKeys, removed) => spentRunKeys(document, sensor, runKeys, removed),
    runs: () => document.runs.map(pendingRuns),
    run: (id) => findRun(document.runs, id),
    executors: () =>
      (executors ??= document.executors.map((executor) => {
        const { id, pid, host, since, slots, wants } = executor;
        // Not a copy of the signs: some of them are read when they are asked for.
        return Object.assign(judge(executor), { id, pid, host, since, slots, wants });
      })),
  };
}

function spentRunKeys(
  document: StateDocument,
  sensor: string,
  runKeys: Iterable<string>,
  removed: ReadonlyMap<string, ReadonlySet<string>> = new Map(),
): Set<string> {
  const { ofKeys, other } = (entryOf(document.sensors, sensor) ?? NEW_SENSOR).runKeys;
  // Before anything was spent, nothing is looked up, however much is asked.
  if (other.length === 0 && Object.keys(ofKeys).length === 0) return new Set();
  const asked = new Set(runKeys);
  const spent = new Set<string>();
  for (const [set, letters] of Object.entries(ofKeys)) {
    const gone = removed.get(set);
    for (const [key, position] of positionsOf(entryOf(document.sets, set)?.keys ?? [], asked)) {
      if (letters[position] === '1' && !gone?.has(key)) spent.add(key);
    }
  }
  for (const [runKey, set, key] of other) {
    const gone = set !== null && key !== null && removed.get(set)?.has(key);
    if (asked.has(runKey) && !gone) spent.add(runKey);
  }
  return spent;
}

function pageOf(document: StateDocument, name: string, query: PageQuery): KeyPage {
  const set = entryOf(document.sets, name) ?? EMPTY_SET;
  const { prefix = '', limit = Infinity } = query;
  const from =
    query.after === undefined ? 0 : (positionsOf(set.keys, [query.after]).get(query.after) ?? -1) + 1;
  const keys: { key: string; addedAt: string }[] = [];
  let more = false;
  let position = 0;
  for (const [count, addedAt] of set.added) {
    const end = position + count;
    for (position = Math.max(position, Math.min(from, end)); position < end; position++) {
      const key = set.keys[position]!;
      if (!key.startsWith(prefix)) continue;
      if (keys.length >= limit) {
        more = true;
        break;
      }
      keys.push({ key, addedAt });
    }
    if (more) break;
  }
  return { total: set.keys.length, keys, next: more ? (keys.at(-1)?.key ?? null) : null };
}
