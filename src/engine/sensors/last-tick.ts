/** The last tick that evaluated a sensor: the newer of what the state and the history have. */
import type { TickRecord } from '../../model/tick.ts';
import type { StateView } from '../../state/slice.ts';
import type { StateStore } from '../../state/store.ts';

export interface LastTick {
  readonly tick: TickRecord | null;
  /** The state has it and the history has not: a process was killed between its commit and the history. */
  readonly isUnrecorded: boolean;
}

/** A busy tick evaluated nothing, so it is none of these. */
export async function lastTickOf(store: StateStore, view: StateView, sensor: string): Promise<LastTick> {
  const inState = view.sensor(sensor).lastTick;
  for (let limit = 1; ; limit *= 10) {
    const ticks = await store.ticks(sensor, limit);
    const inHistory = ticks.find(({ status }) => status !== 'BUSY') ?? null;
    if (inHistory === null && ticks.length === limit) continue;
    const looksNewer = inState !== null && (inHistory === null || inState.startedAt > inHistory.startedAt);
    if (!looksNewer || (await isRecorded(store, inState))) return { tick: inHistory, isUnrecorded: false };
    return { tick: inState, isUnrecorded: true };
  }
}

/** Where the clock was set back, a tick that looks newer than the history's last one may stand before it. Rare: all of it is read. */
async function isRecorded(store: StateStore, { sensor, startedAt }: TickRecord): Promise<boolean> {
  return (await store.ticks(sensor, Infinity)).some(
    (tick) => tick.status !== 'BUSY' && tick.startedAt === startedAt,
  );
}
