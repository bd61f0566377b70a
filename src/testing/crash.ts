/** Kills what a test does before and after each of its commits, and looks at what comes of that. */
import type { StateChange } from '../state/changes.ts';
import { fail } from '../model/failure.ts';
import { counted, listed } from '../model/text.ts';
import type { Crash, KillPoint } from './answers.ts';
import { type Kill, Life } from './life.ts';
import { TestProcess } from './test-process.ts';
import type { World } from './world.ts';

export interface CrashTest<Test> {
  readonly testOf: (world: World) => Test;
  readonly act: (test: Test) => unknown;
  /** @param crash `null`: nothing was killed */
  readonly check: (test: Test, crash: Crash | null) => unknown;
}

/** @returns where it was killed, each once */
export async function crashEverywhere<Test>(from: World, test: CrashTest<Test>): Promise<readonly Crash[]> {
  const crashes: Crash[] = [];
  // What is wrong without any kill is not to be blamed on one.
  await actAndCheck(from.copy(), null, test);
  for (let commit = 1; ; commit++)
    for (const when of ['before', 'after'] as const) {
      const crash = await actAndCheck(from.copy(), { commit, when }, test);
      // The act has fewer commits than that.
      if (crash === null) return crashes.length > 0 ? crashes : nothingToKill();
      crashes.push(crash);
    }
}

function nothingToKill(): never {
  return fail({
    reason: 'usage',
    message: 'the act commits nothing: there is no point at which it could be killed',
    hint: 'let it do what changes the state, such as a tick that finds something new',
  });
}

async function actAndCheck<Test>(
  world: World,
  killedAt: KillPoint | null,
  { testOf, act, check }: CrashTest<Test>,
): Promise<Crash | null> {
  const life = new Life(killedAt);
  world.life = life;
  const test = testOf(world);
  const acted = Promise.resolve(act(test)).then(() => null);
  const kill = await Promise.race([acted, life.killed]);
  if (kill === null && killedAt !== null) return null;
  const crash = kill === null ? null : crashOf(kill);
  try {
    world.killAll();
    await nextTick(world);
    await check(test, crash);
  } catch (error) {
    if (crash === null) throw error;
    throw naming(crash, error);
  }
  return crash;
}

/** What cron does next. Without sensors: what any process does with what it finds. */
async function nextTick(world: World): Promise<void> {
  await world.act(async () => {
    const process = new TestProcess(world);
    if (world.pipeline.sensors.size === 0) return process.resume();
    await process.tick({ names: [], due: false, dryRun: false });
  });
}

function crashOf({ commit, when, changes }: Kill): Crash {
  const words = `killed ${when} commit ${commit} (${[...new Set(changes.flatMap(wordsFor))].join('; ')})`;
  return { commit, when, words };
}

function wordsFor(change: StateChange): string[] {
  switch (change.type) {
    case 'keys-added':
      return [`${counted(change.keys.length, 'key')} added to ${change.set}: ${listed(change.keys)}`];
    case 'keys-removed':
      return [`${counted(change.keys.length, 'key')} removed from ${change.set}: ${listed(change.keys)}`];
    case 'sensor-changed':
      return [`tick of ${change.sensor}`];
    case 'runs-queued':
      return [`${counted(change.runs.keys.length, 'run')} of ${change.runs.assets.join(' and ')} queued`];
    case 'runs-finished':
      return change.runs.map(({ record: { assets, partitionKey, status } }) => {
        const names = assets.map(({ asset }) => asset).join(' and ');
        return `run of ${names}${partitionKey === null ? '' : ` for ${listed([partitionKey])}`}: ${status}`;
      });
    // Housekeeping.
    case 'executor':
    case 'executor-left':
      return [];
    default:
      return [change.type.replace('-', ' ')];
  }
}

/** The same error, whose message says where: a runner shows what an assertion expected only of the assertion itself. */
function naming({ words }: Crash, error: unknown): unknown {
  if (!(error instanceof Error)) return new Error(`${words}: ${String(error)}`, { cause: error });
  const { message, stack } = error;
  const named = `${words}: ${message}`;
  try {
    error.message = named;
    if (stack !== undefined) error.stack = stack.replace(message, () => named);
    return error;
  } catch {
    return new Error(named, { cause: error });
  }
}
