/** Which runs a `materialize` comes to, given the state. Pure: `--dry-run` prints the plan, the command commits it. */
import { fail } from '../../model/failure.ts';
import { nearest } from '../../model/nearest.ts';
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import { isoTime, type Millis } from '../../model/time.ts';
import type { QueuedRuns, StateChange } from '../../state/changes.ts';
import type { StateView } from '../../state/slice.ts';
import { candidatesOf, type KeyAt } from './candidates.ts';
import { PendingWork } from './pending-work.ts';

/** What the user chose. */
export interface Selection {
  /** Empty: all assets. */
  readonly assets: readonly string[];
  /** Named keys (`--key`, `--keys-from`); `null`: chosen by state. */
  readonly keys: readonly string[] | null;
  /** Named with `--key`: keys that are queued or started are waited for instead of left out. */
  readonly waits: boolean;
  readonly all: boolean;
  readonly missing: boolean;
  readonly failed: boolean;
  readonly prefix: string | null;
  readonly order: 'newest' | 'oldest';
  readonly limit: number | null;
  /** Register named keys that are not in their set. */
  readonly add: boolean;
}

export interface MaterializeMoment {
  readonly now: Millis;
  readonly group: string;
}

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

export interface WaitingAsset {
  readonly asset: string;
  readonly partitionKey: string | null;
  readonly upstream: string;
}

interface Options {
  readonly moment: MaterializeMoment;
  /** Who will execute the runs; `null`: a worker. */
  readonly owner: string | null;
  /** Default: no tags. */
  readonly tagsOf?: TagsOf;
}

/** The tags that the runs of a key carry. */
export type TagsOf = (set: string | null, key: string | null) => QueuedRuns['tags'];

/** @throws FailureError for unknown assets and keys, a key that several sets have, a choice that names no key */
export function planMaterialize(
  view: StateView,
  pipeline: Pipeline,
  selection: Selection,
  { moment, owner, tagsOf = () => ({}) }: Options,
): MaterializePlan {
  const assets = chosenAssets(view, pipeline, selection);
  const targets =
    selection.keys === null
      ? targetsByState(assets, selection)
      : targetsOfKeys(view, assets, selection, selection.keys);
  const pending = new PendingWork(view);
  const changes: StateChange[] = [];
  const groups = new Map<string, QueuedRuns & { readonly keys: (string | null)[] }>();
  const takenOver = new Set<string>();
  const waitedFor = new Set<string>();
  const waiting: WaitingAsset[] = [];
  let leftOut = 0;
  for (const { set, assets: ofSet, keys: named } of targets) {
    if (selection.add && named !== null && set !== null)
      changes.push(...registered(view, set, named as string[], moment.now));
    const keys = narrowed(named ?? view.keys(set!), selection);
    let chosen = 0;
    const target = { set, assets: ofSet, named };
    for (const candidate of candidatesOf(view, pipeline, target, { keys, states: selection })) {
      if (selection.limit !== null && chosen >= selection.limit) break;
      const { key, assets: wanted } = candidate;
      const work = pending.of(wanted, key);
      const unowned = work.filter(({ alive }) => !alive);
      const owned = work.filter(({ alive }) => alive);
      if ((owned.length > 0 || (owner === null && unowned.length > 0)) && !selection.waits) {
        leftOut++;
        continue;
      }
      for (const { asset, upstream } of candidate.waiting)
        waiting.push({ asset, partitionKey: key, upstream });
      if (wanted.length === 0) continue;
      chosen++;
      const covered = new Set<string>();
      if (owner !== null) {
        for (const { run, runs } of unowned) {
          takenOver.add(run.id);
          for (const asset of runs.assets) covered.add(asset);
        }
      }
      for (const { run } of owned) waitedFor.add(run.id);
      const rest = wanted.filter(({ name }) => !covered.has(name));
      if (rest.length > 0)
        addTo(groups, {
          set,
          assets: rest.map(({ name }) => name),
          key,
          tags: tagsOf(set, key),
          moment,
          origin: owner === null ? 'worker' : 'materialize',
        });
    }
  }
  const queued = numbered([...groups.values()]);
  changes.push(...queued.map((runs): StateChange => ({ type: 'runs-queued', runs, owner })));
  return { changes, queued, takenOver, waitedFor: [...waitedFor], leftOut, waiting };
}

/** Named keys that are not in their set yet join it; one that was kept out is let in. */
function registered(view: StateView, set: string, named: readonly string[], now: Millis): StateChange[] {
  const present = view.present(set, named);
  const added = [...new Set(named)].filter((key) => !present.has(key));
  if (added.length === 0) return [];
  const keptOut = [...view.keptOut(set, added)];
  return [
    ...(keptOut.length > 0 ? [{ type: 'keys-let-in', set, keys: keptOut } as const] : []),
    { type: 'keys-added', set, keys: added, at: isoTime(now) },
  ];
}

interface Target {
  readonly set: string | null;
  readonly assets: readonly AssetDefinition[];
  /** `null`: all keys of the set. */
  readonly keys: readonly (string | null)[] | null;
}

function chosenAssets(view: StateView, pipeline: Pipeline, { assets }: Selection): AssetDefinition[] {
  const unknown = assets.filter((name) => !pipeline.assets.has(name));
  if (unknown.length > 0) {
    const names = [...pipeline.assets.keys()];
    fail({
      reason: 'unknown-name',
      thing: 'asset',
      names: unknown,
      nearest: nearest(unknown[0]!, names),
      known: names.length,
      keyOf: view.setNames().find((set) => view.present(set, [unknown[0]!]).size > 0),
    });
  }
  return [...pipeline.assets.values()].filter(({ name }) => assets.length === 0 || assets.includes(name));
}

function bySet(assets: readonly AssetDefinition[]): Map<string | null, AssetDefinition[]> {
  const sets = new Map<string | null, AssetDefinition[]>();
  for (const asset of assets) sets.set(asset.set, [...(sets.get(asset.set) ?? []), asset]);
  return sets;
}

function targetsByState(assets: readonly AssetDefinition[], { all, missing, failed }: Selection): Target[] {
  const sets = bySet(assets);
  const partitioned = [...sets.keys()].filter((set) => set !== null);
  const byState = all || missing || failed;
  if (partitioned.length > 0 && !byState) {
    const names = assets.filter(({ set }) => set !== null).map(({ name }) => `'${name}'`);
    fail({
      reason: 'usage',
      message: `${names.slice(0, 5).join(', ')} ${names.length === 1 ? 'is' : 'are'} partitioned by ${partitioned.map((set) => `'${set}'`).join(', ')}: which keys are meant was not said`,
      hint: 'choose them with --key KEY, --keys-from FILE, --missing, --failed or --all',
    });
  }
  return [...sets].map(([set, ofSet]) => ({ set, assets: ofSet, keys: set === null ? [null] : null }));
}

function targetsOfKeys(
  view: StateView,
  assets: readonly AssetDefinition[],
  selection: Selection,
  keys: readonly string[],
): Target[] {
  const sets = bySet(assets.filter(({ set }) => set !== null));
  if (sets.size === 0) {
    fail({
      reason: 'usage',
      message: `none of the assets ${assets
        .map(({ name }) => `'${name}'`)
        .slice(0, 5)
        .join(', ')} is partitioned, so they have no keys`,
      hint: 'leave --key away',
    });
  }
  const names = [...sets.keys()] as string[];
  const present = new Map(names.map((set) => [set, view.present(set, keys)]));
  const asked = [...new Set(keys)];
  const ambiguous = asked.filter((key) => names.filter((set) => present.get(set)!.has(key)).length > 1);
  if (ambiguous.length > 0) fail({ reason: 'ambiguous-keys', keys: ambiguous, sets: names, known: true });
  const unknown = asked.filter((key) => !names.some((set) => present.get(set)!.has(key)));
  if (unknown.length > 0 && !selection.add) {
    fail({
      reason: 'unknown-keys',
      sets: names,
      keys: unknown,
      nearest: nearestKeys(view, names[0]!, unknown[0]!),
    });
  }
  if (unknown.length > 0 && names.length > 1)
    fail({ reason: 'ambiguous-keys', keys: unknown, sets: names, known: false });
  if (selection.assets.length > 0) {
    for (const { name, set } of assets) {
      const absent = asked.filter(
        (key) => set === null || !(present.get(set)!.has(key) || unknown.includes(key)),
      );
      if (absent.length > 0) fail({ reason: 'asset-without-key', asset: name, set, keys: absent });
    }
  }
  return names
    .map((set) => ({
      set,
      assets: sets.get(set)!,
      keys: asked.filter((key) => present.get(set)!.has(key) || unknown.includes(key)),
    }))
    .filter((target) => target.keys.length > 0);
}

/** Near keys are looked for among so many: a million comparisons would not make the message better. */
const MOST_COMPARED = 20_000;

export function nearestKeys(view: StateView, set: string, key: string): string[] {
  return nearest(key, view.keys(set).slice(-MOST_COMPARED));
}

function narrowed(keys: readonly (string | null)[], { prefix, order }: Selection): KeyAt[] {
  const all = keys.map((key, position) => ({ key, position }));
  const left = prefix === null ? all : all.filter(({ key }) => key === null || key.startsWith(prefix));
  return order === 'newest' ? left.reverse() : left;
}

function addTo(
  groups: Map<string, QueuedRuns & { readonly keys: (string | null)[] }>,
  {
    set,
    assets,
    key,
    tags,
    moment,
    origin,
  }: {
    set: string | null;
    assets: string[];
    key: string | null;
    tags: QueuedRuns['tags'];
    moment: MaterializeMoment;
    origin: QueuedRuns['origin'];
  },
): void {
  const name = JSON.stringify([set, assets, Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))]);
  const group = groups.get(name);
  if (group !== undefined) {
    group.keys.push(key);
    return;
  }
  const createdAt = isoTime(moment.now);
  groups.set(name, {
    group: moment.group,
    createdAt,
    sensor: null,
    set,
    assets,
    tags,
    origin,
    retryOf: null,
    firstNumber: 1,
    keys: [key],
    runKeys: null,
  });
}

function numbered(groups: readonly QueuedRuns[]): QueuedRuns[] {
  let firstNumber = 1;
  return groups.map((group) => {
    const numberedGroup = { ...group, firstNumber };
    firstNumber += group.keys.length;
    return numberedGroup;
  });
}
