/** A random history from its first step to its end. */
import { EVERYTHING } from '../../src/state/needs.ts';
import { ASSETS, demand } from './history-model.ts';
import { same } from './history-same.ts';
import { verify } from './history-verify.ts';
import type { SharedState } from './history-stores.ts';
import { snapshot } from './history-snapshot.ts';
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
      snapshots.push(await snapshot(world));
    }
    await drain(world);
    snapshots.push(await snapshot(world));
    for (const [what, count] of world.tally) tally.add(what, count);
    for (const status of world.model.finished.values()) tally.add(`run ${status}`);
    for (const why of world.model.canceledFor.values()) tally.add(`canceled: ${why}`);
    tally.add('canceled for two reasons', world.model.canceledAgain);
    tally.add('run interrupted', world.model.interrupted);
    tally.add('asset on record before its run', world.model.progressed);
  } finally {
    await world.dispose();
  }
  return snapshots;
}

/** Whatever was queued comes to its end when all doors open and a worker is there. */
async function untilIdle(world: HistoryWorld): Promise<void> {
  for (const process of world.processes()) process.killAt = null;
  world.contender = null;
  for (let round = 0; ; round++) {
    demand(round < 100, 'every queued run comes to its end', world.model.pending);
    for (const process of world.processes()) for (const go of process.evaluating.values()) go();
    await world.settle();
    const doors = world.openDoors();
    for (const door of doors) door.open(true);
    await world.clock.advance(600);
    await verify(world);
    if (doors.length > 0 || world.processes().some(({ isIdle }) => !isIdle)) continue;
    if (world.model.pending.length === 0) break;
    await world.step({ do: 'take up', slot: 0, all: true });
  }
}

async function drain(world: HistoryWorld): Promise<void> {
  await untilIdle(world);
  const view = await world.operator.hand.store.read(EVERYTHING);
  const left = view.executors().filter(({ alive }) => alive);
  same(
    left.map(({ id }) => world.owners.get(id)),
    [],
    'who still stands in the state',
  );
  await tellTheRest(world);
}

/** A hook that did not take what it was told is called again after an hour at most. */
async function tellTheRest(world: HistoryWorld): Promise<void> {
  // What failed is made by then, as far as it can be: it is told that this is over.
  await world.step({ do: 'tell', slot: 0, hearing: 'works', gatherMs: 0 });
  const failed = {
    keys: null,
    missing: false,
    failed: true,
    waits: false,
    add: false,
    newest: false,
  } as const;
  for (const { name } of ASSETS) {
    const choice = { assets: [name], limit: null, ...failed };
    await world.step({ do: 'materialize', slot: 0, choice, runs: true });
  }
  await untilIdle(world);
  for (let round = 0; round < 3; round++) {
    await world.clock.advance(3_600_001);
    await world.step({ do: 'tell', slot: 0, hearing: 'works', gatherMs: 0 });
  }
  world.told.verifyEnd();
}
