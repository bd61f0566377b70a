/** What an executor notes in its file while user code of its runs is at work: a line each, read when the executor is dead or blocked. */
import type { ProgramNote } from '../state-view.ts';

export interface ExecutorNotes {
  /** Runs whose user code has begun and not ended. */
  readonly begun: ReadonlyMap<string, BegunNote>;
  /** Programs of these runs. */
  readonly programs: readonly ProgramNote[];
}

export interface BegunNote {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Milliseconds that its code may keep the event loop from turning. */
  readonly mayBlockMs: number;
}

export const begunLine = (runId: string, { at, mayBlockMs }: BegunNote): string =>
  `begun ${runId} ${at} ${mayBlockMs}\n`;
export const endedLine = (runId: string): string => `ended ${runId}\n`;
export const programLine = ({ runId, group, number }: ProgramNote): string =>
  `program ${runId} ${group} ${number}\n`;

/** The notes as they are written. */
export function linesOf({ begun, programs }: ExecutorNotes): string {
  const lines = [...begun].map(([runId, note]) => begunLine(runId, note));
  return [...lines, ...programs.map(programLine)].join('');
}

export function notesIn(text: string): ExecutorNotes {
  const begun = new Map<string, BegunNote>();
  const programs = new Map<string, ProgramNote[]>();
  // What stands behind the last line's end was torn, and may look like another run's id.
  for (const line of text.split('\n').slice(0, -1)) {
    const [word, runId = '', ...rest] = line.split(' ');
    if (word === 'begun') {
      const { at } = begun.get(runId) ?? { at: rest[0] ?? '' };
      begun.set(runId, { at, mayBlockMs: Number(rest[1] ?? Infinity) });
    } else if (word === 'program') {
      const note = { runId, group: Number(rest[0]), number: Number(rest[1]) };
      programs.set(runId, [...(programs.get(runId) ?? []), note]);
    } else if (word === 'ended') {
      begun.delete(runId);
      programs.delete(runId);
    }
  }
  return { begun, programs: [...programs.values()].flat() };
}
