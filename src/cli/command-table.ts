/** The table of contents of the command line. */
import { Declaration } from './command-line/declaration.ts';
import { sensorCommand } from './commands/sensor.ts';

/** Adds a command to the program. Only the file of the one that is asked for is loaded: all of them would double the start-up. */
type Load = () => Promise<(program: Declaration) => void>;

/** In the order of help, which has what each does from `command-line/summaries.ts`. */
const CONTENTS: Readonly<Record<string, Load>> = {
  init: async () => (await import('./commands/init.ts')).initCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  partitions: async () => (await import('./commands/partitions.ts')).partitionsCommand,
  // Cron starts a tick each minute: this one is always there.
  sensor: () => Promise.resolve(sensorCommand),
  materialize: async () => (await import('./commands/materialize.ts')).materializeCommand,
  why: async () => (await import('./commands/why.ts')).whyCommand,
  value: async () => (await import('./commands/value.ts')).valueCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  assets: async () => (await import('./commands/assets.ts')).assetsCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  ui: async () => (await import('./commands/ui.ts')).uiCommand,
  state: async () => (await import('./commands/state.ts')).stateCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  schedule: async () => (await import('./commands/schedule.ts')).scheduleCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  completion: async () => (await import('./commands/completion.ts')).completionOf(declared),
};

/** All commands, each with all that it takes. */
export function declaredAll(): Promise<Declaration> {
  return declared(Object.keys(CONTENTS));
}

/** All commands; those whose names were typed as a whole, the others by name only. */
export async function declared(args: readonly string[]): Promise<Declaration> {
  const program = new Declaration('dynpart');
  for (const [name, load] of Object.entries(CONTENTS)) {
    if (args.includes(name)) (await load())(program);
    else program.command(name);
  }
  return program;
}
