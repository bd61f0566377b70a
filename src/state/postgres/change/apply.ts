/** What each change does to the tables: a statement or two for each, in the order of the changes. */
import type { KnownPipeline } from '../../../model/known-pipeline.ts';
import type { MoveMark } from '../../../model/move-mark.ts';
import type { StateChange } from '../../changes.ts';
import type { Port } from '../port.ts';
import { addKeys, letIn, removeKeys, updateKeys } from './keys.ts';
import { claimRuns, markCanceling, releaseRuns, startRuns } from './runs.ts';
import { dropValues, finishRuns, noteMade, progressRuns, type ValueOf } from './ends.ts';
import { lastMade } from '../../document/last-times.ts';
import { queueRuns } from './queue.ts';
import { changeExecutor, changeIncidents, changePools, changeSensor, executorLeft } from './others.ts';
import { askUnasked, rememberPipeline } from './pipeline.ts';
import { changeStatuses, keysChanged, setsBelow } from './statuses.ts';
import type { Mapping } from '../../store.ts';
import type { EnteredExecutor } from '../executors.ts';

export interface Applying {
  readonly valueOf: ValueOf;
  /** That of this commit. */
  readonly serial: number;
  readonly mapping: Mapping | null;
  /** As the state remembers it: the changes before this one may have brought another one. */
  pipeline: KnownPipeline | null;
  /** Noted with the commit. */
  move: MoveMark | null;
  /** Executors of this process: their row is made by the first change that names them. */
  readonly entered: (id: string) => EnteredExecutor | undefined;
}

/** What a change needs to know of the tables is waited for; of what it writes, nothing is. */
export async function applyChanges(
  port: Port,
  changes: readonly StateChange[],
  applying: Applying,
): Promise<void> {
  // Another pipeline asks by its own functions.
  if (applying.mapping !== null && changes[0]?.type !== 'pipeline-known') await askUnasked(port, applying);
  for (const change of changes) await applyChange(port, change, applying);
}

async function applyChange(port: Port, change: StateChange, applying: Applying): Promise<void> {
  const { serial, entered } = applying;
  switch (change.type) {
    case 'keys-added': {
      const { set, keys } = change;
      addKeys(port, change);
      await keysChanged(port, applying, { set, keys }, (statuses) => statuses.keysAdded(set, keys));
      return;
    }
    case 'keys-updated': {
      const { set } = change;
      const changed = await updateKeys(port, change);
      if (changed.length > 0)
        await changeStatuses(
          port,
          applying,
          [{ set, keys: changed }, ...setsBelow(applying.pipeline, { keysOf: set })],
          (statuses) => statuses.changeVersions(set, changed),
        );
      return;
    }
    case 'keys-marked': {
      const { asset, set, keys, as } = change;
      const below = setsBelow(applying.pipeline, { assets: [asset] });
      await changeStatuses(port, applying, [{ set, keys }, ...below], (statuses) =>
        statuses.mark(asset, set, keys, as),
      );
      noteMade(port, lastMade(change));
      if (as === 'skipped')
        dropValues(
          port,
          keys.map((key) => ({ asset, key: key ?? '' })),
        );
      return;
    }
    case 'keys-removed': {
      const { set, keys } = change;
      await keysChanged(port, applying, { set, keys }, (statuses) => statuses.keysRemoved(set, keys));
      removeKeys(port, change);
      return;
    }
    case 'keys-let-in':
      return letIn(port, change);
    case 'sensor-changed':
      return changeSensor(port, change);
    case 'runs-queued':
      return queueRuns(port, change, serial);
    case 'runs-claimed':
      return claimRuns(port, change, serial);
    case 'runs-released':
      return releaseRuns(port, change.ids);
    case 'runs-started':
      return startRuns(port, change.runs);
    case 'runs-progressed':
      return progressRuns(port, change, applying);
    case 'runs-canceling':
      return markCanceling(port, change);
    case 'runs-finished':
      return finishRuns(port, change.runs, applying);
    case 'executor':
      return changeExecutor(port, change, entered(change.id));
    case 'pools':
      return changePools(port, change);
    case 'executor-left':
      return executorLeft(port, change.id);
    case 'incidents':
      return changeIncidents(port, change.incidents);
    case 'moved':
      applying.move = change.mark;
      return;
    case 'pipeline-known':
      return rememberPipeline(port, change, applying);
  }
}
