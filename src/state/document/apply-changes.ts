/** What each change does to the document. Pure: the document that is given stays as it was. */
import { withMadeAt, withMapping, withSensor, withSet, withStatuses } from './change-entries.ts';
import type { Mapping } from '../store.ts';
import { addKeys, letInKeys, removeKeys, updateKeys } from './change-keys.ts';
import { askUnasked, expectKeys, rememberPipeline } from './change-pipeline.ts';
import {
  cancelRuns,
  claimRuns,
  finishRuns,
  progressRuns,
  queueRuns,
  releaseRuns,
  startRuns,
} from './change-runs.ts';
import { type Incidents, isNothing } from '../../model/incident.ts';
import { hasAddedKeys, lastMade } from './last-times.ts';
import { changePools } from './change-pools.ts';
import type { ExecutorEntry, StateDocument } from './state-document.ts';
import type { StateChange } from '../changes.ts';

/** Who is known to be an executor but owns nothing yet: its entry is made by the first change that names it. */
export type KnownExecutors = (id: string) => ExecutorEntry | undefined;

/** The document after all changes, in order. The serial is not raised here. */
export function applyChanges(
  document: StateDocument,
  changes: readonly StateChange[],
  executors: KnownExecutors,
  mapping: Mapping | null = null,
): StateDocument {
  // Another pipeline asks by its own functions.
  const asks = mapping !== null && changes[0]?.type !== 'pipeline-known';
  const begun = withMapping(document, mapping);
  return changes.reduce(
    (before, change) => applyChange(before, change, executors),
    asks ? askUnasked(begun) : begun,
  );
}

function applyChange(document: StateDocument, change: StateChange, executors: KnownExecutors): StateDocument {
  switch (change.type) {
    case 'keys-added':
      return withStatuses(
        withSet(document, change.set, (set) => addKeys(set, change)),
        (statuses) => statuses.keysAdded(change.set, change.keys),
      );
    case 'keys-updated':
      return updateKeys(document, change);
    case 'keys-marked':
      return withMadeAt(
        withStatuses(document, (statuses) => statuses.mark(change.asset, change.set, change.keys, change.as)),
        lastMade(change),
      );
    case 'keys-removed':
      return removeKeys(
        withStatuses(document, (statuses) => statuses.keysRemoved(change.set, change.keys)),
        change.set,
        change.keys,
        change.keepOut,
      );
    case 'keys-let-in':
      return withSet(document, change.set, (set) => letInKeys(set, change.keys));
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
    case 'runs-queued':
      return queueRuns(document, change.runs, change.owner);
    case 'runs-claimed':
      return claimRuns(document, change);
    case 'runs-released':
      return releaseRuns(document, change.ids);
    case 'runs-started':
      return startRuns(document, change.runs);
    case 'runs-progressed':
      return progressRuns(document, change.runs, change.stale);
    case 'runs-canceling':
      return cancelRuns(document, change);
    case 'runs-finished':
      return finishRuns(document, change.runs);
    case 'executor': {
      const known = document.executors.find(({ id }) => id === change.id) ?? executors(change.id);
      if (known === undefined) throw new Error(`executor ${change.id} never entered`);
      const entry = { ...known, slots: change.slots, wants: change.wants };
      return { ...document, executors: [...document.executors.filter(({ id }) => id !== change.id), entry] };
    }
    case 'pools':
      return changePools(document, change);
    case 'executor-left':
      if (document.runs.some(({ owner }) => owner === change.id)) return document;
      return { ...document, executors: document.executors.filter(({ id }) => id !== change.id) };
    case 'moved': {
      const { move: _, ...here } = document;
      return change.mark === null ? here : { ...here, move: change.mark };
    }
    case 'pipeline-known':
      return expectKeys(rememberPipeline(document, change.pipeline), change);
    case 'incidents':
      return withIncidents(document, change.incidents);
  }
}

/** Before what stands at the end. Where there is nothing, nothing is said of it. */
function withIncidents(document: StateDocument, incidents: Incidents): StateDocument {
  const { incidents: _, writers, ...rest } = document;
  return isNothing(incidents) ? { ...rest, writers } : { ...rest, incidents, writers };
}
