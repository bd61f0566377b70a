/** Queued runs, as a tick lists them. Pure. */
import { runId } from '../../../model/run.ts';
import type { TickRun } from '../../../model/tick.ts';
import type { QueuedRuns } from '../../../state/changes.ts';

/** At most so many, and how many are not listed. */
export function tickRuns(
  queued: readonly QueuedRuns[],
  most: number,
): { readonly listed: TickRun[]; readonly left: number } {
  const listed: TickRun[] = [];
  let left = 0;
  for (const { group, firstNumber, keys, runKeys, assets } of queued) {
    const count = Math.min(keys.length, most - listed.length);
    for (let at = 0; at < count; at++) {
      const id = runId(group, firstNumber + at);
      listed.push({ id, partitionKey: keys[at]!, runKey: runKeys?.[at] ?? null, assets, status: 'QUEUED' });
    }
    left += keys.length - count;
  }
  return { listed, left };
}
