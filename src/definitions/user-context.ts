/** What dynpart hands to user code besides its input: a log, a way to run programs, an abort signal. */
import type { Options, Result } from 'execa';
import type { Secret } from './secret.ts';

/** A log of the run or tick. `dynpart runs logs` shows it. Values behind the message are written as `console.log` writes them. */
export interface Log {
  readonly debug: (message: unknown, ...values: readonly unknown[]) => void;
  readonly info: (message: unknown, ...values: readonly unknown[]) => void;
  readonly warn: (message: unknown, ...values: readonly unknown[]) => void;
  readonly error: (message: unknown, ...values: readonly unknown[]) => void;
}

/** What dynpart decides itself: when the program is ended, and what with it. */
type Decided =
  | 'cancelSignal'
  | 'gracefulCancel'
  | 'encoding'
  | 'detached'
  | 'cleanup'
  | 'killSignal'
  | 'forceKillAfterDelay'
  | 'env';

/**
 * Options of execa 9, as far as they are the user's, and two of dynpart's. `maxBuffer` is 100,000,000 characters unless given: a program
 * that prints more is ended, and fails.
 */
export type ExecOptions = Omit<Options, Decided> & {
  /** Added to the environment of this process. `secret('…')` as a value is never shown. */
  readonly env?: Readonly<Record<string, string | Secret | undefined>>;
  /**
   * Keeps the terminal: for programs that ask something of a person there (`ssh`, `sudo`). Such a program is no process
   * group of its own, and only the program itself is ended with its run. Default `false`.
   */
  readonly terminal?: boolean;
};

/**
 * Runs a program and waits until it has ended (execa 9). Its output goes to the log as well as into the result.
 *
 * The program leads a process group: all of it is ended when the run is aborted (SIGTERM, SIGKILL ten seconds later), and
 * what the program left behind in it ends with the run. Its standard input is empty unless `input`, `inputFile`, `stdin`
 * or `stdio` is given.
 *
 * @param file the program, looked up in `PATH`; never a shell line, so that no key can be taken for shell syntax
 * @param args a `secret('…')` among them is given to the program and shown as `***`
 * @throws execa's `ExecaError` when the program fails, is not found or is ended: its message has the command, how it ended,
 *   and the last lines that it printed
 */
export type Exec = (
  file: string,
  args?: readonly (string | Secret)[],
  options?: ExecOptions,
) => Promise<Result & { stdout: string; stderr: string }>;
