/** What is wrong or well again without a commit that says so: what is overdue, blocked, mended by hand, or gone. Pure. */
import { shortDuration } from '../../../model/duration.ts';
import { describe } from '../../../model/describe-failure.ts';
import { type IncidentRecord, type Incidents, isSame } from '../../../model/incident.ts';
import type { KnownAsset, KnownPipeline, KnownSensor } from '../../../model/known-pipeline.ts';
import { freshness, isPast, newKeysBy } from '../../../model/overdue.ts';
import { countedAs } from '../../../model/partition-status.ts';
import { isoTime, type Millis, shortTime } from '../../../model/time.ts';
import type { Needs } from '../../../state/needs.ts';
import type { CountQuery, StateView } from '../../../state/state-view.ts';
import { blockedProcesses } from '../executors/blocked.ts';
import { closed, type Found, messageOf, opened } from './open-incidents.ts';

type Known = Pick<KnownPipeline, 'assets' | 'sensors'>;

export interface Look {
  readonly known: Known;
  /** What was open when it was said what is needed: others that came meanwhile are looked at the next time. */
  readonly seen: Incidents;
  readonly now: Millis;
}

export function needsOfLook({ known, seen }: Pick<Look, 'known' | 'seen'>): Needs {
  const failed = openRuns(seen);
  const counted = known.assets.filter(
    ({ name, freshFor }) =>
      freshFor !== undefined || failed.some(({ asset, more }) => asset === name && more > 0),
  );
  return {
    counts: counted.map(countQuery),
    statuses: failed.flatMap((one) => {
      const asset = known.assets.find(({ name }) => name === one.asset);
      return asset === undefined ? [] : [statusesOf(asset, one)];
    }),
    sensors: known.sensors.map(({ name }) => name),
    runs: [{ owned: true }],
    executors: true,
  };
}

/** @returns what is open and not told after this look; the same object where nothing has changed */
export function lookForIncidents(view: StateView, look: Look): Incidents {
  const { known, now } = look;
  const at = isoTime(now);
  const found = [...blockedNow(view), ...overdueNow(view, known, now)];
  const isFound = (one: IncidentRecord): boolean => found.some((other) => isSame(one, other));
  let after = withFewerKeys(view, look);
  after = closed(after, (one) => isGone(one, view, known), { at, why: 'gone' });
  after = closed(
    after,
    (one) => {
      if (one.kind === 'run-failed') return isMade(view, one, look);
      // A clock that was set back makes nothing fresh.
      if (one.kind === 'overdue') return at >= one.since && !isFound(one);
      return one.kind === 'stuck' && one.asset !== null && !isFound(one);
    },
    { at, why: 'well' },
  );
  return found.reduce((incidents, one) => opened(incidents, one, at), after);
}

function openRuns({ list }: Incidents): readonly IncidentRecord[] {
  return list.filter(({ kind, over }) => kind === 'run-failed' && over === undefined);
}

function countQuery({ name, set }: KnownAsset): CountQuery {
  return { asset: name, set };
}

function statusesOf({ name, set }: KnownAsset, { names }: IncidentRecord) {
  return { asset: name, set, keys: set === null ? [null] : names };
}

/** Keys that are made by now, by whomever, or that have left their set, are not failed any more. */
function withFewerKeys(view: StateView, { known, seen }: Look): Incidents {
  const { incidents } = view;
  const list = incidents.list.map((one) => {
    const asset = known.assets.find(({ name }) => name === one.asset);
    const before = seen.list.find((other) => isSame(one, other));
    if (one.kind !== 'run-failed' || one.over !== undefined || asset === undefined) return one;
    if (before === undefined || before.over !== undefined || asset.set === null) return one;
    const { keys } = statusesOf(asset, before);
    const mended = new Set(keys.filter((key) => !isFailed(view, asset, key)));
    const names = one.names.filter((name) => !mended.has(name));
    const more = before.more === 0 ? one.more : Math.min(one.more, view.counts(countQuery(asset)).failed);
    return names.length === one.names.length && more === one.more ? one : { ...one, names, more };
  });
  return list.every((one, at) => one === incidents.list[at]) ? incidents : { ...incidents, list };
}

function isFailed(view: StateView, { name, set }: KnownAsset, key: string | null): boolean {
  return countedAs(view.statusOf(name, set, [key])[0]!) === 'failed';
}

function isMade(view: StateView, one: IncidentRecord, { known, seen }: Look): boolean {
  const asset = known.assets.find(({ name }) => name === one.asset)!;
  if (asset.set !== null) return one.names.length === 0 && one.more === 0;
  const isSeen = openRuns(seen).some((other) => isSame(one, other));
  return isSeen && !isFailed(view, asset, null);
}

/** The asset or sensor is not there any more, was stopped, or nobody asks any more how fresh it is. */
function isGone(
  { kind, asset, sensor }: IncidentRecord,
  view: StateView,
  { assets, sensors }: Known,
): boolean {
  if (asset !== null) {
    const known = assets.find(({ name }) => name === asset);
    return known === undefined || (kind === 'overdue' && known.freshFor?.failMs === undefined);
  }
  const known = sensors.find(({ name }) => name === sensor);
  if (known === undefined || statusOf(view, known) === 'STOPPED') return true;
  return kind === 'overdue' && known.newKeysEveryMs === undefined;
}

function statusOf(view: StateView, { name, defaultStatus }: KnownSensor): 'RUNNING' | 'STOPPED' {
  return view.sensor(name).status ?? defaultStatus;
}

/** Assets whose code keeps a process from turning. */
function blockedNow(view: StateView): Found[] {
  const found = new Map<string, Found & { readonly names: string[] }>();
  for (const { failure } of blockedProcesses(view)) {
    const message = messageOf(describe(failure).message);
    for (const { assets, key } of failure.runs)
      for (const asset of assets) {
        const one = found.get(asset) ?? {
          kind: 'stuck' as const,
          asset,
          sensor: null,
          code: failure.reason,
          message,
          names: [],
        };
        found.set(asset, one);
        if (key !== null) one.names.push(key);
      }
  }
  return [...found.values()];
}

/** What is older, or quiet for longer, than is wanted. */
function overdueNow(view: StateView, { assets, sensors }: Known, now: Millis): Found[] {
  const old = assets.flatMap((asset) => {
    const { freshFor } = asset;
    if (freshFor === undefined) return [];
    const { madeAt } = view.counts(countQuery(asset));
    if (freshness(freshFor, { madeAt, now }) !== 'fail') return [];
    const message = `made ${shortTime(madeAt!)}, wanted within ${shortDuration(freshFor.failMs!)}`;
    return [{ ...overdue, asset: asset.name, sensor: null, message }];
  });
  const quiet = sensors.flatMap((sensor) => {
    const { newKeysEveryMs: every, name } = sensor;
    const { quietSince } = view.sensor(name);
    const by = newKeysBy(every, { quietSince, status: statusOf(view, sensor) });
    if (!isPast(by, now)) return [];
    const message = `no new key since ${shortTime(quietSince!)}, expected every ${shortDuration(every!)}`;
    return [{ ...overdue, asset: null, sensor: name, message }];
  });
  return [...old, ...quiet];
}

const overdue = { kind: 'overdue', code: 'overdue', names: [] } as const;
