/** What is on record of a run: for whoever keeps its values. */
import type { StateStore } from '../../state/store.ts';
import type { SettledRun } from '../../definitions/staged-values.ts';

/** A run is recorded before it leaves the state, and one that is still there has had no end. */
export function madeBy(
  store: Pick<StateStore, 'runs'>,
): (run: string) => Promise<Pick<SettledRun, 'assets' | 'isOver'>> {
  return async (run) => {
    const [record] = (await store.runs({ ids: [run] })).runs;
    const made = record?.assets.filter(({ status }) => status === 'SUCCESS') ?? [];
    return { assets: made.map(({ asset }) => asset), isOver: record?.finishedAt !== null };
  };
}
