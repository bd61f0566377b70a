/** Which state is meant, and whether the pipeline that is used now may use it. */
import fs from 'node:fs';
import path from 'node:path';
import { io, namesIn } from '../files/durable-files.ts';
import { fail, FailureError } from '../model/failure.ts';
import type { StateIdentity } from '../model/known-pipeline.ts';
import {
  holdsSomethingOf,
  isMovedPipeline,
  leftoversIn,
  type PipelineNames,
  verdictOfFiles,
} from '../engine/plan/pipeline/state-belongs-to.ts';
import { filesFor, isInReach, type PipelineInUse } from './pipeline-in-use.ts';
import { ownStateFile } from './state-place.ts';

/** The state file of a pipeline for which none was named: its own, or one that was its own under another name. */
export async function stateFileOf(pipeline: PipelineInUse): Promise<string> {
  const own = ownStateFile(pipeline.file);
  if (isInReach(own)) return own;
  const folder = path.dirname(own);
  const names = io('read the folder', folder, () => namesIn(folder));
  const isLost = names.some((name) => name.startsWith(`.${path.basename(own)}.`));
  const others = names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  if (isLost || others.length === 0) return own;
  const { earlierStateOf } = await import('./earlier-state.ts');
  return (
    (await earlierStateOf(
      pipeline,
      others.map((name) => path.join(folder, name)),
    )) ?? own
  );
}

/** Refuses a state that is another pipeline's. @throws FailureError `foreign-state` */
export async function admit(stateFile: string, state: StateIdentity, pipeline: PipelineInUse): Promise<void> {
  const { file } = pipeline;
  const owner = state.pipeline?.file ?? null;
  const foreign = { reason: 'foreign-state', state: stateFile, owner, file } as const;
  switch (verdictOfFiles(state, filesFor(file))) {
    case 'first':
      return;
    case 'same': {
      if (!state.mayBeShared) return;
      const { sets, assets } = leftoversIn(state);
      if (sets.length + assets.length === 0) return;
      const { siblingNaming } = await import('./earlier-state.ts');
      const sibling = siblingNaming(file, [...sets, ...assets]);
      if (sibling !== null) fail({ ...foreign, owner: sibling, why: 'shared' });
      return;
    }
    case 'moved': {
      const names = await namesIfAny(pipeline);
      if (names !== null && !isMovedPipeline(state.pipeline!, names))
        fail({ ...foreign, why: 'nothing-in-common' });
      return;
    }
    case 'other':
      if (!fs.existsSync(file)) {
        const { failureOfGiven } = await import('../loader/what-keeps-from.ts');
        fail(failureOfGiven(file));
      }
      fail({
        ...foreign,
        why: state.mayBeShared && (await mayHoldSomething(state, pipeline)) ? 'shared' : 'another',
      });
  }
}

async function mayHoldSomething(state: StateIdentity, pipeline: PipelineInUse): Promise<boolean> {
  const names = await namesIfAny(pipeline);
  return names !== null && holdsSomethingOf(state, names);
}

/** A broken pipeline file keeps nobody from the state. */
async function namesIfAny({ names }: PipelineInUse): Promise<PipelineNames | null> {
  try {
    return await names();
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
}
