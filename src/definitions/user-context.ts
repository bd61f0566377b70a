/** What dynpart hands to user code besides its input: a log, a way to run programs, an abort signal. */
import type { Options, Result } from 'execa';

/** A log of the run or tick. `dynpart runs logs` shows it. */
export interface Log {
  readonly debug: (message: string) => void;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly error: (message: string) => void;
}

/**
 * Runs a program and waits for it (execa 9). Its output goes to the log as well as into the result, and it is ended
 * when the run is aborted.
 *
 * @param file the program, looked up in `PATH`; never a shell line, so that no key can be taken for shell syntax
 * @throws execa's `ExecaError` when the program fails, is not found or is ended
 */
export type Exec = (
  file: string,
  args?: readonly string[],
  options?: Omit<Options, 'cancelSignal' | 'encoding'>,
) => Promise<Result & { stdout: string; stderr: string }>;
