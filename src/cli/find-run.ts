/** Finds a run by its id, in the state or in the history. */
import { fail } from '../model/failure.ts';
import { nearest } from '../model/nearest.ts';
import type { RunRecord } from '../model/run.ts';
import { pendingRecord, pendingRecords } from '../engine/plan/run-records.ts';
import type { StateView } from '../state/slice.ts';
import type { Context } from './context.ts';

/** A run, wherever it is. @throws FailureError with the nearest ids */
export async function findRun(context: Context, view: StateView, id: string): Promise<RunRecord> {
  const pending = pendingRecord(view, id);
  if (pending !== undefined) return pending;
  const [finished] = await context.project.store.finishedRuns({ limit: 1, where: (run) => run.id === id });
  if (finished !== undefined) return finished;
  const recent = [
    ...pendingRecords(view).slice(-1000),
    ...(await context.project.store.finishedRuns({ limit: 1000 })),
  ].map((run) => run.id);
  return fail({
    reason: 'unknown-name',
    thing: 'run',
    names: [id],
    nearest: nearest(id, recent),
    known: recent.length,
  });
}
