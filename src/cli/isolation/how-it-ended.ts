/** What the end of a process means for the asset that it had in hand. */
import type { Failure } from '../../model/failure.ts';

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it printed last, not by way of its log. */
  readonly said: string;
  /** The error that nothing waited for, by which it ended. */
  readonly strayed: string | undefined;
}

interface Of {
  readonly run: string;
  readonly asset: string;
  readonly key: string | null;
}

/** As V8 says it before it ends the process. */
const OUT_OF_MEMORY = /heap out of memory|heap limit|Allocation failed|out of memory: /i;

const MOST_SAID = 500;

export function failureOfEnd(of: Of, { code, signal, said, strayed }: ProcessEnd): Failure {
  if (strayed !== undefined)
    return { reason: 'process-died', ...of, how: 'an error that nothing waited for', said: strayed };
  if (OUT_OF_MEMORY.test(said)) return { reason: 'process-out-of-memory', ...of };
  if (code !== null && signal === null) return { reason: 'process-exited', ...of, code };
  const how =
    signal === 'SIGKILL'
      ? 'SIGKILL, by hand or for want of memory'
      : (signal ?? 'for no reason that is known');
  return { reason: 'process-died', ...of, how, said: lastLine(said) };
}

function lastLine(said: string): string {
  return (said.trimEnd().split('\n').at(-1) ?? '').slice(-MOST_SAID).toWellFormed();
}
