/** A failure in words, as `--json` shows it and as records keep it. */
import { ERROR_LIMIT, recordable } from './recordable.ts';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** A problem as records keep it: an error may name a hundred thousand keys, or hold all that a program printed. */
export function recordedProblem(problem: Problem | null): Problem | null {
  if (problem === null) return null;
  const { message, hint } = problem;
  return {
    ...problem,
    message: recordable(message, ERROR_LIMIT),
    hint: hint === null ? null : recordable(hint, ERROR_LIMIT),
  };
}
