/** The command line as commander reads it: help, suggestions, refusals, and all that is not written out plainly. */
import { Command, Help } from 'commander';
import type { Declaration, DeclaredOption } from './declaration.ts';
import { EXAMPLES } from './examples.ts';
import { GLOBAL_NAMES, GLOBAL_OPTIONS, type GlobalOptions, globalOptions } from './global-options.ts';
import type { Invocation } from './invocation.ts';
import { SUMMARIES } from './summaries.ts';

/** Of a terminal as it opens. Fixed, so that `--help` can be prepared, and says the same everywhere. */
const WIDTH = 80;

/** Where commander writes help and its own messages. */
export interface ProgramOutput {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
}

export interface ProgramParts {
  readonly declared: Declaration;
  readonly version: string;
  readonly output: ProgramOutput;
  readonly onInvocation: (invocation: Invocation) => void;
}

export function createProgram({ declared, version, output, onInvocation }: ProgramParts): Command {
  const program = new Command(declared.name);
  // Before any subcommand is made: a subcommand inherits this when the subcommand is made, not later.
  program
    .exitOverride()
    .configureOutput({ ...output, getOutHelpWidth: () => WIDTH, getErrHelpWidth: () => WIDTH })
    .configureHelp({ formatHelp: commandsFirst })
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .helpCommand(false)
    .description(SUMMARIES['dynpart']!)
    .version(version, '-V, --version');
  withGlobals(program);
  addExamples(program, []);
  for (const command of declared.commands) add(command, { parent: program, path: [] }, onInvocation);
  return program;
}

interface Place {
  readonly parent: Command;
  /** The words between `dynpart` and the command's own. */
  readonly path: readonly string[];
}

function add(
  declared: Declaration,
  { parent, path: above }: Place,
  onInvocation: ProgramParts['onInvocation'],
): void {
  const path = [...above, declared.name];
  const summary = declared.summary || (SUMMARIES[path.join(' ')] ?? '');
  const command = parent.command(declared.name, { hidden: declared.isHidden }).description(summary);
  addExamples(command, path);
  if (declared.helpAfter !== '') command.addHelpText('after', declared.helpAfter);
  for (const { spec, description } of declared.arguments) command.argument(spec, description);
  for (const option of declared.options) addOption(command, option);
  const { handler } = declared;
  if (handler !== null) {
    command.action((...given: unknown[]) => {
      given.pop();
      const options: unknown = given.pop();
      onInvocation({
        options: globalsOf(command),
        run: (context) => handler(context, options as never, ...(given as never[])),
      });
    });
  }
  for (const below of declared.commands) add(below, { parent: command, path }, onInvocation);
  // What has nothing in it was not loaded, as it was not typed: only its name is shown.
  if (handler !== null || declared.commands.length > 0) withGlobals(command);
}

function addExamples(command: Command, path: readonly string[]): void {
  const examples = EXAMPLES[path.join(' ')];
  if (examples === undefined) return;
  const title = examples.length === 1 ? 'Example' : 'Examples';
  command.addHelpText('after', `\n${title}:\n${examples.map((line) => `  ${line}`).join('\n')}`);
}

/** Who asks a group for help looks for its commands: they stand before the flags that every command has. */
function commandsFirst(command: Command, helper: Help): string {
  const sections = Help.prototype.formatHelp
    .call(helper, command, helper)
    .trimEnd()
    .split(/\n\n(?=\S)/);
  const commands = sections.filter((section) => section.startsWith('Commands:'));
  const others = sections.filter((section) => !section.startsWith('Commands:'));
  const before = others.findIndex((section) => /^(Global o|O)ptions:/.test(section));
  return `${[...others.slice(0, before), ...commands, ...others.slice(before)].join('\n\n')}\n`;
}

function addOption(
  command: Command,
  { flags, description, parse, initial, isRequired }: DeclaredOption,
): void {
  const add = isRequired ? 'requiredOption' : 'option';
  if (parse === undefined) command[add](flags, description);
  else command[add](flags, description, parse as (text: string, before: unknown) => unknown, initial);
}

/** Global flags may stand before or after a command, so every command has them; its own values stay its own. */
function withGlobals(command: Command): void {
  command.optionsGroup('Global options:');
  for (const option of GLOBAL_OPTIONS) addOption(command, option);
}

/** What was said nearest to the command wins. */
function globalsOf(command: Command): GlobalOptions {
  const said: Record<string, unknown> = {};
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const name of GLOBAL_NAMES) {
      if (said[name] === undefined && at.getOptionValueSource(name) === 'cli')
        said[name] = at.getOptionValue(name);
    }
  }
  return globalOptions(said);
}
