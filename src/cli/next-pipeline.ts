/** Waits until the files of a pipeline were edited, and loads them anew; an edit that cannot be loaded is told, and waited out. */
import path from 'node:path';
import { clean, counted } from '../model/text.ts';
import { describe } from '../model/describe-failure.ts';
import { type Failure, FailureError } from '../model/failure.ts';
import { AGAIN } from '../model/failures/phrases.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import { filesIn, stampOf } from '../loader/pipeline-files.ts';
import type { Clock } from '../model/time.ts';
import type { Context } from './context.ts';
import { exitCodeOf } from './exit-code.ts';
import type { Output } from './output.ts';
import { watchFiles } from '../files/watch-files.ts';
import { Heard } from '../engine/sensors/heard.ts';

/** How often the files are looked at beside what the system tells: it does not tell that a folder above them was replaced. */
const LOOK_EVERY_MS = 5000;

/** An editor or a checkout writes file after file: what was edited is loaded when it has been as it is for so long. */
const QUIET_MS = 200;

/**
 * @param usable throws where the pipeline cannot take the place of the last one
 * @returns whether another pipeline was loaded; `false` when `over` says that nobody waits any more
 */
export async function nextPipeline(
  { project, output, clock }: Context,
  usable: (pipeline: Pipeline) => void,
  { over, hangUp }: { readonly over: AbortSignal; readonly hangUp: HangUps },
): Promise<boolean> {
  let seen = await project.stamp();
  /** What was said last, of which files. */
  let said = '';
  for (;;) {
    await edited(seen, clock, { over, hangUp });
    const watched = filesIn(seen);
    let now = stampOf(watched);
    for (let before = ''; !over.aborted && now !== before; now = stampOf(watched)) {
      before = now;
      await clock.sleep(QUIET_MS, over);
    }
    if (over.aborted) return false;
    const isAsked = hangUp.came;
    hangUp.came = false;
    // What is missing may be a file that comes into being: then its folder changes.
    const files = filesIn(await project.stamp());
    const tried = stampOf([...new Set([...files, ...files.map((file) => path.dirname(file))])]);
    try {
      await project.reload(usable);
      // Edited while it was loaded.
      if (stampOf(watched) !== now) continue;
      const { assets, sensors } = await project.pipeline();
      output.say(
        `${clean(path.basename(project.file))}: loaded anew (${counted(assets.size, 'asset')}, ${counted(sensors.size, 'sensor')})`,
      );
      return true;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      seen = tried;
      // Any file that comes into a folder of them may be the one that was missing, and mostly is not: that is no edit.
      const saying = `${describe(error.failure).message}\n${stampOf(files)}`;
      if (saying === said && !isAsked) continue;
      said = saying;
      sayWhileWatched(output, error.failure);
      output.say(
        `${clean(path.basename(project.file))}: cannot be loaded as it is now; going on as it was before`,
      );
    }
  }
}

/** Nobody is to start anything again: what is saved is loaded. */
function sayWhileWatched(output: Output, failure: Failure): void {
  const problem = describe(failure);
  const hint = problem.hint?.replace(AGAIN, 'save: it is loaded then') ?? null;
  output.sayProblem({ ...problem, hint });
  output.endWith({ ...problem, hint }, exitCodeOf(failure));
}

interface Waiting {
  readonly over: AbortSignal;
  readonly hangUp: HangUps;
}

/** Waits until the files are not as they were, somebody asks for them to be loaded, or nobody waits any more. */
async function edited(seen: string, clock: Clock, { over, hangUp }: Waiting): Promise<void> {
  const watched = filesIn(seen);
  const heard = new Heard();
  hangUp.wake = heard.ring;
  const stop = watchFiles(watched, heard.ring);
  try {
    for (
      let since = heard.times;
      !over.aborted && !hangUp.came && stampOf(watched) === seen;
      since = heard.times
    )
      await heard.wait(since, LOOK_EVERY_MS, { clock, stop: over });
  } finally {
    stop();
  }
}

export interface HangUps {
  came: boolean;
  wake: () => void;
  end: () => void;
}

/** SIGHUP asks for it, where no terminal can send it by being closed. Listened to all the time: else the signal ends the process. */
export function hangUps(listens: boolean): HangUps {
  const on = (): void => {
    hangUp.came = true;
    hangUp.wake();
  };
  const hangUp: HangUps = { came: false, wake: () => undefined, end: () => void process.off('SIGHUP', on) };
  if (listens) process.on('SIGHUP', on);
  return hangUp;
}
