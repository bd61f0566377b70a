/** `dynpart check`: loads the pipeline and says all that is wrong with it, for editors, hooks and CI. */
import { setTimeout } from 'node:timers/promises';
import { FailureError, type Failure } from '../../model/failure.ts';
import { describe } from '../../model/describe-failure.ts';
import { clean, counted } from '../../model/text.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { exitCodeOf } from '../exit-code.ts';
import type { CheckedPipeline, PipelineProblem } from '../json-results.ts';

/** So long errors are waited for that the code lets go of while it is loaded. */
const STRAYS_MS = 50;

export function checkCommand(program: Declaration): void {
  program
    .command('check')
    .description('load the pipeline and say all that is wrong with it; exit 2')
    .action(check);
}

async function check({ output, project }: Context): Promise<CheckedPipeline> {
  try {
    const strays: Failure[] = [];
    project.hearStrays((failure) => strays.push(failure));
    const { assets, sensors, sets } = await project.pipeline();
    // What was begun while it was loaded, and awaited by nobody, fails a little later: it would end each tick.
    await setTimeout(STRAYS_MS);
    if (strays.length > 0) return found({ output }, strays.flatMap(problemsOf), describe(strays[0]!).hint);
    output.print(
      `ok: ${counted(assets.size, 'asset')}, ${counted(sensors.size, 'sensor')}, ${counted(sets.length, 'set')} in ${clean(project.file)}\n`,
    );
    return { ok: true, problems: [] };
  } catch (error) {
    if (!(error instanceof FailureError) || exitCodeOf(error.failure) !== 2) throw error;
    return found({ output }, problemsOf(error.failure), describe(error.failure).hint);
  }
}

function found(
  { output }: Pick<Context, 'output'>,
  problems: readonly PipelineProblem[],
  hint: string | null,
): CheckedPipeline {
  for (const { message, place } of problems)
    output.print(`${clean(place === null ? message : `${place}: ${message}`)}\n`);
  if (hint !== null) output.chat(clean(hint));
  output.exitWith(2);
  return { ok: false, problems };
}

/** Each problem of its own, where a failure is about several. */
function problemsOf(failure: Failure): PipelineProblem[] {
  const code = failure.reason;
  if (failure.reason === 'pipeline-invalid')
    return failure.problems.map(({ message, place }) => ({ code, message, place }));
  const { message } = describe(failure);
  const place = 'place' in failure ? failure.place : null;
  const isSaidFirst = place !== null && message.startsWith(`${place}: `);
  return [{ code, message: isSaidFirst ? message.slice(place.length + 2) : message, place }];
}
