/** Keeps in the state what the pipeline is made of, so that other commands need not load the user's code. */
import type { KnownPipeline } from '../../../model/known-pipeline.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { StateView } from '../../../state/slice.ts';

/** The pipeline is remembered when it changed, with a commit that is made anyway. */
export function remembering(view: StateView, known: KnownPipeline): StateChange[] {
  return JSON.stringify(view.pipeline) === JSON.stringify(known)
    ? []
    : [{ type: 'pipeline-known', pipeline: known }];
}
