/** A command line that could not be read, or that asks for help: what is said then. */
import type { CommanderError } from 'commander';
import { type Failure, FailureError } from '../../model/failure.ts';
import { toJson } from '../../model/text.ts';
import { declaredAll } from '../command-table.ts';
import { flagsToPrint } from '../printed-commands.ts';
import type { Terminal } from '../terminal.ts';
import { hintFor, isCommand } from './command-meant.ts';
import { refuse, wantsJson } from './refuse.ts';

export interface Unread {
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** What commander says of it. */
  readonly said: string;
  /** Help, or the version. */
  readonly asked: string;
}

/** @param error why; one that is of neither kind is a bug, and thrown on */
export async function endUnread(
  error: unknown,
  { args, terminal, said, asked }: Unread,
): Promise<{ readonly code: number }> {
  const { words, ...given } = flagsIn(args);
  const flags = await flagsToPrint(given);
  const refused = (failure: Failure): { readonly code: number } => refuse(failure, args, terminal, flags);
  if (error instanceof FailureError) return refused(error.failure);
  const { code, exitCode, message } = error as CommanderError;
  if (typeof code !== 'string' || !code.startsWith('commander.')) throw error;
  if (exitCode === 0) {
    const name = code === 'commander.version' ? 'version' : 'help';
    terminal.stdout.write(wantsJson(args) ? `${toJson({ [name]: asked.trimEnd() })}\n` : asked);
    return { code: 0 };
  }
  if (HINTED.test(code)) {
    const hint = hintFor(await declaredAll(), { code, args: words, said });
    if (hint !== null) return refused({ ...usageOf(code, said), hint });
  }
  // No command, or only a group of commands: its help is the answer, but a script has made a mistake.
  if (code === 'commander.help') {
    if (wantsJson(args))
      return refused({ reason: 'usage', message: 'no command was given', hint: 'see: dynpart --help' });
    terminal.stderr.write(said);
    return { code: 2 };
  }
  return refused(usageOf(code, said === '' ? message : said));
}

/** `help runs logs` as `runs logs --help`. What is no command is left to be named as that. */
export async function asFlag(words: readonly string[]): Promise<readonly string[]> {
  return isCommand(await declaredAll(), words) ? [...words, '--help'] : words;
}

/** Where what is meant can be told from the table of contents. */
const HINTED = /^commander\.(?!help|version)/;

function usageOf(code: string, said: string): Extract<Failure, { reason: 'usage' }> {
  const [message = '', ...rest] = said
    .replace(/^error: /, '')
    .trim()
    .split('\n');
  const suggestion = /Did you mean (.*)\?/.exec(rest.join(' ') || message)?.[1];
  const dashes = code === 'commander.unknownOption' ? ' A key that begins with a dash goes behind --.' : '';
  const hint =
    suggestion === undefined
      ? `see: dynpart --help, or --help behind a command.${dashes}`
      : `did you mean ${suggestion.replace(/^one of /, '')}?${dashes}`;
  return { reason: 'usage', message: message.replace(/ \(Did you mean.*\)$/, ''), hint };
}

interface GivenFlags {
  readonly file?: string;
  readonly state?: string;
  /** The line without them: what they name is no word of a command. */
  readonly words: readonly string[];
}

/** Where the project is, as far as that can be told of a line that is not right. */
function flagsIn(args: readonly string[]): GivenFlags {
  const given: { file?: string; state?: string } = {};
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') return { ...given, words: [...words, ...args.slice(at)] };
    const flag = FLAG.exec(arg);
    const value = flag?.[2] ?? flag?.[4];
    const next = args[at + 1] ?? '-';
    if (flag === null || (value === undefined && next.startsWith('-'))) {
      words.push(arg);
      continue;
    }
    given[flag[1] === 'state' ? 'state' : 'file'] = value ?? next;
    if (value === undefined) at++;
  }
  return { ...given, words };
}

const FLAG = /^(?:--(file|state)(?:=(.*))?|-(f)(.+)?)$/s;
