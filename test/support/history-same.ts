/** Compares what is seen with what the model expects. */
import type { TickRecord } from '../../src/model/tick.ts';
import type { HistoryModel } from './history-model.ts';

export function sameTick(tick: TickRecord, expected: ReturnType<HistoryModel['tick']>): void {
  if (expected === null) {
    same(tick.status, 'FAILURE', 'the tick');
    same(tick.cursor.after, tick.cursor.before, 'the cursor of a tick that failed');
    return;
  }
  const { launched, updated, skippedRunKeys, acted } = expected;
  same(
    tick.partitions.flatMap((one) => one.updated.map((key) => `${one.set}/${key}`)).sort(),
    updated.sort(),
    'what the tick updated',
  );
  same(tick.status, acted ? 'SUCCESS' : 'SKIPPED', 'the tick');
  same([...tick.skippedRunKeys].sort(), skippedRunKeys, 'what the tick suppressed');
  const runs = tick.runs.map(
    ({ assets, partitionKey, runKey }) => `${assets.join('+')}@${partitionKey} ${runKey}`,
  );
  same(runs.sort(), launched, 'what the tick launched');
}

export function same(seen: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what} should be ${other}, and is ${one}`);
}
