/** A state that is not there comes with the first commit of its pipeline; where that is not there either, a name is wrong. */
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import type { Output } from './output.ts';
import { usualStateFile } from './state-place.ts';

const CHECK = 'check the path given with --state or DYNPART_STATE';

/**
 * What warns, once, where there is not even a folder for it, as long as nothing has made one: that is a slip of the pen more often.
 * @throws FailureError where nothing has the name of the pipeline file, or none was named
 */
export function toCome(state: string, pipelineFile: string | undefined, output: Output): () => void {
  if (pipelineFile === undefined)
    return fail({ reason: 'usage', message: `there is no state in ${state}`, hint: CHECK });
  if (!mayBeThere(pipelineFile)) fail({ reason: 'pipeline-not-found', file: pipelineFile, given: true });
  const folder = path.dirname(state);
  let isSaid = folder === path.dirname(usualStateFile(path.dirname(pipelineFile)));
  return () => {
    if (isSaid || mayBeThere(folder)) return;
    isSaid = true;
    output.warn(`there is no state in ${state}, and no such folder: ${CHECK}`);
  };
}

/** What keeps from reading it, such as a link in a circle or a closed folder, is said by whoever reads it. */
function mayBeThere(file: string): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
