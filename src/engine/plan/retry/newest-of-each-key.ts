/** Which runs to retry where they were chosen by status or asset: the newest run of each key, and of that run what is still to be made. Pure. */
import type { Pipeline } from '../../../definitions/pipeline.ts';
import type { RunRecord } from '../../../model/run.ts';
import type { StateView } from '../../../state/state-view.ts';
import { workName } from '../queue/work-name.ts';

export interface NewestRuns {
  /** With those of their assets that no later run has made, and that the pipeline still has. */
  readonly runs: readonly RunRecord[];
  /** Keys that a later run, queued or started, is about to make. */
  readonly leftOut: number;
}

/** @param all the chosen runs and all others of their keys and assets, newest first */
export function newestOfEachKey(
  view: StateView,
  pipeline: Pipeline,
  chosen: ReadonlySet<string>,
  all: Iterable<RunRecord>,
): NewestRuns {
  const runs: RunRecord[] = [];
  const decided = new Set<string>();
  const made = new Set<string>();
  const atWork = new Set<string>();
  let leftOut = 0;
  for (const run of all) {
    const { id, partitionKey, assets } = run;
    const isIn = (works: ReadonlySet<string>, asset: string): boolean =>
      works.has(workName(asset, partitionKey));
    const there = chosen.has(id)
      ? assets.filter(({ asset }) => isThere(view, pipeline, asset, partitionKey))
      : [];
    const key = nameOf(pipeline, there, partitionKey);
    if (there.length > 0 && !decided.has(key)) {
      decided.add(key);
      const left = there.filter(({ asset }) => !isIn(made, asset));
      if (run.finishedAt === null || left.some(({ asset }) => isIn(atWork, asset))) leftOut++;
      else if (left.length > 0) runs.push({ ...run, assets: left });
    }
    for (const { asset, status } of assets) {
      if (run.finishedAt === null) atWork.add(workName(asset, partitionKey));
      else if (status === 'SUCCESS') made.add(workName(asset, partitionKey));
    }
  }
  return { runs, leftOut };
}

/** A key of one set is not that of another. Runs without a key have nothing in common but their assets. */
function nameOf(pipeline: Pipeline, assets: RunRecord['assets'], partitionKey: string | null): string {
  const set = pipeline.assets.get(assets[0]?.asset ?? '')?.set ?? null;
  return JSON.stringify(set === null ? assets.map(({ asset }) => asset) : [set, partitionKey]);
}

function isThere(view: StateView, pipeline: Pipeline, name: string, key: string | null): boolean {
  const set = pipeline.assets.get(name)?.set;
  return set === null || key === null ? set === key : set !== undefined && view.present(set, [key]).has(key);
}
