/** What somebody says of keys that were made elsewhere, or are not wanted. Pure: `--dry-run` prints the plan, the command commits it. */
import type { Pipeline } from '../../../definitions/pipeline.ts';
import type { PartitionStatus } from '../../../model/partition-status.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import { type Choice, isChosenBy, keysAsked } from '../materialize/candidates.ts';
import { choiceOf, needsOfSelection, type Selection, targetsOf } from '../materialize/selection.ts';
import { together } from '../needs-together.ts';
import { PendingWork } from '../queue/pending-work.ts';

export type Mark = Extract<PartitionStatus, 'materialized' | 'missing' | 'skipped'>;

/** Keys in the order in which they were chosen; `null` is the one of an asset without a set. */
export interface MarkPlan {
  readonly changes: readonly StateChange[];
  readonly set: string | null;
  readonly marked: readonly (string | null)[];
  /** Left out: runs of them are queued or started. */
  readonly inProgress: readonly (string | null)[];
  /** Left out: they are so already, and what was made from them stays as it is. */
  readonly unchanged: readonly (string | null)[];
}

/** @param selection of one asset */
export function needsOfMark(pipeline: Pipeline, selection: Selection): Needs {
  return together(needsOfSelection(pipeline, selection, choiceFor(selection)), {
    runs: [{ assets: selection.assets }],
    executors: true,
  });
}

/** @throws FailureError as a `materialize` of the selection does */
export function planMark(
  view: StateView,
  pipeline: Pipeline,
  selection: Selection,
  { as, now }: { readonly as: Mark; readonly now: Millis },
): MarkPlan {
  const choice = choiceFor(selection);
  const [target] = targetsOf(view, pipeline, selection);
  if (target === undefined) return { changes: [], set: null, marked: [], inProgress: [], unchanged: [] };
  const { set, assets } = target;
  const asset = assets[0]!.name;
  const pending = new PendingWork(view);
  const marked: (string | null)[] = [];
  const inProgress: (string | null)[] = [];
  const unchanged: (string | null)[] = [];
  for (const { key, statusOf } of keysAsked(view, pipeline, target, choice)) {
    const status = statusOf(asset);
    if (!isChosenBy(choice, status)) continue;
    if (pending.of(assets, key).length > 0) inProgress.push(key);
    else (status === as ? unchanged : marked).push(key);
  }
  const changes: StateChange[] =
    marked.length === 0 ? [] : [{ type: 'keys-marked', asset, set, keys: marked, as, at: isoTime(now) }];
  return { changes, set, marked, inProgress, unchanged };
}

function choiceFor(selection: Selection): Choice {
  return { ...choiceOf(selection), wantsStatuses: true };
}
