/** What each change does to the tables: a statement or two for each, in the order of the changes. */
import { fail } from '../../../model/failure.ts';
import type { StateChange } from '../../changes.ts';
import type { Port } from '../port.ts';
import { addKeys, letIn, removeKeys } from './keys.ts';
import { claimRuns, markCanceling, releaseRuns, startRuns } from './runs.ts';
import { finishRuns, progressRuns } from './ends.ts';
import { queueRuns } from './queue.ts';
import { changeExecutor, changeSensor, executorLeft, rememberPipeline } from './others.ts';
import type { EnteredExecutor } from '../executors.ts';

export interface Applying {
  /** That of this commit. */
  readonly serial: number;
  /** Executors of this process: their row is made by the first change that names them. */
  readonly entered: (id: string) => EnteredExecutor | undefined;
}

function notYet(): never {
  return fail({
    reason: 'usage',
    message: 'a state in PostgreSQL keeps no versions, items and marks yet',
    hint: 'add the keys alone, or keep the state in a file',
  });
}

export async function applyChange(
  port: Port,
  change: StateChange,
  { serial, entered }: Applying,
): Promise<void> {
  switch (change.type) {
    case 'keys-added':
      if (change.carried?.some(({ version, item }) => version !== null || item !== null)) notYet();
      return addKeys(port, change);
    case 'keys-updated':
    case 'keys-marked':
      return notYet();
    case 'keys-removed':
      return removeKeys(port, change);
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
      return progressRuns(port, change.runs);
    case 'runs-canceling':
      return markCanceling(port, change.ids);
    case 'runs-finished':
      return finishRuns(port, change.runs);
    case 'executor':
      return changeExecutor(port, change, entered(change.id));
    case 'executor-left':
      return executorLeft(port, change.id);
    case 'pipeline-known':
      return rememberPipeline(port, change.pipeline);
  }
}
