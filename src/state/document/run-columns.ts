/** Runs that were queued together, kept as columns: how to pick, split and read them. */
import { alike, take } from './columns.ts';
import type { RunGroup } from './state-document.ts';
import type { Touched } from './status-changes.ts';
import { type AssetOutcome, partsOfRunId, runId } from '../../model/run.ts';
import type { QueuedRuns } from '../changes.ts';
import type { PendingRun, PendingRuns } from '../../model/pending-run.ts';

/** A new group of queued runs. */
export function groupOf(runs: QueuedRuns, owner: string | null, serial: number): RunGroup {
  const count = runs.keys.length;
  const runKeysAreKeys =
    runs.runKeys !== null && runs.runKeys.every((runKey, at) => runKey === runs.keys[at]);
  return {
    id: runs.group,
    createdAt: runs.createdAt,
    sensor: runs.sensor,
    set: runs.set,
    assets: runs.assets,
    ...(runs.reasons && { reasons: runs.reasons }),
    tags: runs.tags,
    origin: runs.origin,
    retryOf: runs.retryOf,
    owner,
    ownedSince: owner === null ? 0 : serial,
    numbers: runs.keys.map((_, at) => runs.firstNumber + at),
    keys: runs.keys,
    runKeys: runKeysAreKeys
      ? 'keys'
      : (runs.runKeys?.some((runKey) => runKey !== null) ?? false)
        ? runs.runKeys
        : null,
    status: 'q'.repeat(count),
    interrupted: '0'.repeat(count),
    startedAt: {},
  };
}

/** The columns of a group: an entry for each run. `runKeys` is one as well, where it is a list. */
const COLUMNS = ['numbers', 'keys', 'status', 'interrupted'] as const;

/** The part of a group that stands at these positions. */
function pick(group: RunGroup, positions: readonly number[]): RunGroup {
  if (positions.length === group.numbers.length) return group;
  const columns = Array.isArray(group.runKeys) ? ([...COLUMNS, 'runKeys'] as const) : COLUMNS;
  const picked = alike(group, columns, (column) => take(column, positions));
  const kept = new Set(picked.numbers.map(String));
  const byNumber = <T>(entries: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(entries).filter(([number]) => kept.has(number)));
  return withNotes(
    { ...picked, startedAt: byNumber(group.startedAt) },
    {
      done: byNumber(group.done ?? {}),
      touched: byNumber(group.touched ?? {}),
      why: byNumber(group.why ?? {}),
    },
  );
}

type Notes = Pick<Required<RunGroup>, 'done' | 'touched' | 'why'>;

/** A group of whose runs nothing is noted has no such field. */
function withNotes(group: RunGroup, notes: Partial<Notes>): RunGroup {
  const changed = { ...group, ...notes };
  for (const name of ['done', 'touched', 'why'] as const)
    if (Object.keys(changed[name] ?? {}).length === 0) Reflect.deleteProperty(changed, name);
  return changed;
}

/**
 * With the assets noted for which something changed while their runs are queued or at work: an outcome that was on record of
 * them is none any more.
 */
export function withTouched(
  groups: readonly RunGroup[],
  touched: readonly Touched[],
  serial: number,
): readonly RunGroup[] {
  if (touched.length === 0 || groups.length === 0) return groups;
  return groups.map((group) => {
    const concerned = touched.filter(
      ({ asset, set, except }) =>
        group.assets.includes(asset) && group.set === set && (except === null || group.owner !== except),
    );
    return concerned.reduce((before, one) => withOneTouched(before, one, serial), group);
  });
}

function withOneTouched(group: RunGroup, { asset, keys, reason }: Touched, serial: number): RunGroup {
  const touched = { ...group.touched };
  const done = { ...group.done };
  for (const [at, number] of group.numbers.entries()) {
    if (keys !== 'all' && !keys.has(group.keys[at]!)) continue;
    touched[number] = { ...touched[number], [asset]: { ...touched[number]?.[asset], [reason]: serial } };
    const left = done[number]?.filter((outcome) => outcome.asset !== asset) ?? [];
    if (left.length > 0) done[number] = left;
    else Reflect.deleteProperty(done, number);
  }
  return withNotes(group, { touched, done });
}

/** With assets that runs of it have made by now. */
export function withProgress(
  group: RunGroup,
  progress: ReadonlyMap<string, readonly AssetOutcome[]>,
): RunGroup {
  const done = { ...group.done };
  for (const number of group.numbers) {
    const made = progress.get(runId(group.id, number)) ?? [];
    const again = new Set(made.map(({ asset }) => asset));
    const before = (done[number] ?? []).filter(({ asset }) => !again.has(asset));
    if (made.length > 0) done[number] = [...before, ...made];
  }
  return withNotes(group, { done });
}

/** With all its runs to be aborted. @param why `null`: somebody said so by hand. The first reason of each stands */
export function withCanceling(group: RunGroup, why: string | null): RunGroup {
  const reasons = { ...group.why };
  if (why !== null)
    for (const [at, number] of group.numbers.entries()) if (group.status[at] !== 'c') reasons[number] = why;
  return withNotes({ ...group, status: 'c'.repeat(group.status.length) }, { why: reasons });
}

/** The runs of a list of groups, told apart by their ids. */
export type Chosen = ReadonlyMap<string, ReadonlySet<number>>;

/** Ids by group, so that a long group is not turned into a list of ids. */
export function chosenBy(ids: Iterable<string>): Chosen {
  const chosen = new Map<string, Set<number>>();
  for (const id of ids) {
    const { group, number } = partsOfRunId(id);
    const numbers = chosen.get(group);
    if (numbers === undefined) chosen.set(group, new Set([number]));
    else numbers.add(number);
  }
  return chosen;
}

/** Replaces the chosen runs by what `change` makes of them; `null` takes them out. Every other run stays as it is. */
export function changeChosen(
  groups: readonly RunGroup[],
  chosen: Chosen,
  change: (part: RunGroup) => RunGroup | null,
): readonly RunGroup[] {
  return groups.flatMap((group) => {
    const numbers = chosen.get(group.id);
    if (numbers === undefined) return [group];
    const inside: number[] = [];
    const outside: number[] = [];
    group.numbers.forEach((number, at) => (numbers.has(number) ? inside : outside).push(at));
    if (inside.length === 0) return [group];
    const changed = change(pick(group, inside));
    const rest = outside.length === 0 ? [] : [pick(group, outside)];
    return changed === null ? rest : [...rest, changed];
  });
}

/** Gives the letters of some runs of a column another value. */
export function withLetters(
  column: string,
  numbers: readonly number[],
  letterFor: (number: number, letter: string) => string,
): string {
  let changed = '';
  for (let at = 0; at < column.length; at++) changed += letterFor(numbers[at]!, column[at]!);
  return changed;
}

/** The run with this id. @param seen the groups as the engine sees them, where they were seen before */
export function findRun(
  groups: readonly RunGroup[],
  id: string,
  seen?: readonly PendingRuns[],
): { runs: PendingRuns; run: PendingRun } | undefined {
  const { group: name, number } = partsOfRunId(id);
  for (const [at, group] of groups.entries()) {
    if (group.id !== name) continue;
    const position = positionOf(group.numbers, number);
    if (position === -1) continue;
    const runs = seen?.[at] ?? pendingRuns(group);
    return { runs, run: runs.at(position) };
  }
  return undefined;
}

/** Numbers only ever leave a group, so they stay in ascending order. */
function positionOf(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const number = numbers[middle]!;
    if (number === wanted) return middle;
    if (number < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Which assets of which runs are done. Mostly there are none. */
export function doneIn(groups: readonly RunGroup[]): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    groups.flatMap((group) =>
      Object.entries(group.done ?? {}).map(
        ([number, made]) =>
          [runId(group.id, Number(number)), new Set(made.map(({ asset }) => asset))] as const,
      ),
    ),
  );
}

/** A group as the engine sees it. */
export function pendingRuns(group: RunGroup): PendingRuns {
  const at = (position: number): PendingRun => {
    const number = group.numbers[position]!;
    const key = group.keys[position]!;
    const letter = group.status[position];
    return {
      id: runId(group.id, number),
      partitionKey: key,
      runKey: group.runKeys === 'keys' ? key : (group.runKeys?.[position] ?? null),
      status: letter === 'q' ? 'QUEUED' : 'STARTED',
      canceling: letter === 'c',
      canceledWhy: group.why?.[String(number)] ?? null,
      interrupted: Number(group.interrupted[position]),
      startedAt: group.startedAt[String(number)] ?? null,
      done: group.done?.[String(number)] ?? [],
      touched: group.touched?.[String(number)] ?? {},
    };
  };
  return {
    group: group.id,
    createdAt: group.createdAt,
    sensor: group.sensor,
    set: group.set,
    assets: group.assets,
    ...(group.reasons && { reasons: group.reasons }),
    tags: group.tags,
    origin: group.origin,
    retryOf: group.retryOf,
    owner: group.owner,
    ownedSince: group.ownedSince,
    count: group.numbers.length,
    at,
    canceling: () =>
      group.status.includes('c')
        ? group.numbers.flatMap((_, position) => (group.status[position] === 'c' ? [at(position)] : []))
        : [],
  };
}
