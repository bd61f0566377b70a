/** Keeps in the state what the pipeline is made of: other commands need not load the user's code, and what became stale is on record. */
import type { KnownPipeline } from '../../../model/known-pipeline.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { StateView } from '../../../state/state-view.ts';

/**
 * The changes of a plan, and the pipeline with them where it is another one. It comes first: keys that the plan adds are none
 * of the backlog of an asset that is automated from now on. A plan without changes changes nothing.
 */
export function withPipeline(
  view: StateView,
  known: KnownPipeline,
  changes: readonly StateChange[],
  now: Millis,
): readonly StateChange[] {
  if (changes.length === 0 || isSame(view.pipeline, known)) return changes;
  return [{ type: 'pipeline-known', pipeline: known, at: isoTime(now) }, ...changes];
}

/** What a pipeline that says something else than the remembered one is worth a commit of its own for; else there is none. */
export function pipelineNews(view: StateView, known: KnownPipeline, now: Millis): readonly StateChange[] {
  if (isAlike(view.pipeline, known)) return [];
  // Before the first commit there is nothing that could have become stale. Keys that were added by hand before any tick: only where
  // something is made of keys by itself does it matter since when; and where keys are waited for, since when that is.
  const isSinceWhen =
    (view.serial > 0 && known.assets.some(({ automate }) => automate !== undefined)) ||
    known.sensors.some(({ newKeysEveryMs }) => newKeysEveryMs !== undefined);
  if (view.pipeline === null && !isSinceWhen) return [];
  return [{ type: 'pipeline-known', pipeline: known, at: isoTime(now) }];
}

const texts = new WeakMap<KnownPipeline, string>();

/** Down to when its file was saved. A thousand sensors of one tick ask for the same two. */
function isSame(one: KnownPipeline | null, other: KnownPipeline): boolean {
  return one !== null && textOf(one) === textOf(other);
}

function textOf(known: KnownPipeline): string {
  const text = texts.get(known) ?? JSON.stringify(known);
  texts.set(known, text);
  return text;
}

/** Wherever its file is, and whenever it was saved. */
function isAlike(one: KnownPipeline | null, other: KnownPipeline): boolean {
  return one !== null && contentOf(one) === contentOf(other);
}

function contentOf({ sets, concurrency, assets, sensors }: KnownPipeline): string {
  return JSON.stringify([sets, concurrency, assets, sensors]);
}
