/** Which runs a `materialize` comes to, given the state. Pure: `--dry-run` prints the plan, the command commits it. */
import type { Pipeline } from '../../../definitions/pipeline.ts';
import type { QueuedRuns, StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import { addKeys } from '../keys/add-remove-sync.ts';
import { candidatesOf, type Waiting } from './candidates.ts';
import { Chosen } from './chosen.ts';
import { needsOfGathers } from '../gather/gathers.ts';
import { assetsNamed, choiceOf, needsOfSelection, type Selection, targetsOf } from './selection.ts';
import { together } from '../needs-together.ts';
import { PendingWork } from '../queue/pending-work.ts';
import { AskedRuns } from '../queue/asked-runs.ts';
import { queueRuns, type RunsMoment } from '../queue/queue-runs.ts';

export interface MaterializePlan {
  /** Keys to be registered and runs to be queued. */
  readonly changes: readonly StateChange[];
  readonly queued: readonly QueuedRuns[];
  /** Runs without a live owner that cover what was chosen: taken over instead of queued again. */
  readonly takenOver: ReadonlySet<string>;
  /** Runs of a live process that are waited for. */
  readonly waitedFor: readonly string[];
  /** Keys that were left out because runs of them are queued or started already. */
  readonly leftOut: number;
  /** What was chosen by its state and waits, since something above it is neither there nor chosen. */
  readonly waiting: readonly WaitingAsset[];
}

export interface WaitingAsset extends Waiting {
  readonly partitionKey: string | null;
}

interface Options {
  readonly moment: RunsMoment;
  /** Who will execute the runs; `null`: a worker. */
  readonly owner: string | null;
  /** Default: no tags. */
  readonly tagsOf?: TagsOf;
}

/** The tags that the runs of a key carry. */
export type TagsOf = (set: string | null, key: string | null) => QueuedRuns['tags'];

export function needsOfMaterialize(pipeline: Pipeline, selection: Selection): Needs {
  const { assets } = assetsNamed(pipeline, selection);
  return together(needsOfSelection(pipeline, selection), needsOfGathers(pipeline, assets), {
    runs: [{ assets: assets.map(({ name }) => name) }],
    executors: true,
  });
}

/** @throws FailureError for unknown assets and keys, a key that several sets have, a choice that names no key */
export function planMaterialize(
  view: StateView,
  pipeline: Pipeline,
  selection: Selection,
  { moment, owner, tagsOf = () => ({}) }: Options,
): MaterializePlan {
  const targets = targetsOf(view, pipeline, selection);
  const choice = choiceOf(selection);
  const pending = new PendingWork(view);
  const changes: StateChange[] = [];
  const asked = new AskedRuns(pipeline, { sensor: null, origin: owner === null ? 'worker' : 'materialize' });
  const takenOver = new Set<string>();
  const waitedFor = new Set<string>();
  const waiting: WaitingAsset[] = [];
  const besides = new Chosen(view, pipeline, pending, choice);
  let leftOut = 0;
  for (const target of targets) {
    const { set, named } = target;
    if (selection.add && named !== null && set !== null)
      changes.push(...addKeys(view, set, named as string[], { now: moment.now }).changes);
    let chosen = 0;
    for (const candidate of candidatesOf(view, pipeline, target, { choice, besides })) {
      if (selection.limit !== null && chosen >= selection.limit) break;
      const { key, assets: wanted } = candidate;
      const work = pending.of(wanted, key);
      const unowned = work.filter(({ alive }) => !alive);
      const owned = work.filter(({ alive }) => alive);
      if ((owned.length > 0 || (owner === null && unowned.length > 0)) && !selection.waits) {
        leftOut++;
        continue;
      }
      for (const one of candidate.waiting) waiting.push({ ...one, partitionKey: key });
      if (wanted.length === 0) continue;
      chosen++;
      for (const { name } of wanted) besides.choose(name, key);
      const covered = new Set<string>();
      if (owner !== null) {
        for (const { run, runs } of unowned) {
          takenOver.add(run.id);
          for (const asset of runs.assets) covered.add(asset);
        }
      }
      for (const { run } of owned) waitedFor.add(run.id);
      const rest = [...wanted.keys()].filter((at) => !covered.has(wanted[at]!.name));
      if (rest.length === 0) continue;
      const { reasons } = candidate;
      asked.add(set, key, {
        assets: rest.map((at) => wanted[at]!.name),
        ...(reasons && { reasons: rest.map((at) => reasons[at]!) }),
        tags: tagsOf(set, key),
      });
    }
  }
  const queued = queueRuns(moment, asked.parts);
  changes.push(...queued.map((runs): StateChange => ({ type: 'runs-queued', runs, owner })));
  return { changes, queued, takenOver, waitedFor: [...waitedFor], leftOut, waiting };
}
