/** `dynpart check`: loads the pipeline and says all that is wrong with it, for editors, hooks and CI. */
import { FailureError, type Failure } from '../../model/failure.ts';
import { describe } from '../../model/failure-words.ts';
import { clean, counted } from '../../model/text.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { exitCodeOf } from '../exit-code.ts';

export interface CheckedPipeline {
  readonly ok: boolean;
  readonly problems: readonly CheckProblem[];
}

export interface CheckProblem {
  readonly code: string;
  readonly message: string;
  /** `file:line:column`, or `null` where there is none. */
  readonly place: string | null;
}

export function checkCommand(program: Declaration): void {
  program
    .command('check')
    .description('load the pipeline and say all that is wrong with it; exit 2')
    .action(check);
}

async function check(context: Context): Promise<void> {
  try {
    const { assets, sensors, sets } = await context.project.pipeline();
    Object.assign(context.output.document, { ok: true, problems: [] } satisfies CheckedPipeline);
    context.output.print(
      `ok: ${counted(assets.size, 'asset')}, ${counted(sensors.size, 'sensor')}, ${counted(sets.length, 'set')} in ${clean(context.project.file)}\n`,
    );
  } catch (error) {
    if (!(error instanceof FailureError) || exitCodeOf(error.failure) !== 2) throw error;
    const problems = problemsOf(error.failure);
    Object.assign(context.output.document, { ok: false, problems } satisfies CheckedPipeline);
    for (const { message, place } of problems)
      context.output.print(clean(place === null ? message : `${place}: ${message}`) + '\n');
    const { hint } = describe(error.failure);
    if (hint !== null) context.output.chat(clean(hint));
    context.output.exitWith(2);
  }
}

/** Each problem of its own, where a failure is about several. */
function problemsOf(failure: Failure): CheckProblem[] {
  const code = failure.reason;
  if (failure.reason === 'pipeline-invalid')
    return failure.problems.map(({ message, place }) => ({ code, message, place }));
  const { message } = describe(failure);
  const place = 'place' in failure ? failure.place : null;
  const isSaidFirst = place !== null && message.startsWith(`${place}: `);
  return [{ code, message: isSaidFirst ? message.slice(place.length + 2) : message, place }];
}
