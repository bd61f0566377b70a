/** What became of assets, in the letters of the document: read as words, and changed. */
import { countedAs, hasChangedSince, type PartitionStatus, whyStale } from '../../model/partition-status.ts';
import { type PendingRuns, runsIn } from '../../model/pending-run.ts';
import type {
  CandidateQuery,
  CountQuery,
  KeyState,
  KeyStatuses,
  StateAsked,
  StatusCounts,
} from '../state-view.ts';
import { columnOf } from './status-column.ts';
import { positionsOf } from './key-positions.ts';
import { dueKeys, retriesOf } from './retries.ts';
import { entryOf, type StateDocument } from './state-document.ts';

/** What each letter of a document says. A key behind the last letter is missing. */
const WORDS: Readonly<Record<string, PartitionStatus>> = {
  '.': 'missing',
  b: 'backlog',
  s: 'skipped',
  m: 'materialized',
  v: 'stale-version',
  c: 'stale-code',
  u: 'stale-upstream',
  f: 'failed',
  g: 'failed-changed',
  F: 'failed-again',
  V: 'failed-again-version',
  C: 'failed-again-code',
  U: 'failed-again-upstream',
  W: 'failed-changed-version',
  D: 'failed-changed-code',
  X: 'failed-changed-upstream',
};

const LETTERS = new Map(Object.entries(WORDS).map(([letter, status]) => [status, letter]));

export const STATUS_LETTERS = Object.keys(WORDS).join('');

export function statusAt(letter: string | undefined): PartitionStatus {
  return WORDS[letter ?? '.']!;
}

export function letterOf(status: PartitionStatus): string {
  return LETTERS.get(status)!;
}

/** The letters of an asset for a set, one for each of its keys; a single one without a set. */
export function lettersOf(document: StateDocument, asset: string, set: string | null): string {
  const entry = entryOf(document.assets, asset);
  const known = entry === undefined ? '' : (columnOf(entry, set)?.status ?? '');
  return known.padEnd(set === null ? 1 : keysOf(document, set).length, '.');
}

export function statusOf(
  document: StateDocument,
  { asset, set }: CountQuery,
  keys: readonly (string | null)[],
): PartitionStatus[] {
  const letters = lettersOf(document, asset, set);
  if (set === null) return keys.map(() => WORDS[letters]!);
  const positions = positionsOf(keysOf(document, set), keys as string[]);
  return keys.map((key) => WORDS[letters[positions.get(key!) ?? -1] ?? '.']!);
}

export function* candidates(document: StateDocument, query: CandidateQuery): Generator<KeyStatuses> {
  const { set, inStates, assets, alsoOf, prefix, order, dueBy, most = Infinity } = query;
  const keys = keysOf(document, set);
  const due =
    dueBy === undefined ? [] : assets.map((asset) => dueKeys(retriesOf(document, asset, set), dueBy));
  const isAnyDue = due.some(({ size }) => size > 0);
  const columns = [...assets, ...alsoOf].map((asset) => lettersOf(document, asset, set));
  const chosen = inStates === null ? null : lettersIn(inStates);
  // Mostly there are none among a million keys: one look at the letters says so.
  if (chosen !== null) {
    const any = new RegExp(`[${[...chosen].join('')}]`);
    if (!isAnyDue && !assets.some((_, asset) => any.test(columns[asset]!))) return;
  }
  const isNewestFirst = order === 'newest';
  let left = most;
  for (let at = 0; at < keys.length && left > 0; at++) {
    const position = isNewestFirst ? keys.length - 1 - at : at;
    const key = keys[position]!;
    if (prefix !== null && !key.startsWith(prefix)) continue;
    const isDue = isAnyDue && due.some((those) => those.has(key));
    if (chosen !== null && !isDue && !assets.some((_, asset) => chosen.has(columns[asset]![position]!)))
      continue;
    const statuses = columns.map((letters) => WORDS[letters[position]!]!);
    left--;
    yield isDue ? { key, statuses, due: due.map((those) => those.has(key)) } : { key, statuses };
  }
}

export function lettersIn(states: readonly StateAsked[]): ReadonlySet<string> {
  return new Set(Object.keys(WORDS).filter((letter) => states.some((state) => isIn(state, WORDS[letter]!))));
}

/** Whether a status is what was asked for: each counted one, and the parts of two of them. */
export function isIn(asked: StateAsked, status: PartitionStatus): boolean {
  if (asked === 'stale') return whyStale(status) !== null;
  if (asked === 'backlog') return status === 'backlog';
  if (asked === 'open') return status === 'missing' || whyStale(status) !== null || hasChangedSince(status);
  return countedAs(status) === asked;
}

/** The keys of a set that are in progress, by asset. A run of a key that was removed may still be on its way out. */
export type InProgress = ReadonlyMap<string, ReadonlySet<string | null>>;

export function inProgress(groups: readonly PendingRuns[]): InProgress {
  const byAsset = new Map<string, Set<string | null>>();
  for (const runs of groups) {
    for (const asset of runs.assets) {
      const keys = byAsset.get(asset) ?? new Set();
      byAsset.set(asset, keys);
      for (const { partitionKey, done } of runsIn(runs))
        if (!done.some((one) => one.asset === asset)) keys.add(partitionKey);
    }
  }
  return byAsset;
}

export function countsOf(
  document: StateDocument,
  { asset, set }: CountQuery,
  pending: InProgress,
): StatusCounts {
  const letters = lettersOf(document, asset, set);
  const counts = { materialized: 0, failed: 0, skipped: 0, missing: 0, stale: 0, backlog: 0 };
  const count = (status: PartitionStatus, by: number): void => {
    counts[countedAs(status)] += by;
    if (whyStale(status) !== null) counts.stale += by;
    if (status === 'backlog') counts.backlog += by;
  };
  for (const [letter, many] of occurrences(letters)) count(WORDS[letter]!, many);
  const asked = [...(pending.get(asset) ?? [])];
  const running =
    set === null
      ? asked
      : [
          ...positionsOf(
            keysOf(document, set),
            asked.filter((key) => key !== null),
          ).keys(),
        ];
  for (const status of statusOf(document, { asset, set }, running)) count(status, -1);
  const isRunning = new Set<string | null>(running);
  const tries = [...retriesOf(document, asset, set)].flatMap(([key, { at }]) =>
    at === null || isRunning.has(key) ? [] : [at],
  );
  const retryAt = tries.reduce<string | null>(
    (first, at) => (first === null || at < first ? at : first),
    null,
  );
  const madeAt = entryOf(document.assets, asset)?.madeAt ?? null;
  return { total: letters.length, inProgress: running.length, ...counts, retryAt, madeAt };
}

/** How often each letter stands in a text, which may have a million of them. */
function occurrences(letters: string): [letter: string, count: number][] {
  const counts = new Uint32Array(128);
  for (let at = 0; at < letters.length; at++) counts[letters.charCodeAt(at)]!++;
  return Array.from(counts, (count, code): [string, number] => [String.fromCharCode(code), count]).filter(
    ([, count]) => count > 0,
  );
}

/** What is on record of an asset at each position of a set, and whether it is in progress. */
export function statesOf(
  document: StateDocument,
  { asset, set }: { readonly asset: string; readonly set: string },
  pending: InProgress,
): (position: number) => KeyState {
  const letters = lettersOf(document, asset, set);
  const keys = keysOf(document, set);
  const running = pending.get(asset);
  return (position) => (running?.has(keys[position]!) ? 'in progress' : WORDS[letters[position]!]!);
}

function keysOf(document: StateDocument, set: string): readonly string[] {
  return entryOf(document.sets, set)?.keys ?? [];
}
