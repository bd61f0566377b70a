/** `exec` of a user's context: what runs a program is loaded when the first one is. */
import type { Exec } from '../../definitions/user-context.ts';
import type { LineWriter } from './output.ts';
import type { Programs } from './programs.ts';

export interface ExecContext {
  /** Gets what the program prints. */
  readonly writer: LineWriter;
  /** Its signal says that the program is to end, and is asked for when there is one. */
  readonly cut: { readonly signal: AbortSignal };
  readonly programs: Programs;
}

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
