/** What there is and what is missing, as plain data: the table, `--json` and the page all render this. */
import type { KnownAsset } from '../model/known-pipeline.ts';
import type { TickRecord } from '../model/tick.ts';
import type { StateView } from '../state/slice.ts';

export interface StatusReport {
  readonly assets: readonly AssetReport[];
  readonly sensors: readonly SensorReport[];
}

/** Each key counts once: in progress, else failed, else materialized, else missing. */
export interface AssetReport {
  readonly asset: string;
  readonly set: string | null;
  readonly total: number;
  readonly materialized: number;
  readonly failed: number;
  readonly inProgress: number;
  readonly missing: number;
  /** A part of `materialized`. */
  readonly stale: number;
}

export interface SensorReport {
  readonly sensor: string;
  readonly status: 'RUNNING' | 'STOPPED';
  readonly lastTick: TickRecord | null;
  readonly overdue: boolean;
}

/** The keys with queued or started runs, by asset. */
export type KeysInProgress = ReadonlyMap<string, ReadonlySet<string | null>>;

export function keysInProgress(view: StateView): KeysInProgress {
  const byAsset = new Map<string, Set<string | null>>();
  for (const runs of view.runs()) {
    for (const asset of runs.assets) {
      const keys = byAsset.get(asset) ?? new Set();
      byAsset.set(asset, keys);
      for (let at = 0; at < runs.count; at++) keys.add(runs.at(at).partitionKey);
    }
  }
  return byAsset;
}

export function assetReport(
  view: StateView,
  { name, set }: KnownAsset,
  inProgress: KeysInProgress,
): AssetReport {
  const letters = view.statuses(name, set);
  const counts = { m: 0, f: 0, '.': 0 };
  for (const letter of letters) counts[letter as 'm' | 'f' | '.']++;
  const keys = stillThere(view, set, [...(inProgress.get(name) ?? [])]);
  for (const letter of view.statusOf(name, set, keys)) counts[letter]--;
  return {
    asset: name,
    set,
    total: letters.length,
    materialized: counts.m,
    failed: counts.f,
    inProgress: keys.length,
    missing: counts['.'],
    stale: 0,
  };
}

/** A run of a key that was removed may still be on its way out. */
function stillThere(
  view: StateView,
  set: string | null,
  keys: readonly (string | null)[],
): readonly (string | null)[] {
  if (set === null) return keys;
  const there = view.present(
    set,
    keys.filter((key) => key !== null),
  );
  return keys.filter((key) => key !== null && there.has(key));
}

/** Whether a job that waits for everything to be made and well may go on: keys missing or failed say no. */
export function isAllMade(assets: readonly AssetReport[]): boolean {
  return assets.every(({ missing, failed }) => missing + failed === 0);
}
