/** Brings what a state remembers of the pipeline up to date, by a commit of its own. Most often there is nothing to bring. */
import type { KnownPipeline } from '../model/known-pipeline.ts';
import type { Millis } from '../model/time.ts';
import type { StateView } from '../state/state-view.ts';
import type { StateStore } from '../state/store.ts';
import { pipelineNews } from './plan/pipeline/remember-pipeline.ts';

/** @param view as it was looked at last */
export async function notePipeline(
  store: Pick<StateStore, 'commit'>,
  view: StateView,
  { known, now }: { readonly known: KnownPipeline; readonly now: Millis },
): Promise<void> {
  if (pipelineNews(view, known, now).length === 0) return;
  await store.commit({}, (newest) => ({ changes: pipelineNews(newest, known, now), outcome: undefined }));
}
