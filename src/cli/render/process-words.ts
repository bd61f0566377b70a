/** Words for what other processes have in hand, or have left behind. */
import { clean, counted, printable, quoted } from '../../model/text.ts';
import type { WaitsFor } from '../../engine/plan/executors/waits-for.ts';
import type { ProgramsLeft, RunLetGo, RunsLeftAlone, Stopping } from '../../engine/event.ts';
import type { Output } from '../output.ts';

/** So many runs are named. */
const MOST_NAMED = 10;

export function sayLeft(output: Output, event: ProgramsLeft | RunsLeftAlone): void {
  if (event.type === 'programs-left') sayProgramsLeft(output, event);
  else sayLeftAlone(output, event);
}

function sayLeftAlone(output: Output, { count, isAtLeast, assets }: RunsLeftAlone): void {
  const named = assets.slice(0, MOST_NAMED).map(printable).join(', ');
  const more = assets.length > MOST_NAMED ? `, and ${assets.length - MOST_NAMED} more` : '';
  output.warn(
    `${isAtLeast ? 'at least ' : ''}${counted(count, 'queued run')} left to other workers: this pipeline does not have ${counted(assets.length, 'asset')}: ${named}${more}`,
  );
}

/** What is left of a killed process's programs is a warning: they may work beside what begins now. */
export function sayProgramsLeft(output: Output, { host, of, ended, mayBeLeft }: ProgramsLeft): void {
  const isSensor = 'sensor' in of;
  const what = isSensor
    ? `sensor '${of.sensor}'`
    : `${counted(of.runs.length, 'run')} (${of.runs.slice(0, MOST_NAMED).join(', ')})`;
  const whose = `of ${what} whose process was killed`;
  if (ended > 0) output.note(`ended ${counted(ended, 'program')} ${whose}`);
  if (mayBeLeft)
    output.warn(
      `programs ${whose} may still be at work on ${host}: they cannot be seen or ended from here; look for ${isSensor ? 'DYNPART_SENSOR' : 'DYNPART_RUN'} in the environment of processes there`,
    );
}

const LET_GO: Record<RunLetGo['why'], string> = {
  unexecuted: 'not executed, and still to be made',
  interrupted: 'interrupted',
  lost: "not this process's any more",
};

export function wordsForLetGo({ id, partitionKey, why }: RunLetGo): string {
  return `run ${id}${forKey(partitionKey)}: ${LET_GO[why]}`;
}

export function wordsForWaiting(waitsFor: WaitsFor): string {
  if (waitsFor.for === 'pool')
    return waitsFor.others === 0
      ? `waiting: pool ${printable(waitsFor.pool)} allows no call now`
      : `waiting: pool ${printable(waitsFor.pool)} is full: ${counted(waitsFor.others, 'run')} of other processes ${waitsFor.others === 1 ? 'has' : 'have'} its places`;
  const who = `process ${waitsFor.pid} on ${clean(waitsFor.host)}`;
  return waitsFor.for === 'work'
    ? `waiting: ${who} has asset ${quoted(waitsFor.asset)}${forKey(waitsFor.partitionKey)} in hand (run ${waitsFor.run})`
    : `waiting: ${who} executes ${counted(waitsFor.runs, 'run')}, and the concurrency allows no more`;
}

export function wordsForStopping({ waitsFor, unfinished }: Stopping): string {
  const keys = waitsFor.flatMap(({ partitionKey }) =>
    partitionKey === null ? [] : [printable(partitionKey)],
  );
  const named = keys.length === 0 ? '' : ` (${keys.slice(0, 3).join(', ')}${keys.length > 3 ? ', …' : ''})`;
  const then = unfinished === 'canceled' ? 'is canceled' : 'goes back to the queue';
  return `stopping: waiting for ${counted(waitsFor.length, 'run')}${named}; what does not end now ${then}; Ctrl-C again leaves at once`;
}

/** Keys that a selection by state left alone. */
export function waitingInWords(count: number): string {
  return `${counted(count, 'key')} waiting for what is above`;
}

/** The key of a run, behind the name of what is made for it. */
export function forKey(key: string | null): string {
  return key === null ? '' : ` for ${printable(key)}`;
}
