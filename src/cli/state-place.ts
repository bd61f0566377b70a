/** Which file the state is in, from what was said and from the name of the pipeline file. Pure. */
import path from 'node:path';
import { fail } from '../model/failure.ts';

/** Pipeline files whose state is `state.json`. */
const USUAL = /^pipeline\.(?:ts|mts|js|mjs)$/;

/** The endings that a pipeline file's name is told without. */
const ENDING = /(?<=.)\.[cm]?[jt]sx?$/;

/** The folder of states, beside the pipeline file. */
const STATE_FOLDER = '.dynpart';

/** Whether a state is in PostgreSQL: then it is named by its address. */
export function isDatabase(state: string): boolean {
  return /^postgres(?:ql)?:/i.test(state);
}

/** The state that was named with `--state` or `DYNPART_STATE`: a file, or an address. @throws FailureError for any other URL */
export function namedState(given: string, cwd: string): string {
  if (isDatabase(given)) return given;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1];
  if (scheme !== undefined)
    fail({
      reason: 'usage',
      message: `a state cannot be reached by a URL of the kind ${scheme}://`,
      hint: 'name a file, or a database: --state FILE, --state postgres://USER@HOST/DATABASE',
    });
  if (given === '')
    fail({ reason: 'usage', message: '--state is given without a file', hint: 'name a file: --state FILE' });
  return path.resolve(cwd, given);
}

/** The state file of a pipeline for which none was named. @throws FailureError for a file called `state.ts` */
export function ownStateFile(pipelineFile: string): string {
  const { dir, base } = path.parse(pipelineFile);
  if (USUAL.test(base)) return usualStateFile(dir);
  const name = base.replace(ENDING, '');
  // Also `State.ts`: file systems that take the two for one are common.
  if (name.toLowerCase() === 'state')
    fail({
      reason: 'usage',
      message: `the state of ${pipelineFile} would be in the place of that of pipeline.ts`,
      hint: 'give the pipeline file another name, or name its state: --state FILE',
    });
  return path.join(dir, STATE_FOLDER, `${name}.json`);
}

/** Where `pipeline.ts` of this folder has its state. */
export function usualStateFile(folder: string): string {
  return path.join(folder, STATE_FOLDER, 'state.json');
}
