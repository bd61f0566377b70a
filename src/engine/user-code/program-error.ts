/** The failure of a program in few words: its command, how it ended, and what it said last. */
import type { ExecaError } from 'execa';
import type { LogLine } from '../../model/tick.ts';

/** Of a long command, and of what it printed last, so many letters and lines are in the message. */
const MOST_COMMAND = 1000;
const MOST_TAIL = 2000;
const MOST_TAIL_LINES = 20;

/** The last lines of the log that are a program's. */
export class LastSaid {
  readonly #lines = { stdout: [] as string[], stderr: [] as string[] };
  readonly #isCut = { stdout: false, stderr: false };

  readonly take = ({ stream, text }: LogLine): void => {
    if (stream === 'log') return;
    const lines = this.#lines[stream];
    lines.push(text);
    if (lines.length <= MOST_TAIL_LINES) return;
    lines.shift();
    this.#isCut[stream] = true;
  };

  /** Of its errors, if it said any. */
  tail(): string {
    return this.#tailOf('stderr') || this.#tailOf('stdout');
  }

  #tailOf(stream: 'stdout' | 'stderr'): string {
    const text = this.#lines[stream].join('\n');
    const isCut = this.#isCut[stream] || text.length > MOST_TAIL;
    const end = text.slice(-MOST_TAIL).toWellFormed().trimEnd();
    return end === '' ? '' : `${isCut ? '…' : ''}${end}`;
  }
}

export interface AboutFailure {
  /** What it said last. */
  readonly tail: string;
  readonly secrets: readonly string[];
  /** It was ended since it printed more than may be kept. */
  readonly tooMuch: string | undefined;
  readonly isCanceled: boolean;
}

/** The command, how it ended and what it said last. All that it printed is in the log. */
export function shortError(
  error: ExecaError,
  { tail, secrets, tooMuch, isCanceled }: AboutFailure,
): ExecaError {
  const hidden = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  const before = error.message;
  const [short, command, escaped] = [error.shortMessage, error.command, error.escapedCommand].map(hidden) as [
    string,
    string,
    string,
  ];
  const began = inWords(short, error);
  const how = tooMuch === undefined ? began : `Command's ${tooMuch}: ${escaped}`;
  const said = how.replace(escaped, () => beginningOf(escaped));
  const message = tail === '' ? said : `${said}\n${tail}`;
  const stack = (error.stack ?? '').replace(before, () => message);
  return Object.assign(error, {
    message,
    shortMessage: said,
    originalMessage: hidden(error.originalMessage ?? ''),
    command,
    escapedCommand: escaped,
    stack,
    isMaxBuffer: tooMuch !== undefined,
    isCanceled,
  });
}

/** Why a program could not be started: a code of the system alone helps nobody. */
const NOT_STARTED: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program: is it installed, and in PATH?',
  EACCES: 'it is no program that this user may execute',
  EPERM: 'it is not permitted to execute it',
  ENOTDIR: 'a part of its path is a file, not a folder',
  E2BIG:
    'its arguments and environment are longer than the system takes: hand them to its standard input (input), or in a file',
  ENOEXEC: 'it is no program that this machine can execute',
  EAGAIN: 'this user may start no more processes at the moment',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  ENOMEM: 'no memory left',
  ETXTBSY: 'it is being written at the moment',
};

/** With words in front of what node says of a program that could not be started (`spawn x ENOENT`). */
function inWords(short: string, { cause }: ExecaError): string {
  const { syscall, code, message } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  const words = NOT_STARTED[code ?? ''];
  if (!syscall?.startsWith('spawn') || words === undefined || message === undefined) return short;
  return short.replace(message, () => `${words} (${message})`);
}

function beginningOf(command: string): string {
  return command.length <= MOST_COMMAND ? command : `${command.slice(0, MOST_COMMAND).toWellFormed()}…`;
}
