/** A state that is not there comes with the first commit of its pipeline; where that is not there either, a name is wrong. */
import { fail } from '../model/failure.ts';

/** @throws FailureError */
export function neitherIsThere(state: string, pipelineFile: string | undefined): never {
  if (pipelineFile !== undefined) fail({ reason: 'pipeline-not-found', file: pipelineFile, given: true });
  return fail({
    reason: 'usage',
    message: `there is no state in ${state}`,
    hint: 'check the path given with --state or DYNPART_STATE',
  });
}
