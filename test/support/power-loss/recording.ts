/** A command of the real binary, with everything that it did to its folder in the order of doing. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { binary } from '../project.ts';
import { Disk, type Operation } from './disk.ts';
import { PIPELINE, type Scenario, type Step } from './scenarios.ts';

const recorder = path.join(import.meta.dirname, 'recorder.cjs');

export interface Recording {
  readonly scenario: Scenario;
  /** A disk as it was before the command, for a replay. */
  readonly disk: () => Disk;
  /** `null` where a process was killed and the next one began. */
  readonly operations: readonly (Operation | null)[];
  /** The folder as it was left. */
  readonly project: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly said: string;
}

/** Runs the binary with nothing in its environment that it does not need. */
export function run(
  project: string,
  { args, env = {} }: Step,
  extra: { readonly node?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const home = path.dirname(project);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...(extra.node ?? []), binary, ...args], {
      cwd: project,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: home,
        XDG_CACHE_HOME: path.join(home, 'cache'),
        ...env,
        ...extra.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, said }));
  });
}

/** Brings a scenario up to its command and records that. `home` is empty. */
export async function record(scenario: Scenario, home: string): Promise<Recording> {
  const project = path.join(home, 'p');
  fs.mkdirSync(project, { recursive: true });
  fs.writeFileSync(path.join(project, 'pipeline.mjs'), PIPELINE);
  for (const step of scenario.start) await mustSucceed(project, step);
  await scenario.prepare?.(project);
  const disk = Disk.of(project);
  const log = path.join(home, 'operations.log');
  const recorded = { POWER_LOSS_ROOT: project, POWER_LOSS_LOG: log };
  const node = ['--require', recorder];
  const operations: (Operation | null)[] = [];
  const taken = (): Operation[] => {
    const lines = fs.readFileSync(log, 'utf8').split('\n').slice(0, -1);
    fs.writeFileSync(log, '');
    return lines.map((line) => JSON.parse(line) as Operation);
  };
  if (scenario.killedAfter !== undefined) {
    const env = { ...recorded, POWER_LOSS_KILL: scenario.killedAfter };
    const { signal, said } = await run(project, scenario.command, { node, env });
    if (signal !== 'SIGKILL')
      throw new Error(`${scenario.name}: nothing fits ${scenario.killedAfter}: ${said}`);
    operations.push(...taken(), null);
  }
  await mustSucceed(project, scenario.again ?? scenario.command, { node, env: recorded });
  operations.push(...taken());
  return { scenario, disk: () => disk.copy(), operations, project };
}

async function mustSucceed(project: string, step: Step, extra?: Parameters<typeof run>[2]): Promise<void> {
  const { code, said } = await run(project, step, extra);
  if (code !== 0) throw new Error(`${step.args.slice(0, 4).join(' ')} ended with ${code}: ${said}`);
}
