/** A view of a document: what both implementations answer when the engine asks. */
import { carriedReader, carryingOf } from './carried-columns.ts';
import { positionsOf } from './key-positions.ts';
import { nextRetry, retriesOf } from './retries.ts';
import { findRun, pendingRuns } from './run-columns.ts';
import {
  EMPTY_SET,
  entryOf,
  type ExecutorEntry,
  NEW_SENSOR,
  type SetEntry,
  type StateDocument,
} from './state-document.ts';
import { candidates, countsOf, type InProgress, inProgress, isIn, statesOf, statusOf } from './statuses.ts';
import { NO_INCIDENTS } from '../../model/incident.ts';
import type { PendingRuns } from '../../model/pending-run.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { Past } from '../past.ts';
import type { ExecutorSigns, KeyPage, KeyState, OldestQuery, PageQuery, StateView } from '../state-view.ts';

/** What is not in the document: the processes of its executors, and the history. */
export interface BesideDocument {
  /** Says of an executor whether it lives, and what it is or was in the middle of. */
  readonly judge: (executor: ExecutorEntry) => ExecutorSigns;
  /** The last tick that evaluated a sensor, given the one in the document. */
  readonly lastTick: (sensor: string, inDocument: TickRecord | null) => TickRecord | null;
  /** Default: none of it was declared. */
  readonly past?: Past;
}

export function viewOf(document: StateDocument, { judge, lastTick, past }: BesideDocument): StateView {
  const keysOf = (set: string): readonly string[] => entryOf(document.sets, set)?.keys ?? [];
  let groups: readonly PendingRuns[] | undefined;
  const runs = (): readonly PendingRuns[] => (groups ??= document.runs.map(pendingRuns));
  let pending: InProgress | undefined;
  const running = (): InProgress => (pending ??= inProgress(runs()));
  let executors: ReturnType<StateView['executors']> | undefined;
  return {
    serial: document.serial,
    pipeline: document.pipeline,
    incidents: document.incidents ?? NO_INCIDENTS,
    setNames: () => Object.keys(document.sets),
    size: (set) => keysOf(set).length,
    keys: keysOf,
    present: (set, keys) => new Set(positionsOf(keysOf(set), keys).keys()),
    keptOut: (set, keys) => new Set(positionsOf(entryOf(document.sets, set)?.keptOut ?? [], keys).keys()),
    carried: (set, keys) => carryingOf(entryOf(document.sets, set) ?? EMPTY_SET, keys),
    page: (query) => pageOf(document, query, running),
    oldest: (query) => oldestOf(document, query),
    statusOf: (asset, set, keys) => statusOf(document, { asset, set }, keys),
    nextTries: (asset, set, keys) => {
      const retries = retriesOf(document, asset, set);
      return keys.map((key) => retries.get(key) ?? null);
    },
    nextRetry: (after) => nextRetry(document, after),
    candidates: (query) => candidates(document, query),
    counts: (query) => countsOf(document, query, running()),
    sensor: (name) => {
      const entry = entryOf(document.sensors, name) ?? NEW_SENSOR;
      const { status, cursor, version, periods = {}, quietSince = null, lastTick: inDocument } = entry;
      return {
        status,
        cursor,
        version,
        periods,
        quietSince,
        get lastTick() {
          return lastTick(name, inDocument);
        },
      };
    },
    sensorNames: () => Object.keys(document.sensors),
    spentRunKeys: (sensor, runKeys, removed) => spentRunKeys(document, sensor, runKeys, removed),
    runs,
    run: (id) => findRun(document.runs, id, runs()),
    ownedBy: (executor) =>
      document.runs.reduce((sum, { owner, numbers }) => (owner === executor ? sum + numbers.length : sum), 0),
    runPage: past?.runPage ?? undeclared,
    ticks: past?.ticks ?? undeclared,
    executors: () =>
      (executors ??= document.executors.map((executor) => {
        const { id, pid, host, since, slots, wants, pools = {} } = executor;
        // Not a copy of the signs: some of them are read when they are asked for.
        return Object.assign(judge(executor), { id, pid, host, since, slots, wants, pools });
      })),
    poolStarts: () => document.poolStarts ?? {},
    clockAhead: () => 0,
  };
}

/** The past is read by those who look at it. */
function undeclared(): never {
  throw new Error('what is asked of the past is not among its needs');
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

function pageOf(document: StateDocument, query: PageQuery, running: () => InProgress): KeyPage {
  const { set: name, prefix = '', limit = Infinity, status, assets, every, fromEnd = false } = query;
  const entry = entryOf(document.sets, name) ?? EMPTY_SET;
  const { keys, added } = entry;
  const from = query.after === undefined ? 0 : (positionsOf(keys, [query.after]).get(query.after) ?? -1) + 1;
  const columns = assets?.map((asset) => statesOf(document, { asset, set: name }, running()));
  const passes = (position: number): boolean => {
    if (!keys[position]!.startsWith(prefix)) return false;
    if (status === undefined) return true;
    const isAsked = (stateAt: (position: number) => KeyState): boolean => {
      const state = stateAt(position);
      if (state === 'in progress' || status === 'in progress') return state === status;
      return isIn(status, state);
    };
    return every ? columns!.every(isAsked) : columns!.some(isAsked);
  };
  const positions: number[] = [];
  const take = (position: number): boolean => {
    if (passes(position)) positions.push(position);
    return positions.length <= limit;
  };
  if (fromEnd) for (let at = keys.length - 1; at >= from && take(at); at--);
  else for (let at = from; at < keys.length && take(at); at++);
  const hasMore = positions.length > limit;
  if (hasMore) positions.pop();
  if (fromEnd) positions.reverse();
  const timeAt = timesOf(added);
  const carriedAt = carriedReader(entry);
  return {
    total: keys.length,
    keys: positions.map((at) => ({
      key: keys[at]!,
      addedAt: timeAt(at),
      ...carriedAt(at),
      ...(columns && { states: columns.map((stateAt) => stateAt(at)) }),
    })),
    next: hasMore && !fromEnd ? keys[positions.at(-1)!]! : null,
  };
}

/** When the key at a position was added; positions are asked for in ascending order. */
function timesOf(added: SetEntry['added']): (position: number) => string {
  let part = 0;
  let end = added[0]?.[0] ?? 0;
  return (position) => {
    while (position >= end) end += added[++part]![0];
    return added[part]![1];
  };
}

function oldestOf(document: StateDocument, { set: name, addedBefore, keepLast }: OldestQuery): string[] {
  const { keys, added } = entryOf(document.sets, name) ?? EMPTY_SET;
  const end = keepLast === null ? keys.length : Math.max(0, keys.length - keepLast);
  if (addedBefore === null) return keys.slice(0, end);
  const timeAt = timesOf(added);
  // The clock may have been set back: times need not ascend.
  return keys.slice(0, end).filter((_, at) => timeAt(at) < addedBefore);
}
