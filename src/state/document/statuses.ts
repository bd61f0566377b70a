/** What became of assets, in the letters of the document: read as words, and changed. */
import { type CountedStatus, countedAs, type PartitionStatus } from '../../model/partition-status.ts';
import { type PendingRuns, runsIn } from '../../model/pending-run.ts';
import type { CandidateQuery, CountQuery, KeyState, KeyStatuses, StatusCounts } from '../slice.ts';
import { put, without } from './columns.ts';
import { positionsOf } from './key-positions.ts';
import { type AssetEntry, entryOf, type StateDocument, type StatusColumn } from './state-document.ts';

const WORDS: Readonly<Record<string, PartitionStatus>> = {
  '.': 'missing',
  m: 'materialized',
  f: 'failed',
  F: 'failed-again',
};

export type MadeLetter = 'm' | 'f' | 'F';

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
  const { set, inStates, assets, alsoOf, prefix, order } = query;
  const keys = keysOf(document, set);
  const columns = [...assets, ...alsoOf].map((asset) => lettersOf(document, asset, set));
  const chosen = inStates === null ? null : lettersIn(inStates);
  const isNewestFirst = order === 'newest';
  for (let at = 0; at < keys.length; at++) {
    const position = isNewestFirst ? keys.length - 1 - at : at;
    const key = keys[position]!;
    if (prefix !== null && !key.startsWith(prefix)) continue;
    if (chosen !== null && !assets.some((_, asset) => chosen.has(columns[asset]![position]!))) continue;
    yield { key, statuses: columns.map((letters) => WORDS[letters[position]!]!) };
  }
}

function lettersIn(states: readonly CountedStatus[]): ReadonlySet<string> {
  return new Set(Object.keys(WORDS).filter((letter) => states.includes(countedAs(WORDS[letter]!))));
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
  const counts = { materialized: 0, failed: 0, missing: 0 };
  for (const letter of letters) counts[countedAs(WORDS[letter]!)]++;
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
  for (const status of statusOf(document, { asset, set }, running)) counts[countedAs(status)]--;
  return { total: letters.length, inProgress: running.length, ...counts };
}

/** What a person sees of an asset at each position of a set. */
export function statesOf(
  document: StateDocument,
  { asset, set }: { readonly asset: string; readonly set: string },
  pending: InProgress,
): (position: number) => KeyState {
  const letters = lettersOf(document, asset, set);
  const keys = keysOf(document, set);
  const running = pending.get(asset);
  return (position) =>
    running?.has(keys[position]!) ? 'in progress' : countedAs(WORDS[letters[position]!]!);
}

/** An asset's entry after runs of it have ended for some keys: `m` made, `f` failed, `F` made and then failed. */
export function withOutcomes(
  document: StateDocument,
  { asset, set }: CountQuery,
  outcomes: ReadonlyMap<string | null, MadeLetter>,
): AssetEntry {
  const entry = entryOf(document.assets, asset);
  let status = entry === undefined ? '' : (columnOf(entry, set)?.status ?? '');
  if (set === null) {
    const [letter] = outcomes.values();
    status = letter === undefined ? status : afterwards(status, letter);
  } else {
    const keys = keysOf(document, set);
    const failed = [...outcomes].flatMap(([key, letter]) => (letter === 'f' ? [key!] : []));
    const positions = positionsOf(keys, failed);
    const stands = failed.filter((key) => afterwards(status[positions.get(key) ?? -1], 'f') === 'F');
    const standing = new Set(stands);
    const by = (letter: MadeLetter): string[] =>
      [...outcomes].flatMap(([key, of]) => (of === letter && !standing.has(key!) ? [key!] : []));
    for (const [letter, of] of [
      ['m', by('m')],
      ['f', by('f')],
      ['F', [...by('F'), ...stands]],
    ] as const)
      if (of.length > 0) status = put(status, keys, of, letter);
  }
  return withColumn(entry, { set, status });
}

/** What is on record stands until it is replaced: a failure after it changes what is counted. */
function afterwards(before: string | undefined, letter: MadeLetter): MadeLetter {
  return letter === 'f' && (before === 'm' || before === 'F') ? 'F' : letter;
}

/** Without some keys of a set. */
export function withoutKeys(entry: AssetEntry, set: string, positions: readonly number[]): AssetEntry {
  const column = columnOf(entry, set);
  if (column === undefined) return entry;
  const changed = { set, status: without(column.status, positions) };
  return entry.set === set
    ? { ...entry, ...changed }
    : { ...entry, before: entry.before!.map((one) => (one === column ? changed : one)) };
}

function columnOf(entry: AssetEntry, set: string | null): StatusColumn | undefined {
  return entry.set === set ? entry : entry.before?.find((column) => column.set === set);
}

/** An asset that moved to another set keeps what was made before, and has it again when it comes back. */
function withColumn(entry: AssetEntry | undefined, column: StatusColumn): AssetEntry {
  if (entry === undefined) return column;
  if (entry.set === column.set) return { ...entry, ...column };
  const { set, status, before = [] } = entry;
  return { ...column, before: [{ set, status }, ...before.filter((one) => one.set !== column.set)] };
}

function keysOf(document: StateDocument, set: string): readonly string[] {
  return entryOf(document.sets, set)?.keys ?? [];
}
