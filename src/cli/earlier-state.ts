/** Looks for the state of a pipeline without a state of its own name: the pipeline was renamed, or an older dynpart let it share a state. */
import fs from 'node:fs';
import path from 'node:path';
import { io } from '../files/durable-files.ts';
import { fail } from '../model/failure.ts';
import {
  holdsSomethingOf,
  isMovedPipeline,
  verdictOfFiles,
} from '../engine/plan/pipeline/state-belongs-to.ts';
import { readText } from '../loader/module-pack.ts';
import { isFile } from '../loader/pipeline-files.ts';
import { identityIn } from './stores.ts';
import { filesFor, type PipelineInUse } from './pipeline-in-use.ts';

/**
 * The one of these states that is the pipeline's, or `null`: then the pipeline begins with an empty state.
 * @throws FailureError `foreign-state` where that is not clear: a state that may be meant is never passed over for an empty one
 */
export async function earlierStateOf(
  pipeline: PipelineInUse,
  states: readonly string[],
): Promise<string | null> {
  const { file } = pipeline;
  const own: string[] = [];
  const unclear: { readonly state: string; readonly owner: string | null }[] = [];
  for (const state of states) {
    if (io('read', state, () => !fs.statSync(state, { throwIfNoEntry: false })?.isFile())) continue;
    const identity = await identityIn(state);
    if (identity === null) continue;
    const remembered = identity.pipeline;
    switch (verdictOfFiles(identity, filesFor(file))) {
      case 'same':
        return state;
      case 'moved': {
        const names = await pipeline.names();
        if (names !== null && isMovedPipeline(remembered!, names)) own.push(state);
        break;
      }
      case 'first':
      case 'other': {
        if (identity.sets.length + identity.assets.length === 0) break;
        const names = await pipeline.names();
        if (names !== null && holdsSomethingOf(identity, names))
          unclear.push({ state, owner: remembered?.file ?? null });
      }
    }
  }
  if (own.length === 1) return own[0]!;
  const [first] = [...own.map((state) => ({ state, owner: null })), ...unclear];
  if (first !== undefined) fail({ reason: 'foreign-state', ...first, file, why: 'shared' });
  return null;
}

/** A pipeline file of the same folder whose text holds one of these names in quotes. Its code is not executed to find that out. */
export function siblingNaming(file: string, names: readonly string[]): string | null {
  const folder = path.dirname(file);
  for (const name of fs.readdirSync(folder).filter((entry) => /\.[cm]?[jt]s$/.test(entry))) {
    const sibling = path.join(folder, name);
    // An editor's lock may be a link of such a name that leads nowhere.
    if (sibling === file || !isFile(sibling)) continue;
    const text = readText(sibling) ?? '';
    const isPipeline = text.includes('definePipeline');
    if (
      isPipeline &&
      names.some((one) => [`'${one}'`, `"${one}"`, `\`${one}\``].some((quoted) => text.includes(quoted)))
    )
      return sibling;
  }
  return null;
}
