/** The table of contents of the command line. Parsing only finds out what is to be done; `main` does it. */
import { Command } from 'commander';
import type { Act } from './act.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './options.ts';

interface Entry {
  readonly name: string;
  readonly description: string;
  /** Loads the command's file: only the one that is asked for, since all of them would double the start-up. */
  readonly load: () => Promise<(program: Command, act: Act) => void>;
}

const CONTENTS: readonly Entry[] = [
  {
    name: 'partitions',
    description: 'list, add and remove partition keys',
    load: async () => (await import('./commands/partitions.ts')).partitionsCommand,
  },
  {
    name: 'sensor',
    description: 'evaluate sensors and look after them',
    load: async () => (await import('./commands/sensor.ts')).sensorCommand,
  },
  {
    name: 'materialize',
    description: 'materialize assets for chosen keys',
    load: async () => (await import('./commands/materialize.ts')).materializeCommand,
  },
  {
    name: 'worker',
    description: 'take queued runs and execute them until SIGINT or SIGTERM',
    load: async () => (await import('./commands/worker.ts')).workerCommand,
  },
  {
    name: 'runs',
    description: 'runs, what they printed, retry and cancel',
    load: async () => (await import('./commands/runs.ts')).runsCommand,
  },
  {
    name: 'assets',
    description: 'the assets of the pipeline',
    load: async () => (await import('./commands/assets.ts')).assetsCommand,
  },
  {
    name: 'status',
    description: 'what is materialized, failed, in progress and missing, per asset',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  {
    name: 'state',
    description: 'check, copy and restore the state',
    load: async () => (await import('./commands/state.ts')).stateCommand,
  },
  {
    name: 'completion',
    description: 'a script that completes commands, flags, sets, keys, sensors and assets',
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
];

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

export interface ProgramParts {
  /** What was typed: commands whose names are not in it stay closed. */
  readonly args: readonly string[];
  readonly version: string;
  readonly output: ProgramOutput;
  readonly onInvocation: (invocation: Invocation) => void;
}

export async function createProgram({ args, version, output, onInvocation }: ProgramParts): Promise<Command> {
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
  withGlobals(program);
  for (const { name, description, load } of CONTENTS) {
    if (args.includes(name)) {
      const before = program.commands.length;
      (await load())(program, act);
      for (const command of program.commands.slice(before)) withGlobals(command);
    } else program.command(name).description(description);
  }
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
