/** The pipeline that is used now, beside one that a state remembers. */
import { io, isThere } from '../files/durable-files.ts';
import { isSameFile } from '../files/stat-of.ts';
import type { PipelineFiles, PipelineNames } from '../engine/plan/pipeline/state-belongs-to.ts';

/** The pipeline that is used now. */
export interface PipelineInUse {
  readonly file: string;
  /** Its names, from its code. `null`: it cannot be loaded, or must not be. @throws FailureError when that is no reason to go on */
  readonly names: () => Promise<PipelineNames | null>;
}

/** What the disk refuses to say is no answer: a pipeline or state that is taken for gone is one that another takes over. */
export function isInReach(file: string): boolean {
  return io('read', file, () => isThere(file));
}

export function filesFor(file: string): PipelineFiles {
  return { file, isThere: isInReach, isSame: isSameFile };
}
