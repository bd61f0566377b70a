/** Runs a program for user code: execa, in a process group of its own, bound to the log and to the abort signal. */
import { execa, ExecaError, type Options } from 'execa';
import { plainText, type Secret, secretIn } from '../../definitions/secret.ts';
import type { Exec, ExecOptions } from '../../definitions/user-context.ts';
import { takeTerminal } from './at-terminal.ts';
import { startTimer } from './timer.ts';
import type { LineWriter } from './output.ts';
import { LastSaid, shortError } from './program-error.ts';
import { ProgramOutput } from './program-output.ts';
import type { ProcessGroup, Programs } from './programs.ts';

/** A program that keeps the terminal is killed so long after it was asked to end. */
const KILL_AFTER_MS = 10_000;

/** For whom it is run. */
export interface ExecContext {
  /** Gets what the program prints. */
  readonly writer: LineWriter;
  /** Its signal says that the program is to end, and is asked for when there is one. */
  readonly cut: { readonly signal: AbortSignal };
  readonly programs: Programs;
}

export interface Program {
  readonly file: string;
  readonly args: readonly (string | Secret)[];
  readonly options: ExecOptions;
}

export async function runProgram(context: ExecContext, program: Program): ReturnType<Exec> {
  const giveTerminalBack = program.options.terminal === true ? takeTerminal() : undefined;
  try {
    return await run(context, program);
  } finally {
    giveTerminalBack?.();
  }
}

async function run(context: ExecContext, { file, args, options }: Program): ReturnType<Exec> {
  const { programs } = context;
  const { signal } = context.cut;
  const { terminal = false, env = {}, ...others } = options;
  const processes = await programs.processes();
  // Between the abort and now the user's code had no chance to notice it.
  signal.throwIfAborted();
  const grouped = processes.haveGroups && !terminal;
  const secrets = [...args, ...Object.values(env)].flatMap((value) => secretIn(value) ?? []);
  const said = new LastSaid();
  // Lines of its own: another program of the same code may be in the middle of one.
  const writer = context.writer.beside(said.take);
  for (const secret of secrets) writer.hide(secret);
  const subprocess = execa(file, args.map(plainText), {
    ...(isStdinGiven(options) ? {} : { stdin: 'ignore' }),
    ...(others as Options),
    // Read here: execa makes one message of all that a program printed, and V8 ends the process where that is long.
    buffer: false,
    env: { ...plainEnvironment(env), ...programs.marksOfNext(grouped) },
    detached: grouped,
    cleanup: !grouped,
    forceKillAfterDelay: grouped ? false : KILL_AFTER_MS,
    // The group is told to end as a whole; execa would tell its leader a second time.
    ...(grouped ? {} : { cancelSignal: signal }),
  });
  const group =
    grouped && subprocess.pid !== undefined ? programs.started(subprocess.pid, processes) : undefined;
  const output = new ProgramOutput(subprocess, options, {
    onText: (stream, text) => writer.write(stream, text),
    onTooMuch: (what) => {
      subprocess.kill(new Error(what));
      void group?.end();
    },
  });
  subprocess.once('exit', () => {
    group?.leaderEnded();
    void letGoOfPipes(subprocess.stdio, output);
  });
  const stopEnding = group === undefined ? undefined : endInTime(group, signal, options.timeout);
  try {
    const ended: unknown = await subprocess.catch((error: unknown) => error);
    const isFailed = ended instanceof ExecaError;
    if (!isFailed && ended instanceof Error) throw ended;
    if (isFailed && (ended.timedOut || output.tooMuch !== undefined)) await group?.end();
    const result = Object.assign(ended as Awaited<ReturnType<Exec>>, output.kept());
    if (!isFailed) return result;
    writer.end();
    const { tooMuch } = output;
    const error = shortError(ended, { tail: said.tail(), secrets, tooMuch, isCanceled: signal.aborted });
    if (options.reject === false) return result;
    throw error;
  } finally {
    stopEnding?.();
    writer.end();
  }
}

/** Without input of its own a program reads an empty one: a question would be asked of nobody, for ever. */
function isStdinGiven({ stdin, input, inputFile, stdio }: ExecOptions): boolean {
  return [stdin, input, inputFile, stdio].some((given) => given !== undefined);
}

function plainEnvironment(env: ExecOptions['env']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env ?? {}).map(([name, value]) => [name, value === undefined ? value : plainText(value)]),
  );
}

/** All of the group, as soon as the signal is aborted or execa's own `timeout` is over. */
function endInTime(group: ProcessGroup, signal: AbortSignal, timeout = 0): () => void {
  const end = (): void => void group.end();
  const stopTimer = startTimer(timeout > 0 ? timeout : Infinity, end);
  signal.addEventListener('abort', end);
  return () => {
    stopTimer();
    signal.removeEventListener('abort', end);
  };
}

/** So long nothing more has come, and what the program printed before its end has been read. */
const QUIET_MS = 10;

/** What others print into the same pipes for ever is not waited for. */
const MOST_LOOKS = 20;

/** The program has ended. Its pipes may be held by what it left behind: what is in them is read, and no more. */
async function letGoOfPipes(pipes: readonly unknown[], printed: { readonly chunks: number }): Promise<void> {
  for (let looks = 0; looks < MOST_LOOKS && pipes.some(isOpen); looks++) {
    const { chunks } = printed;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    // Timers come before what was read: only then has it been seen whether there was something.
    await new Promise((resolve) => setImmediate(resolve));
    if (printed.chunks === chunks) break;
  }
  for (const pipe of pipes) if (isOpen(pipe)) pipe.destroy();
}

interface Pipe {
  readonly readableEnded: boolean;
  destroy(): void;
}

function isOpen(pipe: unknown): pipe is Pipe {
  return typeof pipe === 'object' && pipe !== null && 'readableEnded' in pipe && !pipe.readableEnded;
}
