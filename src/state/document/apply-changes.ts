/** What each change does to the document. Pure: the document that is given stays as it was. */
import { carryingOf } from './carried-columns.ts';
import { withCarried, withColumns } from './change-carried.ts';
import { put, timesWithout, without } from './columns.ts';
import { positionsOf } from './key-positions.ts';
import {
  changeChosen,
  type Chosen,
  chosenBy,
  doneIn,
  findRun,
  groupOf,
  withLetters,
  withProgress,
  withTouched,
} from './run-columns.ts';
import {
  EMPTY_SET,
  entryOf,
  type ExecutorEntry,
  NEW_SENSOR,
  type RunGroup,
  type SensorEntry,
  type SetEntry,
  type SpentRunKeys,
  type StateDocument,
} from './state-document.ts';
import { hasAddedKeys, lastMade, lastMadeBy } from './last-times.ts';
import { StatusChanges } from './status-changes.ts';
import { withoutKeys } from './status-column.ts';
import { withoutVersions } from './change-versions.ts';
import { NOTHING_CARRIED } from '../../model/carried.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import { type AssetOutcome, runId } from '../../model/run.ts';
import type { FinishedRun, QueuedRuns, StaleAssets, StateChange } from '../changes.ts';

type KeysAdded = Extract<StateChange, { readonly type: 'keys-added' }>;
type PipelineKnown = Extract<StateChange, { readonly type: 'pipeline-known' }>;
type KeysUpdated = Extract<StateChange, { readonly type: 'keys-updated' }>;

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
      return withSet(document, change.set, (set) => addKeys(set, change));
    case 'keys-updated':
      return updateKeys(document, change);
    case 'keys-marked':
      return withMadeAt(
        withStatuses(document, (statuses) => statuses.mark(change.asset, change.set, change.keys, change.as)),
        lastMade(change),
      );
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
        ...(hasAddedKeys(change.tick) && { quietSince: change.tick!.finishedAt }),
        ...(change.periods !== undefined && { periods: { ...sensor.periods, ...change.periods } }),
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
      return progressRuns(document, change.runs, change.stale);
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
      return expectKeys(rememberPipeline(document, change.pipeline), change);
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

function addKeys(set: SetEntry, { keys, at, carried }: KeysAdded): SetEntry {
  if (keys.length === 0) return set;
  const last = set.added.at(-1);
  const added =
    last?.[1] === at
      ? [...set.added.slice(0, -1), [last[0] + keys.length, at] as const]
      : [...set.added, [keys.length, at] as const];
  const grown = { ...set, keys: set.keys.concat(keys), added };
  if (carried === undefined) return grown;
  return withCarried(
    grown,
    keys.map((_, number) => set.keys.length + number),
    carried,
  );
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
  const chosen = chosenBy(finished.map(({ record }) => record.id));
  const owners = ownersOf(document.runs, chosen);
  const runs = changeChosen(document.runs, chosen, () => null);
  const outcomes = finished.map(({ record, set, stale = NONE_STALE, asked }) => {
    const { id, partitionKey, assets, finishedAt } = record;
    return {
      set,
      partitionKey,
      assets: assets.filter(({ asset }) => !done.get(id)?.has(asset)),
      stale,
      owner: owners.get(id) ?? null,
      failedAt: finishedAt,
      asked,
    };
  });
  const recorded = withStatuses({ ...document, runs }, (statuses) => statuses.recordRuns(outcomes));
  return withMadeAt(recorded, lastMadeBy(finished));
}

/** Of assets of which something is on record; what was removed meanwhile may have been all. */
function withMadeAt(document: StateDocument, times: ReadonlyMap<string, string>): StateDocument {
  if (times.size === 0) return document;
  return {
    ...document,
    assets: mapEntries(document.assets, (entry, name) => {
      const madeAt = times.get(name);
      return madeAt === undefined || madeAt <= (entry.madeAt ?? '') ? entry : { ...entry, madeAt };
    }),
  };
}

/** Runs that have made some of their assets and go on. */
function progressRuns(
  document: StateDocument,
  progress: ReadonlyMap<string, readonly AssetOutcome[]>,
  stale: ReadonlyMap<string, StaleAssets> = new Map(),
): StateDocument {
  const outcomes = [...progress].flatMap(([id, assets]) => {
    const found = findRun(document.runs, id);
    if (found === undefined) return [];
    const { runs, run } = found;
    const { partitionKey } = run;
    return [{ set: runs.set, partitionKey, assets, stale: stale.get(id) ?? NONE_STALE, owner: runs.owner }];
  });
  const runs = changeChosen(document.runs, chosenBy(progress.keys()), (part) => withProgress(part, progress));
  return withStatuses({ ...document, runs }, (statuses) => statuses.recordRuns(outcomes));
}

const NONE_STALE: StaleAssets = new Map();

/** Parts of a group may have different owners. */
function ownersOf(groups: readonly RunGroup[], chosen: Chosen): ReadonlyMap<string, string | null> {
  const owners = new Map<string, string | null>();
  for (const { id, numbers, owner } of groups) {
    const those = chosen.get(id);
    if (those === undefined) continue;
    for (const number of numbers) if (those.has(number)) owners.set(runId(id, number), owner);
  }
  return owners;
}

function updateKeys(document: StateDocument, { set: name, keys, carried }: KeysUpdated): StateDocument {
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

/** Nothing that was made knows of a pipeline's functions, but of its assets' code, and of what is to be made by itself. */
function rememberPipeline(document: StateDocument, pipeline: KnownPipeline): StateDocument {
  const before = new Map(document.pipeline?.assets.map((asset) => [asset.name, asset]));
  const codes = new Map<string, string>();
  const changed = withStatuses({ ...document, pipeline }, (statuses) => {
    for (const { name, set, codeVersion, automate, takesBacklog } of pipeline.assets) {
      const entry = entryOf(document.assets, name);
      if (codeVersion !== undefined && entry !== undefined && entry.codeVersion !== codeVersion) {
        codes.set(name, codeVersion);
        if (entry.codeVersion !== undefined) statuses.changeCode(name, set);
      }
      const was = before.get(name);
      // What has no keys was never in a set before.
      const isOwed = automate === undefined || takesBacklog === true || set === null;
      if (isOwed) statuses.setBacklog(name, set, false);
      else if (was?.automate === undefined || was.set !== set) statuses.setBacklog(name, set, true);
    }
  });
  return {
    ...changed,
    assets: mapEntries(changed.assets, (entry, name) => {
      const codeVersion = codes.get(name);
      return codeVersion === undefined ? entry : { ...entry, codeVersion };
    }),
  };
}

/** Of sensors that have brought nothing before new keys were expected of them. */
function expectKeys(document: StateDocument, { pipeline, at }: PipelineKnown): StateDocument {
  return pipeline.sensors.reduce(
    (before, { name, newKeysEveryMs }) =>
      newKeysEveryMs === undefined || entryOf(before.sensors, name)?.quietSince !== undefined
        ? before
        : withSensor(before, name, (sensor) => ({ ...sensor, quietSince: at })),
    document,
  );
}

function withStatuses(document: StateDocument, change: (statuses: StatusChanges) => void): StateDocument {
  const statuses = new StatusChanges(document);
  change(statuses);
  return {
    ...document,
    assets: statuses.entries(),
    runs: withTouched(document.runs, statuses.touched, document.serial + 1),
  };
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
