/** Past ticks of one sensor, from the two places that have them: the history, and the state, which has the last tick that changed the sensor. */
import type { TickRecord } from '../model/tick.ts';

/** Newest first, each time it is asked. */
export type RecordedTicks = () => Iterable<TickRecord>;

/**
 * Newest first. A process that was killed between its commit and the history left its tick in the state alone: there it comes
 * first.
 */
export function* pastTicks(inState: TickRecord | null, recorded: RecordedTicks): Generator<TickRecord> {
  if (inState !== null && !isRecorded(inState, recorded)) yield inState;
  yield* recorded();
}

/** The last tick that evaluated the sensor: a busy one evaluated nothing. */
export function lastTick(inState: TickRecord | null, recorded: RecordedTicks): TickRecord | null {
  for (const tick of pastTicks(inState, recorded)) if (tick.status !== 'BUSY') return tick;
  return null;
}

/**
 * Whether somebody else has recorded a tick by the time that its own process comes to it: whoever commits the next one records
 * this one first.
 */
export function isRecordedByOthers(
  tick: TickRecord,
  inState: TickRecord | null,
  recorded: RecordedTicks,
): boolean {
  const { before, after } = tick.cursor;
  const isCommitted = tick.status === 'SUCCESS' || before !== after;
  const isReplaced = inState !== null && inState.startedAt !== tick.startedAt;
  return isCommitted && isReplaced && isRecorded(tick, recorded);
}

/** Whether the tick that the state has is in the history, too. */
export function isRecorded({ startedAt }: TickRecord, recorded: RecordedTicks): boolean {
  let isNewest = true;
  for (const tick of recorded()) {
    if (tick.status === 'BUSY') continue;
    if (tick.startedAt === startedAt || (isNewest && tick.startedAt > startedAt)) return true;
    // Where the clock was set back, a tick that looks newer than the newest may stand before it. Rare: then all are looked at.
    isNewest = false;
  }
  return false;
}
