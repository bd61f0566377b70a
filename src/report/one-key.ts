/** One key and where each asset of its set stands. Pure: says what it must know, and is given that. */
import type { RunRecord } from '../model/run.ts';
import type { Needs } from '../state/needs.ts';
import type { RunQuery } from '../state/run-query.ts';
import type { PageKey, StateView } from '../state/state-view.ts';
import { type KeyReport, keyReport } from './key-report.ts';

export interface AskedKey {
  readonly set: string;
  readonly key: string;
  /** Those of the set, in the order of the pipeline. */
  readonly assets: readonly string[];
  /** What each of them is made from. */
  readonly upstreams: ReadonlyMap<string, readonly string[]>;
}

/** So many runs of what has no set, and is upstream of them, are looked at. */
const MOST_RUNS_ABOVE = 50;

/** The runs that tell of the key: its own, and those of assets without a set that are upstream. */
export function runsOfKey({ key, assets, upstreams }: AskedKey): RunQuery[] {
  const above = [...new Set([...upstreams.values()].flat())].filter((name) => !assets.includes(name));
  return [
    ...(assets.length === 0 ? [] : [{ keys: [key], assets }]),
    ...(above.length === 0 ? [] : [{ keys: [null], assets: above, limit: MOST_RUNS_ABOVE }]),
  ];
}

export interface AssetOfKey extends KeyReport {
  readonly asset: string;
}

export function needsOfKey(asked: AskedKey): Needs {
  const { set, key, assets } = asked;
  return { pages: [pageOf(asked)], statuses: assets.map((asset) => ({ asset, set, keys: [key] })) };
}

/** What the set has of the key; `undefined`: it does not have the key. */
export function keyIn(view: StateView, asked: AskedKey): PageKey | undefined {
  return view.page(pageOf(asked)).keys.find(({ key }) => key === asked.key);
}

/** @param runs that `runsOfKey` asks for */
export function assetsOfKey(
  view: StateView,
  { set, key, assets, upstreams: above }: AskedKey,
  { addedAt, states = [] }: PageKey,
  runs: readonly RunRecord[],
): AssetOfKey[] {
  return assets.map((asset, at) => {
    const status = view.statusOf(asset, set, [key])[0]!;
    const nextTry = view.nextTries(asset, set, [key])[0]!;
    const isInProgress = states[at] === 'in progress';
    const upstreams = above.get(asset) ?? [];
    return { asset, ...keyReport({ asset, addedAt, isInProgress, status, nextTry, runs, upstreams }) };
  });
}

function pageOf({ set, key, assets }: AskedKey) {
  return { set, prefix: key, assets };
}
