/** A state that is not there comes with the first commit of its pipeline; where that is not there either, a name is wrong. */
import fs from 'node:fs';
import { fail } from '../model/failure.ts';

/** @throws FailureError where nothing has the name of the pipeline file, or none was named */
export function checkIsToCome(state: string, pipelineFile: string | undefined): void {
  if (pipelineFile === undefined)
    fail({
      reason: 'usage',
      message: `there is no state in ${state}`,
      hint: 'check the path given with --state or DYNPART_STATE',
    });
  if (!mayBeThere(pipelineFile)) fail({ reason: 'pipeline-not-found', file: pipelineFile, given: true });
}

/** What keeps from reading it, such as a link in a circle or a closed folder, is said by whoever reads it. */
function mayBeThere(file: string): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
