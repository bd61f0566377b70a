/** A random history from its first step to its end. */
import type { SharedState } from './history-stores.ts';
import type { Step } from './history-steps.ts';
import { HistoryWorld } from './history-world.ts';
import type { ManualClock } from './manual-clock.ts';

export class HistoryTally {
  readonly counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + count);
  }
}

/** Lives through a history to its end, and says what the state was after each step. */
export async function live(
  history: readonly Step[],
  open: (clock: ManualClock) => SharedState,
  tally: HistoryTally,
): Promise<unknown[]> {
  const world = new HistoryWorld(open);
  const snapshots: unknown[] = [];
  try {
    await world.begin();
    for (const step of history) {
      await world.step(step);
      snapshots.push(await world.snapshot());
    }
    await world.drain();
    snapshots.push(await world.snapshot());
    for (const [what, count] of world.tally) tally.add(what, count);
    for (const status of world.model.finished.values()) tally.add(`run ${status}`);
    tally.add('run interrupted', world.model.interrupted);
    tally.add('asset on record before its run', world.model.progressed);
  } finally {
    await world.dispose();
  }
  return snapshots;
}
