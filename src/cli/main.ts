/** The composition root: the only place that picks implementations, catches everything, and sets the exit code. */
import type { CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { errno, refusalOf } from '../files/system-errors.ts';
import { FailureError, type Failure } from '../model/failure.ts';
import { describe } from '../model/describe-failure.ts';
import { clean, quoted, toJson } from '../model/text.ts';
import { describeThrown } from '../model/thrown.ts';
import type { Clock } from '../model/time.ts';
import { brokenArgument } from './command-line/broken-argument.ts';
import { exitProcess } from './isolation/exit-process.ts';
import type { Context } from './context.ts';
import { tellWhenNothingIsLeft } from './nothing-left.ts';
import { Output } from './output.ts';
import { Project } from './project.ts';
import { type ExitCode, worst } from './exit-code.ts';
import { Interrupts } from './interrupts.ts';
import { declared, declaredAll } from './command-table.ts';
import type { Invocation } from './command-line/invocation.ts';
import { readPlainly } from './command-line/read-plainly.ts';
import type { Result } from './json-results.ts';
import { refuseSwallowedFlags } from './command-line/swallowed-flag.ts';
import { systemClock } from './system-clock.ts';
import { processTerminal, type Terminal } from './terminal.ts';

const { version } = manifest;

/** The command line of this process. */
export async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const cwd = currentFolder();
  const terminal = processTerminal(cwd ?? '/');
  // Whatever else of the user's code never settles.
  tellWhenNothingIsLeft(() => exitProcess(refuse({ reason: 'pipeline-unsettled' }, args, terminal).code));
  const unusable = whyUnusable(args, cwd);
  const code =
    unusable === null ? await run(args, terminal, systemClock) : refuse(unusable, args, terminal).code;
  // What could not be shown may have been done all the same, and a script must not take what it got for everything.
  const whole = terminal.stdout.hasFailed ? worst([code as ExitCode, 5]) : code;
  // Everything is written. User code may have left timers and sockets behind: nobody waits for them.
  exitProcess(whole);
}

/** Where the command was started, unless somebody has removed that folder. */
function currentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

/** What of the process around it makes any command impossible. */
function whyUnusable(args: readonly string[], cwd: string | null): Failure | null {
  if (cwd === null)
    return {
      reason: 'usage',
      message: 'the current folder is not there any more',
      hint: 'go to another folder, and run the command again',
    };
  const broken = brokenArgument(args);
  if (broken !== null)
    return {
      reason: 'usage',
      message: `argument ${quoted(broken)} holds bytes that are not UTF-8`,
      hint: 'a key is UTF-8 text; nothing was changed',
    };
  return null;
}

/** The only catch: a failure is said in words, anything else is a bug of dynpart's. */
async function reporting<Made>(output: Output, step: () => Promise<Made>): Promise<Made | undefined> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof FailureError) output.fail(error.failure);
    else if (isSystemError(error))
      output.fail({
        reason: 'state-io',
        file: error.path ?? 'a file',
        action: error.syscall,
        ...refusalOf(error),
      });
    else if (isTooLong(error))
      output.fail({
        reason: 'usage',
        message: 'what this command has to say is longer than the 512 MiB that one text can have',
        hint: 'what it has done is on record; ask for less at a time, as with --limit and --prefix',
      });
    else reportBug(output, error);
    return undefined;
  }
}

async function runCommand(context: Context, { run: command }: Invocation): Promise<Result | null> {
  await context.output.preparePaint();
  await context.project.findState();
  try {
    return await command(context);
  } catch (error) {
    if (!(error instanceof FailureError) || !/^unknown-(?:keys|name)$/.test(error.failure.reason))
      throw error;
    const { isNotThere, toldMore } = await import('./what-is-not-there.ts');
    if (!isNotThere(error.failure)) throw error;
    throw new FailureError(await toldMore(context.project.store, error.failure));
  }
}

/** One command, on any terminal. Answers with its exit code. */
export async function run(args: readonly string[], terminal: Terminal, clock: Clock): Promise<number> {
  const parsed = await parse(args, terminal);
  if ('code' in parsed) return parsed.code;
  const { options } = parsed;
  const output = new Output({ terminal, clock, options });
  const project = new Project({ terminal, clock, version, options, output });
  const interrupts = new Interrupts();
  const ownFolder = import.meta.dirname;
  const context = { output, project, terminal, clock, interrupts, version, ownFolder };
  const result = await reporting(output, () => runCommand(context, parsed));
  // Also when the command failed: what it did before that is in the document.
  const print = (what: Result | null | undefined) => () => {
    output.printResult(what);
    return Promise.resolve(true);
  };
  // One that is too long to be printed leaves room for the error alone.
  if (!(await reporting(output, print(result)))) await reporting(output, print({} as Result));
  await project.close().catch(() => undefined);
  return output.exitCode(interrupts.code);
}

async function parse(
  given: readonly string[],
  terminal: Terminal,
): Promise<Invocation | { readonly code: number }> {
  const args = given[0] === 'help' ? await asFlag(given.slice(1)) : given;
  let invocation: Invocation | undefined;
  let said = '';
  let asked = '';
  const output = {
    writeOut: (text: string) => void (asked += text),
    writeErr: (text: string) => void (said += text),
  };
  try {
    const commands = await declared(args);
    refuseSwallowedFlags(commands, args);
    const plain = readPlainly(commands, args);
    if (plain !== null) return plain;
    const { createProgram } = await import('./command-line/program.ts');
    createProgram({
      declared: commands,
      version,
      output,
      onInvocation: (found) => (invocation = found),
    }).parse(args, { from: 'user' });
    return invocation!;
  } catch (error) {
    if (error instanceof FailureError) return refuse(error.failure, args, terminal);
    const { code, exitCode, message } = error as CommanderError;
    if (typeof code !== 'string' || !code.startsWith('commander.')) throw error;
    if (exitCode === 0) {
      const name = code === 'commander.version' ? 'version' : 'help';
      terminal.stdout.write(wantsJson(args) ? `${toJson({ [name]: asked.trimEnd() })}\n` : asked);
      return { code: 0 };
    }
    if (HINTED.test(code)) {
      const hint = await hintFor(code, args, said);
      if (hint !== null) return refuse({ ...usageOf(code, said), hint }, args, terminal);
    }
    // No command, or only a group of commands: its help is the answer, but a script has made a mistake.
    if (code === 'commander.help') {
      if (wantsJson(args))
        return refuse(
          { reason: 'usage', message: 'no command was given', hint: 'see: dynpart --help' },
          args,
          terminal,
        );
      terminal.stderr.write(said);
      return { code: 2 };
    }
    return refuse(usageOf(code, said === '' ? message : said), args, terminal);
  }
}

/** `help runs logs` as `runs logs --help`. What is no command is left to be named as that. */
async function asFlag(words: readonly string[]): Promise<readonly string[]> {
  const { isCommand } = await import('./command-line/command-meant.ts');
  return isCommand(await declaredAll(), words) ? [...words, '--help'] : words;
}

const HINTED = /^commander\.(?!help|version)/;

/** What only the whole table of contents can tell. It is read where there is a mistake to mend. */
async function hintFor(code: string, args: readonly string[], said: string): Promise<string | null> {
  const { hintFor: hintOf } = await import('./command-line/command-meant.ts');
  return hintOf(await declaredAll(), { code, args, said });
}

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

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}

/** A command that could not even be read has no context: its flags are looked for by hand. */
function refuse(failure: Failure, args: readonly string[], terminal: Terminal): { readonly code: number } {
  const problem = describe(failure);
  if (wantsJson(args)) terminal.stdout.write(`${toJson({ error: problem })}\n`);
  else
    terminal.stderr.write(
      `error: ${clean(problem.message)}\n${problem.hint === null ? '' : `  ${clean(problem.hint)}\n`}`,
    );
  return { code: 2 };
}

/** The system refused something where nobody has words of their own for it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly syscall: string } {
  return error instanceof Error && 'syscall' in error && 'errno' in error && errno(error) !== undefined;
}

/** V8's own words: there is no other sign of it. */
function isTooLong(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Invalid string length';
}

function reportBug(output: Output, error: unknown): void {
  const { message } = describeThrown(error);
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  output.terminal.stderr.write(
    `this is a bug in dynpart ${version} (node ${process.version}); please report it:\n${clean(stack || message)}\n`,
  );
  output.endWith(
    { code: 'bug', message, hint: 'this is a bug in dynpart, please report it with the stack' },
    1,
  );
}
