/** What the JSON store has to know of a plan besides what it changes in the document. */
import type { RunRecord } from '../../model/run.ts';
import type { StateChange } from '../changes.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { Needs } from '../needs.ts';

/** Whether it reads what is beside the state. */
export function needsPast({ runPages, ticks }: Needs): boolean {
  return (runPages ?? ticks) !== undefined;
}

export function finishedIn(changes: readonly StateChange[]): RunRecord[] {
  return changes.flatMap((change) =>
    change.type === 'runs-finished' ? change.runs.map(({ record }) => record) : [],
  );
}

/** Ids of those that the document does not have yet. */
export function newExecutors({ executors }: StateDocument, changes: readonly StateChange[]): string[] {
  return changes.flatMap((change) =>
    change.type === 'executor' && !executors.some(({ id }) => id === change.id) ? [change.id] : [],
  );
}
