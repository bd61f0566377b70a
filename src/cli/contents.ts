/** The table of contents of the command line. */
import { Declaration } from './command-line/declaration.ts';
import { sensorCommand } from './commands/sensor.ts';

interface Entry {
  readonly name: string;
  readonly description: string;
  /** Loads the command's file: only the one that is asked for, since all of them would double the start-up. */
  readonly load: () => Promise<(program: Declaration) => void>;
}

const CONTENTS: readonly Entry[] = [
  {
    name: 'init',
    description: 'a pipeline that runs as it is, and what it needs beside it',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  {
    name: 'check',
    description: 'load the pipeline and say all that is wrong with it',
    load: async () => (await import('./commands/check.ts')).checkCommand,
  },
  {
    name: 'partitions',
    description: 'list, add and remove partition keys',
    load: async () => (await import('./commands/partitions.ts')).partitionsCommand,
  },
  {
    name: 'sensor',
    description: 'evaluate sensors and look after them',
    // Cron starts a tick each minute: this one is always there.
    load: () => Promise.resolve(sensorCommand),
  },
  {
    name: 'materialize',
    description: 'materialize assets for chosen keys',
    load: async () => (await import('./commands/materialize.ts')).materializeCommand,
  },
  {
    name: 'value',
    description: 'what was made for an asset and key, and the file that it is in',
    load: async () => (await import('./commands/value.ts')).valueCommand,
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
    name: 'doctor',
    description: 'what could go wrong on this machine, checked one by one',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  {
    name: 'completion',
    description: 'a script that completes commands, flags, sets, keys, sensors and assets',
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
];

/** All commands, each with all that it takes. */
export function declaredAll(): Promise<Declaration> {
  return declared(CONTENTS.map(({ name }) => name));
}

/** All commands; those whose names were typed as a whole, the others by name and description only. */
export async function declared(args: readonly string[]): Promise<Declaration> {
  const program = new Declaration('dynpart').description(
    'Dynamic partitions: sensors discover keys, runs materialize assets for them, cron drives it.',
  );
  for (const { name, description, load } of CONTENTS) {
    if (args.includes(name)) (await load())(program);
    else program.command(name).description(description);
  }
  return program;
}
