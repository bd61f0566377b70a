/** The runs that a plan queues: numbered, in one group for all of the plan. Pure. */
import type { RunHead } from '../../../model/run.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { QueuedRuns } from '../../../state/changes.ts';

export interface RunsMoment {
  readonly now: Millis;
  /** The id of the plan's runs, before their number. */
  readonly group: string;
}

/** The same assets, one run for each key. */
export interface RunsAsked extends Omit<RunHead, 'group' | 'createdAt'> {
  readonly keys: readonly (string | null)[];
  readonly runKeys: readonly (string | null)[] | null;
}

export function queueRuns({ group, now }: RunsMoment, asked: readonly RunsAsked[]): QueuedRuns[] {
  let firstNumber = 1;
  return asked.flatMap((runs) => {
    const { keys, runKeys } = runs;
    if (keys.length === 0) return [];
    const hasRunKeys = runKeys !== null && runKeys.some((runKey) => runKey !== null);
    const queued: QueuedRuns = {
      ...runs,
      group,
      createdAt: isoTime(now),
      firstNumber,
      runKeys: hasRunKeys ? runKeys : null,
    };
    firstNumber += keys.length;
    return [queued];
  });
}

/** How many runs they are. */
export function countRuns(queued: readonly Pick<QueuedRuns, 'keys'>[]): number {
  return queued.reduce((sum, { keys }) => sum + keys.length, 0);
}
