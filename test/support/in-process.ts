/** A command on a user's folder in this very process: what the real binary does, but for starting one. */
import ownConsole from 'node:console';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, runOn } from './captured-terminal.ts';
import { bringPack } from './kept-pack.ts';
import { Project, type RunOptions, type RunResult, testCache } from './project.ts';

interface HereOptions extends Pick<RunOptions, 'env' | 'input' | 'cwd'> {}

/**
 * One after the other, never two at once: a command hooks itself into the process.
 * Not for user code that leaves, blocks or never settles: that would do so to the tests.
 */
export function runHere(
  project: Project,
  args: readonly string[],
  { env = {}, input = '', cwd = project.folder }: HereOptions = {},
): Promise<RunResult> {
  const terminal = new CapturedTerminal({
    env: {
      HOME: project.folder,
      XDG_CACHE_HOME: testCache,
      ...project.environment,
      ...env,
    },
    cwd,
    stdin: input,
  });
  return runOn(terminal, args, systemClock).then((ran) => ({ signal: null, ...ran }));
}

/** The end of the command that was begun last. */
let last: Promise<unknown> = Promise.resolve();

/**
 * A user's folder whose commands are run in this process, in the order in which they are begun. User code finds its folder as the
 * current one, and in `process.env` what a command is given of the environment, while the command lasts. What only a process can
 * have (`start`, a command around it, a time at which it is killed) takes one. Each file of tests starts at least one.
 */
export class ProjectHere extends Project {
  override dynpart(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const { killAfterMs, within = [], env, cwd = this.folder } = options;
    if (killAfterMs !== undefined || within.length > 0) return super.dynpart(args, options);
    const result = last.then(() => {
      bringPack(this.folder, testCache);
      return inSurroundings(cwd, env, () => runHere(this, args, { ...options, cwd }));
    });
    last = result.catch(() => undefined);
    return result;
  }
}

/** For these no function of the pipeline is called. */
const BY_HAND =
  /^(?:partitions (?:add|list|remove)|runs (?:list|show|release)|sensor (?:list|start|stop)|state check|status|value show)\b/;

/** Gives in this process what somebody asks or says by hand, and starts one for all that may call user code: that may leave, block or be killed. */
export class ByHandHere extends ProjectHere {
  override dynpart(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const isByHand = BY_HAND.test(args.join(' ')) && options.env?.['NODE_OPTIONS'] === undefined;
    return isByHand ? super.dynpart(args, options) : this.start(args, options).done;
  }
}

/** As in a process of its own. The tests' own console is put away: it would keep from a command what user code says. */
function inSurroundings<Made>(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  act: () => Promise<Made>,
): Promise<Made> {
  const { console } = globalThis;
  const folder = process.cwd();
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  globalThis.console = ownConsole;
  process.chdir(cwd);
  Object.assign(process.env, env);
  return act().finally(() => {
    globalThis.console = console;
    process.chdir(folder);
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
}

export interface BothFormsOptions extends HereOptions {
  /** As processes of their own: real streams and a real exit code. Default: `false`. */
  readonly isSpawned?: boolean;
}

/** The same command as text and as JSON, both in this process or both as processes of their own. */
export async function inBothForms(
  project: Project,
  args: readonly string[],
  options: BothFormsOptions = {},
): Promise<{ readonly text: RunResult; readonly json: RunResult }> {
  const { isSpawned = false, ...rest } = options;
  // Before the command: what stands behind a `--` is no flag.
  const withJson = ['--json', ...args];
  if (isSpawned) {
    const [text, json] = await Promise.all([project.dynpart(args, rest), project.dynpart(withJson, rest)]);
    return { text, json };
  }
  return { text: await runHere(project, args, rest), json: await runHere(project, withJson, rest) };
}
