/** What the history of a store has, for tests that look at nothing else. */
import type { RunRecord } from '../../src/model/run.ts';
import type { RunQuery } from '../../src/state/run-query.ts';
import type { StateStore } from '../../src/state/store.ts';

/** Finished runs, newest first. */
export async function finishedRuns(
  store: Pick<StateStore, 'runs'>,
  query: RunQuery = {},
): Promise<RunRecord[]> {
  const { limit = Infinity, ...others } = query;
  const { runs } = await store.runs(others);
  return runs.filter(({ finishedAt }) => finishedAt !== null).slice(0, limit);
}
