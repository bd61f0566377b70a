/** What the page of `status --html` shows, as plain data: the report, and the newest keys of each set. */
import type { KnownAsset } from '../model/known-pipeline.ts';
import type { StateView } from '../state/slice.ts';
import type { AssetReport, KeysInProgress, StatusReport } from './status-report.ts';

export interface StatusPage {
  /** When it was made, ISO 8601. */
  readonly at: string;
  readonly version: string;
  /** The state file. */
  readonly file: string;
  readonly serial: number;
  readonly assets: readonly Omit<AssetReport, 'stale'>[];
  readonly sets: readonly SetTable[];
  readonly sensors: readonly SensorRow[];
}

export interface SetTable {
  readonly set: string;
  readonly total: number;
  readonly assets: readonly string[];
  /** The newest keys first, not always all of them; a status for each of `assets`. */
  readonly keys: readonly {
    readonly key: string;
    readonly addedAt: string;
    readonly statuses: readonly KeyStatus[];
  }[];
}

export type KeyStatus = 'materialized' | 'failed' | 'in progress' | 'missing';

export interface SensorRow {
  readonly sensor: string;
  readonly status: string;
  readonly lastTickAt: string | null;
  readonly outcome: string | null;
  readonly said: string;
}

/** So many keys of a set are on the page: it is read by people, and mailed. */
const MOST_KEYS = 500;

const WORDS: Readonly<Record<string, KeyStatus>> = { m: 'materialized', f: 'failed', '.': 'missing' };

export interface PageParts {
  readonly report: StatusReport;
  /** The assets of the report. */
  readonly known: readonly KnownAsset[];
  readonly inProgress: KeysInProgress;
  /** No assets were chosen: sets that no asset has belong on the page, too. */
  readonly isWhole: boolean;
  readonly at: string;
  readonly version: string;
  readonly file: string;
}

export function statusPage(view: StateView, parts: PageParts): StatusPage {
  const { report, known, isWhole, at, version, file } = parts;
  const sets = new Set(known.flatMap(({ set }) => (set === null ? [] : [set])));
  if (isWhole) for (const set of view.setNames()) sets.add(set);
  return {
    at,
    version,
    file,
    serial: view.serial,
    assets: report.assets,
    sets: [...sets].map((set) => setTable(view, set, parts)),
    sensors: report.sensors.map(({ sensor, status, lastTick }) => ({
      sensor,
      status,
      lastTickAt: lastTick?.startedAt ?? null,
      outcome: lastTick?.status ?? null,
      said: lastTick?.error?.message ?? lastTick?.skipReason ?? '',
    })),
  };
}

function setTable(view: StateView, set: string, { known, inProgress }: PageParts): SetTable {
  const assets = known.filter((asset) => asset.set === set).map(({ name }) => name);
  const total = view.keys(set).length;
  const first = Math.max(0, total - MOST_KEYS);
  const after = view.keys(set)[first - 1];
  const newest = view.page(set, after === undefined ? {} : { after }).keys;
  const letters = assets.map((asset) => view.statuses(asset, set));
  const keys = newest.map(({ key, addedAt }, at) => ({
    key,
    addedAt,
    statuses: assets.map((asset, column) =>
      inProgress.get(asset)?.has(key) ? ('in progress' as const) : WORDS[letters[column]![first + at]!]!,
    ),
  }));
  return { set, total, assets, keys: keys.reverse() };
}
