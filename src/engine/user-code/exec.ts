/** `exec` of a user's context: what runs a program is loaded when the first one is. */
import type { Exec } from '../../definitions/user-context.ts';
import type { ExecContext } from './run-program.ts';

/** What the failure of a program says without what it printed, which is in the log already. `undefined` for other errors. */
export function withoutOutput(error: unknown): string | undefined {
  const short = error instanceof Error && 'shortMessage' in error ? error.shortMessage : undefined;
  return typeof short === 'string' ? short : undefined;
}

export function makeExec(context: ExecContext): Exec {
  return async (file, args = [], options = {}) => {
    // execa alone costs as much as the rest of the start-up.
    const { runProgram } = await import('./run-program.ts');
    return runProgram(context, { file, args, options });
  };
}
