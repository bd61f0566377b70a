/** A command on a user's folder in this very process: what the real binary does, but for starting one. */
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, runOn } from './captured-terminal.ts';
import { Project, type RunOptions, type RunResult } from './project.ts';

interface HereOptions extends Pick<RunOptions, 'env' | 'input' | 'cwd'> {}

/**
 * One after the other, never two at once: a command hooks itself into the process.
 * Not for user code that leaves, blocks or never settles: that would do so to the tests.
 */
export async function runHere(
  project: Project,
  args: readonly string[],
  { env = {}, input = '', cwd = project.folder }: HereOptions = {},
): Promise<RunResult> {
  const terminal = new CapturedTerminal({
    env: {
      HOME: project.folder,
      XDG_CACHE_HOME: path.join(os.tmpdir(), 'dynpart-test-cache'),
      ...project.environment,
      ...env,
    },
    cwd,
    stdin: input,
  });
  return { signal: null, ...(await runOn(terminal, args, systemClock)) };
}

/** The end of the command that was begun last. */
let last: Promise<unknown> = Promise.resolve();

/** A user's folder whose commands are run in this process, in the order in which they are begun; `start` still starts a process. */
export class ProjectHere extends Project {
  /** What only a process of its own can have (a command around it, a time at which it is killed) is refused. */
  override dynpart(
    args: readonly string[],
    { killAfterMs, within, input, ...options }: RunOptions = {},
  ): Promise<RunResult> {
    if (killAfterMs !== undefined || within !== undefined)
      throw new Error('that takes a process of its own: use start(…).done');
    const text = typeof input === 'object' ? Buffer.from(input).toString() : input;
    const result = last.then(() => runHere(this, args, { ...options, input: text }));
    last = result.catch(() => undefined);
    return result;
  }
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
