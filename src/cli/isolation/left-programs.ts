/** Ends what a killed process left of the programs of its runs or of a sensor: processes that carry the mark, and no others. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ANY_RUN,
  type LeftBehind,
  type LeftEnded,
  PROGRAM_MARK,
  RUN_MARK,
} from '../../engine/user-code/programs.ts';
import { environmentOf, livingProcesses } from '../../files/proc.ts';
import { GONE_AFTER_MS, KILL_AFTER_MS, sent } from './signals.ts';

const LOOK_EVERY_MS = 20;

export async function endLeft(left: LeftBehind, killAfterMs = KILL_AFTER_MS): Promise<LeftEnded> {
  const ended = new Set<number>();
  let found = look(left);
  for (const [signal, waitMs] of [
    ['SIGTERM', killAfterMs],
    ['SIGKILL', GONE_AFTER_MS],
  ] as const) {
    const told = new Set<number>();
    const until = performance.now() + waitMs;
    for (; found.members.length > 0 && performance.now() < until; found = look(left)) {
      // One that came meanwhile, as a child of those, is told as well.
      for (const pid of found.members.filter((one) => !told.has(one))) {
        told.add(pid);
        ended.add(pid);
        sent(pid, signal);
        sent(pid, 'SIGCONT');
      }
      await sleep(LOOK_EVERY_MS);
    }
  }
  return { ended: ended.size, mayBeLeft: found.members.length > 0 || found.isUnsure };
}

interface Found {
  readonly members: readonly number[];
  /** Processes of these groups are there, and it cannot be seen whose they are. */
  readonly isUnsure: boolean;
}

function look({ starter, runs, programs }: LeftBehind): Found {
  const groups = new Set(programs.map(({ group }) => group));
  const living = livingProcesses();
  if (living === null) return { members: [], isUnsure: [...groups].some((group) => sent(-group, 0)) };
  const noted = new Set(programs.map(({ number }) => `${starter}.${number}`));
  const members: number[] = [];
  let isUnsure = false;
  for (const { pid, group } of living) {
    const environment = environmentOf(pid);
    if (environment === undefined) isUnsure ||= groups.has(group);
    const mark = environment?.get(PROGRAM_MARK);
    if (mark === undefined) continue;
    const isOfStarter = mark.startsWith(`${starter}.`);
    const run = environment?.get(RUN_MARK) ?? '';
    if (runs !== null && !runs.has(run) && !(run === ANY_RUN && isOfStarter)) continue;
    // One run's programs of several processes may be met here; a sensor's are those of the one that evaluated it.
    if (runs === null && !isOfStarter) continue;
    // A program that was started and could not be noted any more has its group from its start. All others of the mark that
    // are in another group made themselves one, and go on.
    if (groups.has(group) || (isOfStarter && !noted.has(mark))) members.push(pid);
  }
  return { members, isUnsure };
}
