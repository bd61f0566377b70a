/** What every store must come to alike, whatever it keeps apart. */
import type { RunGroup, StateDocument } from '../../src/state/document/state-document.ts';
import type { HistoryWorld } from './history-world.ts';

/** What both stores must come to alike. */
export async function snapshot(world: HistoryWorld): Promise<unknown> {
  const document = await world.state.document();
  const { sets, assets, runs, incidents, pipeline } = document;
  world.tally.set('incidents', Math.max(world.tally.get('incidents') ?? 0, incidents?.list.length ?? 0));
  const ownersName = (owner: string | null): string | null => owner && world.owners.get(owner)!;
  return {
    sets,
    assets: assetsByColumns(assets),
    sensors: withRunKeysAsSets(document),
    incidents,
    unasked: pipeline?.assets.flatMap(({ gathers = [] }) =>
      gathers.map(({ unasked = [] }) => Array.from(unasked).sort()),
    ),
    runs: groupsTogether(runs).map((group) => ({
      ...group,
      owner: ownersName(group.owner),
      ownedSince: null,
    })),
    finished: Object.fromEntries(world.model.finished),
    doors: world.openDoors().map(({ name }) => name),
  };
}

/** What is on record of each asset, by sets: of a set of whose keys there is nothing, nothing need be said. */
function assetsByColumns(assets: StateDocument['assets']): unknown {
  const entries = Object.entries(assets).map(([name, { set, status, retries, before = [], ...rest }]) => {
    const columns = [
      { set, status, retries: retries ?? [] },
      ...before.map((one) => ({ retries: [], ...one })),
    ]
      .map((column) => ({ ...column, status: column.status.replace(/\.+$/, '') }))
      .filter((column) => column.status !== '');
    return [name, { ...rest, columns }] as const;
  });
  return Object.fromEntries(entries);
}

/** Run keys that are spent have no order, and it says nothing whether they are kept in letters or one by one. */
function withRunKeysAsSets({ sensors, sets }: StateDocument): unknown {
  const entries = Object.entries(sensors).map(([name, entry]) => {
    const { ofKeys, other } = entry.runKeys;
    const inLetters = Object.entries(ofKeys).flatMap(([set, letters]) =>
      (sets[set]?.keys ?? []).filter((_, at) => letters[at] === '1').map((key) => [key, set, key]),
    );
    return [
      name,
      { ...entry, runKeys: [...inLetters, ...other].map((one) => JSON.stringify(one)).sort() },
    ] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Runs of one group that have the same owner since the same commit, as one entry in the order of their numbers. A document keeps
 * apart what it has once taken apart (a run that began stands behind the rest of its group); a database does not know that it was.
 */
function groupsTogether(runs: readonly RunGroup[]): RunGroup[] {
  const groups = new Map<string, RunGroup[]>();
  for (const group of runs) {
    const name = JSON.stringify([group.id, group.ownedSince, group.owner]);
    groups.set(name, [...(groups.get(name) ?? []), group]);
  }
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, parts]) => joined(parts));
}

function joined(parts: readonly RunGroup[]): RunGroup {
  const rows = parts
    .flatMap((part) =>
      part.numbers.map((number, at) => ({
        number,
        key: part.keys[at]!,
        runKey: part.runKeys === 'keys' ? part.keys[at]! : (part.runKeys?.[at] ?? null),
        status: part.status[at]!,
        interrupted: part.interrupted[at]!,
      })),
    )
    .sort((one, other) => one.number - other.number);
  const runKeys = rows.map(({ runKey }) => runKey);
  const [done, touched, why] = (['done', 'touched', 'why'] as const).map(
    (notes) => Object.assign({}, ...parts.map((part) => part[notes] ?? {})) as object,
  );
  return {
    ...parts[0]!,
    numbers: rows.map(({ number }) => number),
    keys: rows.map(({ key }) => key),
    runKeys: runKeys.every((runKey) => runKey === null) ? null : runKeys,
    status: rows.map(({ status }) => status).join(''),
    interrupted: rows.map(({ interrupted }) => interrupted).join(''),
    startedAt: Object.assign({}, ...parts.map(({ startedAt }) => startedAt)) as RunGroup['startedAt'],
    done,
    touched,
    why,
  } as RunGroup;
}
