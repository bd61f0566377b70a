/** What each change does to the document. Pure: the document that is given stays as it was. */
import { put, timesWithout, without } from './columns.ts';
import { positionsOf } from './key-positions.ts';
import {
  changeChosen,
  chosenBy,
  doneIn,
  findRun,
  groupOf,
  withLetters,
  withProgress,
} from './run-columns.ts';
import {
  EMPTY_SET,
  entryOf,
  type ExecutorEntry,
  NEW_SENSOR,
  type SensorEntry,
  type SetEntry,
  type SpentRunKeys,
  type StateDocument,
} from './state-document.ts';
import { type MadeLetter, withOutcomes, withoutKeys } from './statuses.ts';
import type { AssetOutcome } from '../../model/run.ts';
import type { FinishedRun, QueuedRuns, StateChange } from '../changes.ts';
import type { CountQuery } from '../slice.ts';

/** Who is known to be an executor but owns nothing yet: its entry is made by the first change that names it. */
export type KnownExecutors = (id: string) => ExecutorEntry | undefined;

/** The document after all changes, in order. The serial is not raised here. */
export function applyChanges(
  document: StateDocument,
  changes: readonly StateChange[],
  executors: KnownExecutors,
): StateDocument {
  return changes.reduce((before, change) => applyChange(before, change, executors), document);
}

function applyChange(document: StateDocument, change: StateChange, executors: KnownExecutors): StateDocument {
  switch (change.type) {
    case 'keys-added':
      return withSet(document, change.set, (set) => addKeys(set, change.keys, change.at));
    case 'keys-removed':
      return removeKeys(document, change.set, change.keys, change.keepOut);
    case 'keys-let-in':
      return withSet(document, change.set, (set) => {
        const letIn = new Set(change.keys);
        return { ...set, keptOut: set.keptOut.filter((key) => !letIn.has(key)) };
      });
    case 'sensor-changed':
      return withSensor(document, change.sensor, (sensor) => ({
        ...sensor,
        version: sensor.version + 1,
        ...(change.cursor !== undefined && { cursor: change.cursor }),
        ...(change.status !== undefined && { status: change.status }),
        ...(change.tick !== undefined && { lastTick: change.tick }),
      }));
    case 'runs-queued': {
      const queued = {
        ...document,
        runs: [...document.runs, groupOf(change.runs, change.owner, document.serial + 1)],
      };
      return spendRunKeys(queued, change.runs);
    }
    case 'runs-claimed':
      return {
        ...document,
        runs: changeChosen(document.runs, chosenBy(change.ids), (part) => ({
          ...part,
          owner: change.owner,
          ownedSince: document.serial + 1,
          status: withLetters(part.status, part.numbers, (_, letter) => (letter === 'c' ? 'c' : 'q')),
          interrupted: withLetters(part.interrupted, part.numbers, (number, letter) =>
            change.interrupted.has(`${part.id}-${number}`) ? String(Number(letter) + 1) : letter,
          ),
          startedAt: {},
        })),
      };
    case 'runs-released':
      return {
        ...document,
        runs: changeChosen(document.runs, chosenBy(change.ids), (part) => ({
          ...part,
          owner: null,
          ownedSince: 0,
          status: withLetters(part.status, part.numbers, (_, letter) => (letter === 'c' ? 'c' : 'q')),
          startedAt: {},
        })),
      };
    case 'runs-started':
      return {
        ...document,
        runs: changeChosen(document.runs, chosenBy(change.runs.keys()), (part) => ({
          ...part,
          status: withLetters(part.status, part.numbers, (_, letter) => (letter === 'q' ? 's' : letter)),
          startedAt: {
            ...part.startedAt,
            ...Object.fromEntries(
              part.numbers.map((number) => [number, change.runs.get(`${part.id}-${number}`)!]),
            ),
          },
        })),
      };
    case 'runs-progressed':
      return progressRuns(document, change.runs);
    case 'runs-canceling':
      return {
        ...document,
        runs: changeChosen(document.runs, chosenBy(change.ids), (part) => ({
          ...part,
          status: 'c'.repeat(part.status.length),
        })),
      };
    case 'runs-finished':
      return finishRuns(document, change.runs);
    case 'executor': {
      const known = document.executors.find(({ id }) => id === change.id) ?? executors(change.id);
      if (known === undefined) throw new Error(`executor ${change.id} never entered`);
      const entry = { ...known, slots: change.slots, wants: change.wants };
      return { ...document, executors: [...document.executors.filter(({ id }) => id !== change.id), entry] };
    }
    case 'executor-left':
      if (document.runs.some(({ owner }) => owner === change.id)) return document;
      return { ...document, executors: document.executors.filter(({ id }) => id !== change.id) };
    case 'pipeline-known':
      return { ...document, pipeline: change.pipeline };
  }
}

function withSet(document: StateDocument, name: string, change: (set: SetEntry) => SetEntry): StateDocument {
  return {
    ...document,
    sets: { ...document.sets, [name]: change(entryOf(document.sets, name) ?? EMPTY_SET) },
  };
}

function withSensor(
  document: StateDocument,
  name: string,
  change: (sensor: SensorEntry) => SensorEntry,
): StateDocument {
  return {
    ...document,
    sensors: { ...document.sensors, [name]: change(entryOf(document.sensors, name) ?? NEW_SENSOR) },
  };
}

function addKeys(set: SetEntry, keys: readonly string[], at: string): SetEntry {
  if (keys.length === 0) return set;
  const last = set.added.at(-1);
  const added =
    last?.[1] === at
      ? [...set.added.slice(0, -1), [last[0] + keys.length, at] as const]
      : [...set.added, [keys.length, at] as const];
  return { ...set, keys: set.keys.concat(keys), added };
}

/** Takes keys out of a set, and out of everything that goes by the positions of its keys. */
function removeKeys(
  document: StateDocument,
  name: string,
  keys: readonly string[],
  keepOut: boolean,
): StateDocument {
  const set = entryOf(document.sets, name) ?? EMPTY_SET;
  const gone = new Set(keys);
  const positions = [...positionsOf(set.keys, gone).values()].sort((a, b) => a - b);
  const changed = withSet(document, name, () => ({
    keys: without(set.keys, positions),
    added: timesWithout(set.added, positions),
    keptOut: keepOut ? [...new Set([...set.keptOut, ...keys])] : set.keptOut,
  }));
  return {
    ...changed,
    assets: mapEntries(document.assets, (asset) => withoutKeys(asset, name, positions)),
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

function spendRunKeys(document: StateDocument, runs: QueuedRuns): StateDocument {
  const { sensor, runKeys, retryOf } = runs;
  if (sensor === null || runKeys === null || retryOf !== null) return document;
  return withSensor(document, sensor, (entry) => ({
    ...entry,
    runKeys: spend(entry.runKeys, document, runs, runKeys),
  }));
}

function spend(
  spent: SpentRunKeys,
  document: StateDocument,
  { set, keys }: QueuedRuns,
  runKeys: readonly (string | null)[],
): SpentRunKeys {
  const own: string[] = [];
  const other: [string, string | null, string | null][] = [];
  runKeys.forEach((runKey, at) => {
    if (runKey === null) return;
    const key = keys[at]!;
    if (runKey === key && set !== null) own.push(key);
    else other.push([runKey, set, key]);
  });
  return {
    ofKeys:
      own.length === 0 || set === null
        ? spent.ofKeys
        : { ...spent.ofKeys, [set]: put(entryOf(spent.ofKeys, set) ?? '', keysOf(document, set), own, '1') },
    other: other.length === 0 ? spent.other : [...spent.other, ...other],
  };
}

function finishRuns(document: StateDocument, finished: readonly FinishedRun[]): StateDocument {
  // What is on record counts once: another run may have come to something else since.
  const done = doneIn(document.runs);
  const runs = changeChosen(document.runs, chosenBy(finished.map(({ record }) => record.id)), () => null);
  const outcomes = finished.map(({ record: { id, partitionKey, assets }, set }) => ({
    set,
    partitionKey,
    assets: assets.filter(({ asset }) => !done.get(id)?.has(asset)),
  }));
  return withStatuses({ ...document, runs }, outcomes);
}

/** Runs that have made some of their assets and go on. */
function progressRuns(
  document: StateDocument,
  progress: ReadonlyMap<string, readonly AssetOutcome[]>,
): StateDocument {
  const outcomes = [...progress].flatMap(([id, assets]) => {
    const found = findRun(document.runs, id);
    if (found === undefined) return [];
    return [{ set: found.runs.set, partitionKey: found.run.partitionKey, assets }];
  });
  const runs = changeChosen(document.runs, chosenBy(progress.keys()), (part) => withProgress(part, progress));
  return withStatuses({ ...document, runs }, outcomes);
}

interface OutcomesOfRun {
  readonly set: string | null;
  readonly partitionKey: string | null;
  readonly assets: readonly AssetOutcome[];
}

/** What each key of each asset came to; a later run of the same key wins. */
function withStatuses(document: StateDocument, runs: readonly OutcomesOfRun[]): StateDocument {
  const outcomes = new Map<string, { query: CountQuery; letters: Map<string | null, MadeLetter> }>();
  for (const { set, partitionKey, assets } of runs) {
    for (const { asset, status } of assets) {
      if (status !== 'SUCCESS' && status !== 'FAILURE') continue;
      const name = JSON.stringify([asset, set]);
      const outcome = outcomes.get(name) ?? { query: { asset, set }, letters: new Map() };
      outcomes.set(name, outcome);
      const before = outcome.letters.get(partitionKey);
      const isRemake = before === 'm' || before === 'F';
      outcome.letters.set(partitionKey, status === 'SUCCESS' ? 'm' : isRemake ? 'F' : 'f');
    }
  }
  let changed = document;
  for (const { query, letters } of outcomes.values()) {
    const entry = withOutcomes(changed, query, letters);
    changed = { ...changed, assets: { ...changed.assets, [query.asset]: entry } };
  }
  return changed;
}

function keysOf(document: StateDocument, set: string): readonly string[] {
  return entryOf(document.sets, set)?.keys ?? [];
}

function mapEntries<T>(
  entries: Readonly<Record<string, T>>,
  change: (entry: T, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, change(entry, name)]));
}
