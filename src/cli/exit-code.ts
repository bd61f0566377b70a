/** The exit codes: a contract with scripts. An unknown code is a failure. */
import { type Subject, subjectOf } from '../model/describe-failure.ts';
import type { Failure } from '../model/failure.ts';

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 10 | 130 | 143;

/** Where several hold, the first of these wins. */
const PRECEDENCE: readonly ExitCode[] = [130, 143, 5, 2, 3, 1, 4, 10];

export function worst(codes: Iterable<ExitCode>): ExitCode {
  const held = new Set(codes);
  return PRECEDENCE.find((code) => held.has(code)) ?? 0;
}

const OF_SUBJECT: Readonly<Record<Subject, ExitCode>> = {
  usage: 2,
  pipeline: 2,
  sensor: 3,
  run: 1,
  state: 5,
};

/** The exit code that a failure stands for. */
export function exitCodeOf(failure: Failure): ExitCode {
  return failure.reason === 'sensor-busy' ? 4 : OF_SUBJECT[subjectOf(failure)];
}
