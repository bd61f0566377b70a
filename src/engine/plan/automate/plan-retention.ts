/**
 * Retention as a rule of a set: which keys a tick of `automation` takes out. Pure.
 *
 * A key goes when everything of it is made or skipped and nothing of it is on its way: what failed waits for a person, whatever its age.
 * It is kept out, so that no sensor brings it back.
 */
import type { AssetDefinition, Pipeline, Retention } from '../../../definitions/pipeline.ts';
import { counted } from '../../../model/text.ts';
import { countedAs } from '../../../model/partition-status.ts';
import type { FailedSource, PartitionsOutcome } from '../../../model/tick.ts';
import type { Millis } from '../../../model/time.ts';
import { timeAgo } from '../keys/time-ago.ts';
import type { QueuedRuns, StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { OldestQuery, StateView } from '../../../state/state-view.ts';
import { needsOfRemoving, removeKeys } from '../keys/add-remove-sync.ts';
import { together } from '../needs-together.ts';
import type { PendingWork } from '../queue/pending-work.ts';

/** Keys that the rules name, by set. */
export type NamedKeys = ReadonlyMap<string, readonly string[]>;

export interface Retained {
  readonly changes: readonly StateChange[];
  readonly partitions: readonly PartitionsOutcome[];
  /** Rules that would take out more at once than they may. */
  readonly failures: readonly FailedSource[];
}

/** Which keys the rules name, whatever became of them. */
export function needsOfNaming(pipeline: Pipeline, now: Millis): Needs {
  return { sets: true, oldest: [...pipeline.retain].map(([set, rule]) => queryOf(set, rule, now)) };
}

export function namedByRules(view: StateView, pipeline: Pipeline, now: Millis): NamedKeys {
  return new Map([...pipeline.retain].map(([set, rule]) => [set, view.oldest(queryOf(set, rule, now))]));
}

export function needsOfRetention(pipeline: Pipeline, named: NamedKeys): Needs {
  return together(
    { sets: true },
    ...[...named].flatMap(([set, keys]): Needs[] => [
      needsOfRemoving(set, keys),
      { statuses: assetsOf(pipeline, set).map(({ name }) => ({ asset: name, set, keys })) },
    ]),
  );
}

/** @param queued by the same plan: their keys stay */
export function planRetention(
  view: StateView,
  pipeline: Pipeline,
  options: {
    readonly named: NamedKeys;
    readonly now: Millis;
    readonly pending: PendingWork;
    readonly queued: readonly QueuedRuns[];
  },
): Retained {
  const { named, now, pending, queued } = options;
  const changes: StateChange[] = [];
  const partitions: PartitionsOutcome[] = [];
  const failures: FailedSource[] = [];
  for (const [set, keys] of named) {
    const assets = assetsOf(pipeline, set);
    const asked = new Set(queued.flatMap((runs) => (runs.set === set ? runs.keys : [])));
    const isIdle = (key: string): boolean => !asked.has(key) && pending.of(assets, key).length === 0;
    const there = view.present(set, keys);
    const done = doneOf(
      view,
      set,
      assets,
      keys.filter((key) => there.has(key)),
    ).filter(isIdle);
    if (done.length === 0) continue;
    const most = pipeline.retain.get(set)!.most(view.size(set));
    if (done.length > most) {
      failures.push({ name: set, error: tooMany(done.length, view.size(set)) });
      continue;
    }
    const { purge } = pipeline.retain.get(set)!;
    const removal = removeKeys(view, set, done, { keepOut: true, purge, by: 'retain', now });
    changes.push(...removal.changes);
    partitions.push({ set, added: [], updated: [], removed: removal.outcome.removed, skipped: [] });
  }
  return { changes, partitions, failures };
}

/** Those of the keys for which each asset is made or skipped. */
function doneOf(
  view: StateView,
  set: string,
  assets: readonly AssetDefinition[],
  keys: readonly string[],
): readonly string[] {
  let done = keys;
  for (const { name } of assets) {
    const statuses = view.statusOf(name, set, done);
    done = done.filter((_, at) => {
      const is = countedAs(statuses[at]!);
      return is === 'materialized' || is === 'skipped';
    });
  }
  return done;
}

function assetsOf(pipeline: Pipeline, set: string): AssetDefinition[] {
  return [...pipeline.assets.values()].filter((asset) => asset.set === set);
}

function queryOf(set: string, { keepLast, olderThan }: Retention, now: Millis): OldestQuery {
  return { set, keepLast, addedBefore: olderThan === null ? null : timeAgo(now, olderThan) };
}

function tooMany(count: number, total: number): string {
  return `retain would take out ${count} of ${counted(total, 'key')} at once`;
}
