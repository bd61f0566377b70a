/** A tick in a few words, for a table and for what is said while it happens. */
import type { TickRecord } from '../../model/tick.ts';
import { AUTOMATION } from '../../model/run.ts';
import { clean, counted } from '../../model/text.ts';

/** What came of a tick, in a few words. */
export function wordsForTick(tick: TickRecord): string {
  const counts = { added: 0, updated: 0, removed: 0 };
  for (const { added, updated, removed } of tick.partitions) {
    counts.added += added.length;
    counts.updated += updated.length;
    counts.removed += removed.length;
  }
  const { truncated } = tick;
  const runs = tick.runs.length + (truncated?.runs ?? 0);
  switch (tick.status) {
    case 'BUSY':
      return tick.busy === null
        ? 'busy: it was changed while it was evaluated'
        : `busy: process ${tick.busy.pid} on ${tick.busy.host} has been evaluating it since ${tick.busy.since}`;
    case 'FAILURE':
      return `failed: ${clean(tick.error?.message ?? '')}`;
    case 'SKIPPED':
      return [
        `nothing new${tick.skipReason === null ? '' : ` (${clean(tick.skipReason)})`}`,
        ...failed(tick),
      ].join(', ');
    case 'SUCCESS':
      return [
        ...(counts.added > 0 ? [`${counted(counts.added, 'key')} added`] : []),
        ...(counts.updated > 0 ? [`${counted(counts.updated, 'key')} updated`] : []),
        ...(counts.removed > 0 ? [`${counted(counts.removed, 'key')} removed`] : []),
        ...(runs > 0 ? [`${counted(runs, 'run')} queued`] : []),
        ...(tick.skippedRunKeys.length > 0
          ? [`${counted(tick.skippedRunKeys.length, 'run key')} launched before`]
          : []),
        ...(tick.skipReason === null ? [] : [`no runs (${clean(tick.skipReason)})`]),
        ...failed(tick),
        ...((truncated?.keys ?? 0) > 0 ? [`${counted(truncated!.keys, 'more key')} not listed`] : []),
      ].join(', ');
  }
}

function failed({ sensor, failures }: TickRecord): string[] {
  const what = sensor === AUTOMATION ? ['set', 'left alone'] : ['part', 'failed'];
  return failures.length === 0 ? [] : [`${counted(failures.length, what[0]!)} ${what[1]}`];
}
