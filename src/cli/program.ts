/** The table of contents of the command line. Parsing only finds out what is to be done; `main` does it. */
import { Command } from 'commander';
import type { Act } from './act.ts';
import { assetsCommand } from './commands/assets.ts';
import { materializeCommand } from './commands/materialize.ts';
import { partitionsCommand } from './commands/partitions.ts';
import { runsCommand } from './commands/runs.ts';
import { sensorCommand } from './commands/sensor.ts';
import { stateCommand } from './commands/state.ts';
import { statusCommand } from './commands/status.ts';
import { workerCommand } from './commands/worker.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './options.ts';

/** What was asked for. */
export interface Invocation {
  readonly options: GlobalOptions;
  readonly run: (context: Context) => Promise<void>;
}

/** Where commander writes help and its own messages. */
export interface ProgramOutput {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
}

export function createProgram(
  version: string,
  output: ProgramOutput,
  onInvocation: (invocation: Invocation) => void,
): Command {
  const program = new Command('dynpart');
  // Before any subcommand is made: they inherit it when they are made, not later.
  program
    .exitOverride()
    .configureOutput({ ...output, getOutHelpWidth: () => 100, getErrHelpWidth: () => 100 })
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .helpCommand(false);
  program
    .description(
      'Dynamic partitions: sensors discover keys, runs materialize assets for them, cron drives it.',
    )
    .version(version, '-V, --version');
  const act: Act =
    (handler) =>
    (...given) => {
      const command = given.pop() as Command;
      const options: unknown = given.pop();
      onInvocation({
        options: globalsOf(command),
        run: (context) => handler(context, options as never, ...(given as never[])),
      });
    };
  partitionsCommand(program, act);
  sensorCommand(program, act);
  materializeCommand(program, act);
  workerCommand(program, act);
  runsCommand(program, act);
  assetsCommand(program, act);
  statusCommand(program, act);
  stateCommand(program, act);
  withGlobals(program);
  return program;
}

/** Global flags may stand before or after a command, so every command has them; its own values stay its own. */
function withGlobals(command: Command): void {
  command
    .optionsGroup('Global options:')
    .option('-f, --file <file>', 'the pipeline file (DYNPART_FILE; else pipeline.{ts,mts,js,mjs} here)')
    .option(
      '--state <file>',
      'the state file (DYNPART_STATE; else .dynpart/state.json beside the pipeline file)',
    )
    .option('--json', 'one JSON document on stdout, errors too')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbose', 'what it does and why')
    .option('--no-color', 'no colours (also NO_COLOR, TERM=dumb)');
  for (const subcommand of command.commands) withGlobals(subcommand);
}

/** What was said nearest to the command wins. */
function globalsOf(command: Command): GlobalOptions {
  const said: Record<string, unknown> = {};
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const name of ['file', 'state', 'json', 'quiet', 'verbose', 'color']) {
      if (said[name] === undefined && at.getOptionValueSource(name) === 'cli')
        said[name] = at.getOptionValue(name);
    }
  }
  return {
    file: said['file'] as string | undefined,
    state: said['state'] as string | undefined,
    json: said['json'] === true,
    quiet: said['quiet'] === true,
    verbose: said['verbose'] === true,
    color: said['color'] !== false,
  };
}
