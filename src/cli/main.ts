/** The composition root: the only place that picks implementations, catches everything, and sets the exit code. */
import manifest from '../../package.json' with { type: 'json' };
import { errno, refusalOf } from '../files/system-errors.ts';
import { FailureError } from '../model/failure.ts';
import { clean } from '../model/text.ts';
import { describeThrown } from '../model/thrown.ts';
import type { Clock } from '../model/time.ts';
import { brokenArgument } from './command-line/broken-argument.ts';
import { exitProcess } from './isolation/exit-process.ts';
import type { Context } from './context.ts';
import { tellWhenNothingIsLeft } from './nothing-left.ts';
import { Output } from './output.ts';
import { flagsToPrint } from './printed-commands.ts';
import { Project } from './project.ts';
import { type ExitCode, worst } from './exit-code.ts';
import { Interrupts } from './interrupts.ts';
import { declared } from './command-table.ts';
import type { Invocation } from './command-line/invocation.ts';
import { readPlainly } from './command-line/read-plainly.ts';
import { refuse } from './command-line/refuse.ts';
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
  const broken = brokenArgument(args);
  const code =
    cwd !== null && broken === null
      ? await run(args, terminal, systemClock)
      : await unusable(cwd === null ? null : broken, args, terminal);
  // What could not be shown may have been done all the same, and a script must not take what it got for everything.
  const whole = terminal.stdout.hasFailed ? worst([code as ExitCode, 5]) : code;
  // Everything is written. User code may have left timers and sockets behind: nobody waits for them.
  exitProcess(whole);
}

async function unusable(broken: string | null, args: readonly string[], terminal: Terminal): Promise<number> {
  const { endUnusable } = await import('./command-line/unusable.ts');
  return endUnusable(broken, args, terminal).code;
}

/** Where the command was started, unless somebody has removed that folder. */
function currentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
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
  await context.output.prepare();
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
  const flags = await flagsToPrint(options);
  terminal.flags = flags;
  const output = new Output({ terminal, clock, options, flags });
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
  const args =
    given[0] === 'help'
      ? await (await import('./command-line/unread-line.ts')).asFlag(given.slice(1))
      : given;
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
    const { endUnread } = await import('./command-line/unread-line.ts');
    return endUnread(error, { args, terminal, said, asked });
  }
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
