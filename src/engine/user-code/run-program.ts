/** Runs a program for user code: execa, in a process group of its own, bound to the log and to the abort signal. */
import { execa, ExecaError, type Options } from 'execa';
import { plainText, type Secret, secretIn } from '../../definitions/secret.ts';
import type { Exec, ExecOptions } from '../../definitions/user-context.ts';
import { startTimer } from './timer.ts';
import type { ExecContext } from './exec.ts';
import type { ProcessGroup } from './programs.ts';

/** A program that keeps the terminal is killed so long after it was asked to end. */
const KILL_AFTER_MS = 10_000;

export interface Program {
  readonly file: string;
  readonly args: readonly (string | Secret)[];
  readonly options: ExecOptions;
}

export async function runProgram(context: ExecContext, { file, args, options }: Program): ReturnType<Exec> {
  const { writer, signal, programs } = context;
  const { terminal = false, env = {}, ...others } = options;
  const processes = await programs.processes();
  // Between the abort and now the user's code had no chance to notice it.
  signal.throwIfAborted();
  const grouped = processes.haveGroups && !terminal;
  const secrets = [...args, ...Object.values(env)].flatMap((value) => secretIn(value) ?? []);
  for (const secret of secrets) writer.hide(secret);
  const subprocess = execa(file, args.map(plainText), {
    ...(isStdinGiven(options) ? {} : { stdin: 'ignore' }),
    ...(others as Options),
    env: { ...plainEnvironment(env), ...programs.marksOfNext(grouped) },
    detached: grouped,
    cleanup: !grouped,
    forceKillAfterDelay: grouped ? false : KILL_AFTER_MS,
    // The group is told to end as a whole; execa would tell its leader a second time.
    ...(grouped ? {} : { cancelSignal: signal }),
  });
  const group =
    grouped && subprocess.pid !== undefined ? programs.started(subprocess.pid, processes) : undefined;
  const printed = { chunks: 0 };
  for (const name of ['stdout', 'stderr'] as const) {
    subprocess[name]?.on('data', (chunk: Buffer | string) => {
      printed.chunks++;
      writer.write(name, chunk);
    });
  }
  subprocess.once('exit', () => {
    group?.leaderEnded();
    void letGoOfPipes(subprocess.stdio, printed);
  });
  const stopEnding = group === undefined ? undefined : endInTime(group, signal, options.timeout);
  try {
    return (await subprocess) as Awaited<ReturnType<Exec>>;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.timedOut || error.isMaxBuffer) await group?.end();
    throw Object.assign(shortError(error, secrets), { isCanceled: signal.aborted });
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

/** Of a long command, and of what it printed last, so many letters and lines are in the message. */
const MOST_COMMAND = 1000;
const MOST_TAIL = 2000;
const MOST_TAIL_LINES = 20;

/** The command, how it ended and what it said last. All that it printed is in the log. */
function shortError(error: ExecaError, secrets: readonly string[]): ExecaError {
  const hidden = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  const before = error.message;
  const [short, command] = [hidden(error.shortMessage), hidden(error.command)];
  const tail = hidden(tailOf(error.stderr) || tailOf(error.stdout));
  const said = short.replace(command, () => beginningOf(command));
  const message = tail === '' ? said : `${said}\n${tail}`;
  const stack = (error.stack ?? '').replace(before, () => message);
  return Object.assign(error, {
    message,
    shortMessage: said,
    originalMessage: hidden(error.originalMessage ?? ''),
    command,
    escapedCommand: hidden(error.escapedCommand),
    stack,
  });
}

function beginningOf(command: string): string {
  return command.length <= MOST_COMMAND ? command : `${command.slice(0, MOST_COMMAND).toWellFormed()}…`;
}

function tailOf(printed: unknown): string {
  const text = Array.isArray(printed) ? printed.slice(-MOST_TAIL_LINES).join('\n') : printed;
  if (typeof text !== 'string') return '';
  // From the end: what was printed may be as long as the memory allows.
  const end = text.slice(-MOST_TAIL).toWellFormed().trimEnd();
  const lines = end.split('\n');
  const isCut = text.length > MOST_TAIL || lines.length > MOST_TAIL_LINES;
  return `${isCut ? '…' : ''}${lines.slice(-MOST_TAIL_LINES).join('\n')}`;
}
