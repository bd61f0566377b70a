/** The command line as commander reads it: help, suggestions, refusals, and all that is not written out plainly. */
import { Command } from 'commander';
import type { Declaration, DeclaredOption } from './declaration.ts';
import { GLOBAL_NAMES, GLOBAL_OPTIONS, type GlobalOptions, globalOptions } from './global-options.ts';
import type { Invocation } from './invocation.ts';

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
  // Before any subcommand is made: they inherit it when they are made, not later.
  program
    .exitOverride()
    .configureOutput({ ...output, getOutHelpWidth: () => 100, getErrHelpWidth: () => 100 })
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .helpCommand(false)
    .description(declared.summary)
    .version(version, '-V, --version');
  withGlobals(program);
  for (const command of declared.commands) add(command, program, onInvocation);
  return program;
}

function add(declared: Declaration, parent: Command, onInvocation: ProgramParts['onInvocation']): void {
  const command = parent.command(declared.name, { hidden: declared.isHidden }).description(declared.summary);
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
  for (const below of declared.commands) add(below, command, onInvocation);
  // What has nothing in it was not loaded, as it was not typed: only its name is shown.
  if (handler !== null || declared.commands.length > 0) withGlobals(command);
}

function addOption(
  command: Command,
  { flags, description, parse, initial, isRequired }: DeclaredOption,
): void {
  if (isRequired) command.requiredOption(flags, description);
  else if (parse === undefined) command.option(flags, description);
  else command.option(flags, description, parse as (text: string, before: unknown) => unknown, initial);
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
