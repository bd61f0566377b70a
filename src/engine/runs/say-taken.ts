/** Says which runs a process has taken up. */
import type { Claim } from '../plan/executors/take-up.ts';
import type { Emit } from '../event.ts';

/** Also those that ended instead: they had been interrupted too often, or were being canceled. */
export function sayTaken({ owned, ended }: Claim, left: number, emit: Emit): void {
  if (owned.length > 0) emit({ type: 'runs-taken-up', count: owned.length });
  for (const { record } of ended) emit({ type: 'run-finished', run: record, canceledByOthers: false, left });
}
