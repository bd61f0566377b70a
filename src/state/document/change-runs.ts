/** What becomes of runs, from the queue to their ends. */
import { keysOf, withMadeAt, withSensor, withStatuses } from './change-entries.ts';
import { lastMadeBy } from './last-times.ts';
import { withTouchedHere } from './outcomes-of-runs.ts';
import {
  changeChosen,
  type Chosen,
  chosenBy,
  doneIn,
  findRun,
  groupOf,
  withCanceling,
  withLetters,
  withProgress,
} from './run-columns.ts';
import { spend } from './spent-run-keys.ts';
import type { RunGroup, StateDocument } from './state-document.ts';
import { type AssetOutcome, runId } from '../../model/run.ts';
import type { FinishedRun, QueuedRuns, StaleAssets, StateChange } from '../changes.ts';

type RunsClaimed = Extract<StateChange, { readonly type: 'runs-claimed' }>;

export function queueRuns(document: StateDocument, runs: QueuedRuns, owner: string | null): StateDocument {
  const queued = { ...document, runs: [...document.runs, groupOf(runs, owner, document.serial + 1)] };
  return spendRunKeys(queued, runs);
}

function spendRunKeys(document: StateDocument, runs: QueuedRuns): StateDocument {
  const { sensor, runKeys, retryOf } = runs;
  if (sensor === null || runKeys === null || retryOf !== null) return document;
  return withSensor(document, sensor, (entry) => ({
    ...entry,
    runKeys: spend(entry.runKeys, runs, runKeys, runs.set === null ? [] : keysOf(document, runs.set)),
  }));
}

export function claimRuns(document: StateDocument, { ids, owner, interrupted }: RunsClaimed): StateDocument {
  return withRuns(document, ids, (part) => ({
    ...part,
    owner,
    ownedSince: document.serial + 1,
    status: backInQueue(part),
    interrupted: withLetters(part.interrupted, part.numbers, (number, letter) =>
      interrupted.has(`${part.id}-${number}`) ? String(Number(letter) + 1) : letter,
    ),
    startedAt: {},
  }));
}

export function releaseRuns(document: StateDocument, ids: Iterable<string>): StateDocument {
  return withRuns(document, ids, (part) => ({
    ...part,
    owner: null,
    ownedSince: 0,
    status: backInQueue(part),
    startedAt: {},
  }));
}

/** @param times when each of them was started */
export function startRuns(document: StateDocument, times: ReadonlyMap<string, string>): StateDocument {
  return withRuns(document, times.keys(), (part) => ({
    ...part,
    status: withLetters(part.status, part.numbers, (_, letter) => (letter === 'q' ? 's' : letter)),
    startedAt: {
      ...part.startedAt,
      ...Object.fromEntries(part.numbers.map((number) => [number, times.get(`${part.id}-${number}`)!])),
    },
  }));
}

export function cancelRuns(
  document: StateDocument,
  { ids, why }: Extract<StateChange, { readonly type: 'runs-canceling' }>,
): StateDocument {
  return withRuns(document, ids, (part) => withCanceling(part, why ?? null));
}

function withRuns(
  document: StateDocument,
  ids: Iterable<string>,
  change: (part: RunGroup) => RunGroup,
): StateDocument {
  return { ...document, runs: changeChosen(document.runs, chosenBy(ids), change) };
}

/** One that is to be canceled stays so, whoever has it. */
function backInQueue({ status, numbers }: RunGroup): string {
  return withLetters(status, numbers, (_, letter) => (letter === 'c' ? 'c' : 'q'));
}

export function finishRuns(document: StateDocument, finished: readonly FinishedRun[]): StateDocument {
  // What is on record counts once: another run may have come to something else since.
  const done = doneIn(document.runs);
  const chosen = chosenBy(finished.map(({ record }) => record.id));
  const [owners, touched] = leavingOf(document.runs, chosen);
  const runs = changeChosen(document.runs, chosen, () => null);
  const outcomes = finished.map(({ record, set, stale, asked }) => {
    const { id, partitionKey, assets, finishedAt } = record;
    return {
      set,
      partitionKey,
      assets: assets.filter(({ asset }) => !done.get(id)?.has(asset)),
      stale: withTouchedHere(stale, touched.get(id), document.serial + 1),
      owner: owners.get(id) ?? null,
      failedAt: finishedAt,
      asked,
    };
  });
  const recorded = withStatuses({ ...document, runs }, (statuses) => statuses.recordRuns(outcomes));
  return withMadeAt(recorded, lastMadeBy(finished));
}

/** Runs that have made some of their assets and go on. */
export function progressRuns(
  document: StateDocument,
  progress: ReadonlyMap<string, readonly AssetOutcome[]>,
  stale: ReadonlyMap<string, StaleAssets> = new Map(),
): StateDocument {
  const outcomes = [...progress].flatMap(([id, assets]) => {
    const found = findRun(document.runs, id);
    if (found === undefined) return [];
    const { runs, run } = found;
    const { partitionKey } = run;
    const changed = withTouchedHere(stale.get(id), run.touched, document.serial + 1);
    return [{ set: runs.set, partitionKey, assets, stale: changed, owner: runs.owner }];
  });
  const runs = changeChosen(document.runs, chosenBy(progress.keys()), (part) => withProgress(part, progress));
  return withStatuses({ ...document, runs }, (statuses) => statuses.recordRuns(outcomes));
}

type TouchedOfRun = NonNullable<RunGroup['touched']>[string];

/** Of runs that leave: whose they are (parts of a group may have different owners), and for what of them something has changed. */
function leavingOf(
  groups: readonly RunGroup[],
  chosen: Chosen,
): [ReadonlyMap<string, string | null>, ReadonlyMap<string, TouchedOfRun>] {
  const owners = new Map<string, string | null>();
  const found = new Map<string, TouchedOfRun>();
  for (const { id, numbers, owner, touched } of groups) {
    const those = chosen.get(id);
    if (those === undefined) continue;
    for (const number of numbers) if (those.has(number)) owners.set(runId(id, number), owner);
    for (const [number, of] of Object.entries(touched ?? {}))
      if (those.has(Number(number))) found.set(runId(id, Number(number)), of);
  }
  return [owners, found];
}
