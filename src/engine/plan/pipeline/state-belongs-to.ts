/** Whose a state is: of the pipeline file that is used now, or of another one. Pure. */
import path from 'node:path';
import type { KnownPipeline, StateIdentity } from '../../../model/known-pipeline.ts';

/** The names by which a pipeline is known again. */
export type PipelineNames = Pick<KnownPipeline, 'assets' | 'sets'>;

/** What the file system says of the two pipeline files. */
export interface PipelineFiles {
  /** The pipeline file that is used now. */
  readonly file: string;
  readonly isThere: (file: string) => boolean;
  /** Whether two paths lead to one file. */
  readonly isSame: (one: string, other: string) => boolean;
}

/**
 * What the files alone tell.
 * - `first`: the state remembers no pipeline;
 * - `same`: it remembers this file;
 * - `moved`: the file that it remembers is gone or has the same name, so their names decide (a rename, a release, a worktree,
 *   a mount);
 * - `other`: it remembers another file, which is there.
 */
type FileVerdict = 'first' | 'same' | 'moved' | 'other';

export function verdictOfFiles(
  { pipeline }: Pick<StateIdentity, 'pipeline'>,
  { file, isThere, isSame }: PipelineFiles,
): FileVerdict {
  if (pipeline === null) return 'first';
  if (pipeline.file === file || isSame(pipeline.file, file)) return 'same';
  if (path.basename(pipeline.file) === path.basename(file) || !isThere(pipeline.file)) return 'moved';
  return 'other';
}

/** Whether a pipeline whose file was moved is the one that the state remembers: the two share a set or an asset, or the remembered pipeline had none. */
export function isMovedPipeline(remembered: PipelineNames, now: PipelineNames): boolean {
  const names = namesOf(remembered);
  return (names.sets.size === 0 && names.assets.size === 0) || shares(names, now);
}

/** Names in the state that the pipeline which it remembers does not have: of things that were taken out, or another pipeline's. */
export function leftoversIn({ pipeline, sets, assets }: StateIdentity): { sets: string[]; assets: string[] } {
  const known = namesOf(pipeline ?? { sets: [], assets: [] });
  return {
    sets: sets.filter((set) => !known.sets.has(set)),
    assets: assets.filter((asset) => !known.assets.has(asset)),
  };
}

/** Whether a state that remembers another pipeline, or none, holds what may be this one's. */
export function holdsSomethingOf(state: StateIdentity, now: PipelineNames): boolean {
  const { sets, assets } = leftoversIn(state);
  return shares({ sets: new Set(sets), assets: new Set(assets) }, now);
}

interface NameSets {
  readonly sets: ReadonlySet<string>;
  readonly assets: ReadonlySet<string>;
}

function namesOf({ sets, assets }: PipelineNames): NameSets {
  return { sets: new Set(sets), assets: new Set(assets.map(({ name }) => name)) };
}

function shares(names: NameSets, { sets, assets }: PipelineNames): boolean {
  return sets.some((set) => names.sets.has(set)) || assets.some(({ name }) => names.assets.has(name));
}
