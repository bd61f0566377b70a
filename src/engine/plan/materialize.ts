/** Which runs a `materialize` comes to, given the state. Pure: `--dry-run` prints the plan, the command commits it. */
import { fail } from '../../model/failure.ts';
import { nearest } from '../../model/nearest.ts';
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import { isoTime, type Millis } from '../../model/time.ts';
import type { QueuedRuns, StateChange } from '../../state/changes.ts';
import type { PendingRun, PendingRuns, StateView } from '../../state/slice.ts';
import { runsIn } from './run-records.ts';

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
  readonly leftOut: number;
}

interface Options {
  readonly moment: MaterializeMoment;
  /** Who will execute the runs; `null`: a worker. */
  readonly owner: string | null;
}

/** @throws FailureError for unknown assets and keys, a key that several sets have, a choice that names no key */
export function planMaterialize(
  view: StateView,
  pipeline: Pipeline,
  selection: Selection,
  { moment, owner }: Options,
): MaterializePlan {
  const assets = chosenAssets(pipeline, selection);
  const targets =
    selection.keys === null
      ? targetsByState(assets, selection)
      : targetsOfKeys(view, assets, selection, selection.keys);
  const pending = new PendingWork(view);
  const changes: StateChange[] = [];
  const groups = new Map<string, QueuedRuns & { readonly keys: (string | null)[] }>();
  const takenOver = new Set<string>();
  const waitedFor = new Set<string>();
  let leftOut = 0;
  for (const { set, assets: ofSet, keys: named } of targets) {
    const keys = named ?? view.keys(set!);
    if (selection.add && named !== null && set !== null) {
      const present = view.present(set, named as string[]);
      const added = [...new Set(named as string[])].filter((key) => !present.has(key));
      if (added.length > 0) {
        const keptOut = [...view.keptOut(set, added)];
        if (keptOut.length > 0) changes.push({ type: 'keys-let-in', set, keys: keptOut });
        changes.push({ type: 'keys-added', set, keys: added, at: isoTime(moment.now) });
      }
    }
    const statuses =
      selection.missing || selection.failed
        ? ofSet.map(({ name }) =>
            named === null ? view.statuses(name, set) : view.statusOf(name, set, named),
          )
        : null;
    const candidates = narrowed(keys, selection).flatMap((key) => {
      const position = key.position;
      const wanted =
        statuses === null
          ? ofSet
          : inChosenStates(
              ofSet,
              statuses.map((letters) => letters[position]!),
              selection,
            );
      return wanted.length === 0 ? [] : [{ key: key.key, wanted }];
    });
    let chosen = 0;
    for (const { key, wanted } of candidates) {
      if (selection.limit !== null && chosen >= selection.limit) break;
      const work = pending.of(wanted, key);
      const unowned = work.filter(({ alive }) => !alive);
      const owned = work.filter(({ alive }) => alive);
      if ((owned.length > 0 || (owner === null && unowned.length > 0)) && !selection.waits) {
        leftOut++;
        continue;
      }
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
          moment,
          origin: owner === null ? 'worker' : 'materialize',
        });
    }
  }
  const queued = numbered([...groups.values()]);
  changes.push(...queued.map((runs): StateChange => ({ type: 'runs-queued', runs, owner })));
  return { changes, queued, takenOver, waitedFor: [...waitedFor], leftOut };
}

interface Target {
  readonly set: string | null;
  readonly assets: readonly AssetDefinition[];
  /** `null`: all keys of the set. */
  readonly keys: readonly (string | null)[] | null;
}

function chosenAssets(pipeline: Pipeline, { assets }: Selection): AssetDefinition[] {
  const unknown = assets.filter((name) => !pipeline.assets.has(name));
  if (unknown.length > 0) {
    const names = [...pipeline.assets.keys()];
    fail({
      reason: 'unknown-name',
      thing: 'asset',
      names: unknown,
      nearest: nearest(unknown[0]!, names),
      known: names.length,
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
  if (ambiguous.length > 0) fail({ reason: 'ambiguous-keys', keys: ambiguous, sets: names });
  const unknown = asked.filter((key) => !names.some((set) => present.get(set)!.has(key)));
  if (unknown.length > 0 && !selection.add) {
    const set = names[0]!;
    fail({
      reason: 'unknown-keys',
      set: names.join("', '"),
      keys: unknown,
      nearest: nearestKeys(view, set, unknown[0]!),
    });
  }
  if (unknown.length > 0 && names.length > 1) fail({ reason: 'ambiguous-keys', keys: unknown, sets: names });
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

function narrowed(
  keys: readonly (string | null)[],
  { prefix, order }: Selection,
): { key: string | null; position: number }[] {
  const all = keys.map((key, position) => ({ key, position }));
  const left = prefix === null ? all : all.filter(({ key }) => key === null || key.startsWith(prefix));
  return order === 'newest' ? left.reverse() : left;
}

/** Those in the chosen states, and what depends on them among the chosen. Assets come in dependency order. */
function inChosenStates(
  assets: readonly AssetDefinition[],
  letters: readonly string[],
  { all, missing, failed }: Selection,
): AssetDefinition[] {
  if (all) return [...assets];
  const taken = new Set<string>();
  assets.forEach(({ name, upstream }, at) => {
    const chosen = (missing && letters[at] === '.') || (failed && letters[at] === 'f');
    if (chosen || upstream.some((above) => taken.has(above))) taken.add(name);
  });
  return assets.filter(({ name }) => taken.has(name));
}

interface Work {
  readonly runs: PendingRuns;
  readonly run: PendingRun;
  readonly alive: boolean;
}

/** Queued and started runs by what they are about to materialize. */
class PendingWork {
  readonly #byWork = new Map<string, Work[]>();

  constructor(view: StateView) {
    const alive = new Set(
      view
        .executors()
        .filter((executor) => executor.alive)
        .map(({ id }) => id),
    );
    for (const runs of view.runs()) {
      const owned = runs.owner !== null && alive.has(runs.owner);
      for (const run of runsIn(runs)) {
        // One that is being canceled without a live owner will not be executed: it covers nothing.
        if (run.canceling && !owned) continue;
        for (const asset of runs.assets) {
          const name = `${asset}\0${run.partitionKey ?? ''}`;
          this.#byWork.set(name, [...(this.#byWork.get(name) ?? []), { runs, run, alive: owned }]);
        }
      }
    }
  }

  of(assets: readonly AssetDefinition[], key: string | null): Work[] {
    if (this.#byWork.size === 0) return [];
    const found = assets.flatMap(({ name }) => this.#byWork.get(`${name}\0${key ?? ''}`) ?? []);
    return [...new Map(found.map((work) => [work.run.id, work])).values()];
  }
}

function addTo(
  groups: Map<string, QueuedRuns & { readonly keys: (string | null)[] }>,
  {
    set,
    assets,
    key,
    moment,
    origin,
  }: {
    set: string | null;
    assets: string[];
    key: string | null;
    moment: MaterializeMoment;
    origin: QueuedRuns['origin'];
  },
): void {
  const name = JSON.stringify([set, assets]);
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
    tags: {},
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
