/** Finds a run by its id, in the state or in the history. */
import { fail } from '../model/failure.ts';
import { nearest } from '../model/nearest.ts';
import type { RunRecord } from '../model/run.ts';
import type { StateStore } from '../state/store.ts';

/** Near ids are looked for among so many. */
const MOST_COMPARED = 2000;

/** A run, wherever it is. @throws FailureError with the nearest ids */
export async function findRun(store: StateStore, id: string): Promise<RunRecord> {
  const [found] = await findRuns(store, [id]);
  return found!;
}

/** Runs, in the order of their ids. @throws FailureError for the first that is not there */
export async function findRuns(store: StateStore, ids: readonly string[]): Promise<RunRecord[]> {
  const { runs } = await store.runs({ ids });
  const byId = new Map(runs.map((run) => [run.id, run]));
  const gone = ids.find((id) => !byId.has(id));
  if (gone !== undefined) {
    const recent = (await store.runs({ limit: MOST_COMPARED })).runs.map(({ id }) => id);
    fail({
      reason: 'unknown-name',
      thing: 'run',
      names: [gone],
      nearest: nearest(gone, recent),
      known: recent.length,
    });
  }
  return ids.map((id) => byId.get(id)!);
}
