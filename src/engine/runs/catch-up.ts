/** A process that stood still hears late of what others did to its runs: it looks at the state before it keeps what it made. */
import type { OwnRuns } from './own-runs.ts';

/** The state is looked at twice as often: this is for who was paused, or whose event loop was blocked. */
const FRESH_MS = 1000;

/** A process may be paused in the midst of its look, again and again; and a state may take longer to be read. */
const MOST_LOOKS = 3;

/** @returns what is called before something is kept: when it has resolved, runs that others have taken up are lost here */
export function catchesUp(runs: OwnRuns): () => void | Promise<void> {
  let looking: Promise<unknown> | undefined;
  const look = (): Promise<unknown> => runs.look({ always: false }).finally(() => (looking = undefined));
  const catchUp = async (): Promise<void> => {
    for (let looks = 0; looks < MOST_LOOKS && !runs.newest.isFresh(FRESH_MS); looks++)
      await (looking ??= look());
  };
  return () => (runs.newest.isFresh(FRESH_MS) ? undefined : catchUp());
}
