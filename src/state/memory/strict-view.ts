/**
 * A view that shows what was declared and nothing else, as a database would: what a plan forgot to declare fails in a test, and
 * not where the state is one.
 */
import { type PendingRun, type PendingRuns, runsIn } from '../../model/pending-run.ts';
import type { Needs, RunsNeed } from '../needs.ts';
import type { StateView } from '../state-view.ts';

export function strictly(view: StateView, needs: Needs): StateView {
  if (needs.everything) return view;
  const keysNeeded = new Map<string, Set<string | null> | 'all'>();
  for (const { set, keys } of needs.keys ?? []) {
    const before = keysNeeded.get(set);
    if (keys === 'all' || before === 'all') keysNeeded.set(set, 'all');
    else keysNeeded.set(set, new Set([...(before ?? []), ...keys]));
  }
  // What a rule names is there.
  for (const query of needs.oldest ?? []) {
    const before = keysNeeded.get(query.set) ?? new Set();
    if (before !== 'all') keysNeeded.set(query.set, new Set([...before, ...view.oldest(query)]));
  }
  const carriedNeeded = once(() => {
    const bySet = new Map<string, Set<string | null> | 'all'>();
    for (const { set, keys } of (needs.keys ?? []).filter(({ carried }) => carried)) {
      const before = bySet.get(set) ?? new Set();
      bySet.set(set, keys === 'all' || before === 'all' ? 'all' : new Set([...before, ...keys]));
    }
    return bySet;
  });
  const demandKeys = (set: string, keys: Iterable<string | null>): void => {
    const needed = keysNeeded.get(set);
    if (needed === 'all') return;
    for (const key of keys) demand(needed?.has(key) ?? false, `key ${key} of set ${set}`);
  };
  const demandSensor = (name: string): void =>
    demand(needs.sensors === 'all' || (needs.sensors?.includes(name) ?? false), `sensor ${name}`);
  const isTakeable = once(() => takeable(view, needs.runs ?? []));
  const isNeeded = (group: PendingRuns, run: PendingRun): boolean =>
    (needs.runs ?? []).some((need) => meets(need, group, run) || isTakeable().has(run.id));
  const runs = once(() => neededRuns(view.runs(), isNeeded));
  return {
    serial: view.serial,
    pipeline: view.pipeline,
    incidents: view.incidents,
    setNames: () => {
      demand(needs.sets === true, 'the names of sets');
      return view.setNames();
    },
    size: (set) => {
      demand(needs.sets === true || keysNeeded.has(set), `the size of set ${set}`);
      return view.size(set);
    },
    keys: (set) => {
      demand(keysNeeded.get(set) === 'all', `all keys of set ${set}`);
      return view.keys(set);
    },
    present: (set, keys) => {
      const asked = [...keys];
      demandKeys(set, asked);
      return view.present(set, asked);
    },
    keptOut: (set, keys) => {
      const asked = [...keys];
      demandKeys(set, asked);
      return view.keptOut(set, asked);
    },
    carried: (set, keys) => {
      const asked = [...keys];
      const needed = carriedNeeded().get(set);
      for (const key of asked)
        demand(needed === 'all' || (needed?.has(key) ?? false), `what key ${key} of set ${set} carries`);
      return view.carried(set, asked);
    },
    page: (query) => {
      demand(isAmong(query, needs.pages), 'a page of keys');
      return view.page(query);
    },
    oldest: (query) => {
      demand(isAmong(query, needs.oldest), 'the oldest keys');
      return view.oldest(query);
    },
    statusOf: (asset, set, keys) => {
      const declared = (needs.statuses ?? []).filter((need) => need.asset === asset && need.set === set);
      const needed = new Set(declared.flatMap((need) => [...need.keys]));
      for (const key of keys) demand(needed.has(key), `the status of ${asset} for ${key}`);
      return view.statusOf(asset, set, keys);
    },
    nextTries: (asset, set, keys) => {
      const declared = (needs.statuses ?? []).filter((need) => need.asset === asset && need.set === set);
      const needed = new Set(declared.flatMap((need) => [...need.keys]));
      for (const key of keys) demand(needed.has(key), `when ${asset} is tried again for ${key}`);
      return view.nextTries(asset, set, keys);
    },
    nextRetry: (after) => {
      demand(needs.retries === true, 'when a key is tried again');
      return view.nextRetry(after);
    },
    candidates: (query) => {
      demand(isAmong(query, needs.candidates), 'candidates');
      return view.candidates(query);
    },
    counts: (query) => {
      demand(isAmong(query, needs.counts), `the counts of ${query.asset}`);
      return view.counts(query);
    },
    sensor: (name) => {
      demandSensor(name);
      return view.sensor(name);
    },
    sensorNames: () => {
      demand(needs.sensors === 'all', 'the names of sensors');
      return view.sensorNames();
    },
    spentRunKeys: (sensor, runKeys, removed) => {
      const asked = [...runKeys];
      const declared = (needs.runKeys ?? []).filter((need) => need.sensor === sensor);
      const needed = new Set(declared.flatMap((need) => [...need.runKeys]));
      for (const runKey of asked) demand(needed.has(runKey), `run key ${runKey} of sensor ${sensor}`);
      return view.spentRunKeys(sensor, asked, removed);
    },
    runs: () => {
      demand(needs.runs !== undefined, 'runs');
      return runs();
    },
    run: (id) => {
      const found = view.run(id);
      if (found !== undefined && isNeeded(found.runs, found.run)) return found;
      // Whether it is an executor's can be asked of any run: of others nothing is known then.
      const isNamed = (needs.runs ?? []).some(
        (need) =>
          need === 'all' ||
          ('ids' in need && new Set(need.ids).has(id)) ||
          'owner' in need ||
          'owned' in need ||
          'canceling' in need ||
          'takeable' in need ||
          'besides' in need,
      );
      demand(isNamed, `run ${id}`);
      return undefined;
    },
    ownedBy: (executor) => {
      demand(needs.ownedBy?.includes(executor) ?? false, `how many runs are ${executor}'s`);
      return view.ownedBy(executor);
    },
    runPage: (query) => {
      demand(isAmong(query, needs.runPages), 'runs that have ended');
      return view.runPage(query);
    },
    ticks: (query) => {
      demand(isAmong(query, needs.ticks), `past ticks of ${query.sensor}`);
      return view.ticks(query);
    },
    executors: () => {
      demand(needs.executors === true, 'the executors');
      return view.executors();
    },
    poolStarts: () => {
      demand(needs.executors === true, 'the executors');
      return view.poolStarts();
    },
    clockAhead: () => {
      demand(needs.executors === true, 'the executors');
      return view.clockAhead();
    },
  };
}

function isAmong(query: object, declared: readonly object[] = []): boolean {
  const asked = JSON.stringify(query);
  return declared.some((one) => JSON.stringify(one) === asked);
}

/** Those runs that are needed, in groups as they are. */
function neededRuns(
  groups: readonly PendingRuns[],
  isNeeded: (runs: PendingRuns, run: PendingRun) => boolean,
): readonly PendingRuns[] {
  return groups.flatMap((runs) => {
    const positions = Array.from({ length: runs.count }, (_, at) => at).filter((at) =>
      isNeeded(runs, runs.at(at)),
    );
    if (positions.length === runs.count) return [runs];
    if (positions.length === 0) return [];
    return [
      {
        ...runs,
        count: positions.length,
        at: (position: number) => runs.at(positions[position]!),
        canceling: () => runs.canceling().filter((run) => isNeeded(runs, run)),
      },
    ];
  });
}

function meets(need: RunsNeed, runs: PendingRuns, run: PendingRun): boolean {
  if (need === 'all') return true;
  if ('ids' in need) return new Set(need.ids).has(run.id);
  if ('owner' in need) return runs.owner === need.owner;
  if ('owned' in need) return runs.owner !== null;
  if ('canceling' in need) return run.canceling;
  if ('takeable' in need || 'besides' in need) return false;
  if ('set' in need) return runs.set === need.set && new Set(need.keys).has(run.partitionKey);
  return runs.assets.some((asset) => need.assets.includes(asset));
}

/** The runs that the needs `takeable` and `besides` name, by their ids. */
function takeable(view: StateView, needs: readonly RunsNeed[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const need of needs) {
    if (need === 'all') continue;
    if ('takeable' in need) addTakeable(view, need, ids);
    else if ('besides' in need) addBesides(view, need, ids);
  }
  return ids;
}

function addTakeable(
  view: StateView,
  need: { readonly takeable: number; readonly of?: readonly string[] },
  ids: Set<string>,
): void {
  if (need.takeable <= 0) return;
  const isBlocked = view.executors().some(({ blockedSince }) => blockedSince !== null);
  const free = new Set(
    view.executors().flatMap(({ id, alive, blockedSince }) => (alive && blockedSince === null ? [id] : [])),
  );
  const of = isBlocked || need.of === undefined ? null : new Set(need.of);
  let left = isBlocked ? Infinity : need.takeable;
  for (const runs of view.runs()) {
    if (
      runs.owner === null ? of !== null && !runs.assets.every((asset) => of.has(asset)) : free.has(runs.owner)
    )
      continue;
    for (const { id } of runsIn(runs)) if (runs.owner !== null || left-- > 0) ids.add(id);
  }
}

function addBesides(
  view: StateView,
  { besides, most }: { readonly besides: readonly string[]; readonly most: number },
  ids: Set<string>,
): void {
  const known = new Set(besides);
  let left = most;
  for (const runs of view.runs()) {
    if (runs.owner !== null || runs.assets.every((asset) => known.has(asset))) continue;
    for (const { id } of runsIn(runs)) if (left-- > 0) ids.add(id);
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function demand(isDeclared: boolean, what: string): void {
  if (!isDeclared) throw new Error(`a plan asks for ${what}, which is not among its needs`);
}
