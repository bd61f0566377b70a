/** What the page of `status --html` shows, as plain data: the report, and the newest keys of each set. */
import type { KnownAsset } from '../model/known-pipeline.ts';
import { shownAs } from '../model/partition-status.ts';
import type { KeyState, PageQuery, StateView } from '../state/state-view.ts';
import type { AssetReport, StatusReport } from './status-report.ts';

export interface StatusPage {
  /** When it was made, ISO 8601. */
  readonly at: string;
  readonly version: string;
  /** The state file. */
  readonly file: string;
  readonly serial: number;
  readonly assets: readonly AssetReport[];
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
    readonly statuses: readonly ShownState[];
  }[];
}

/** In the words that people read. */
export type ShownState = ReturnType<typeof shownAs> | 'in progress';

export interface SensorRow {
  readonly sensor: string;
  readonly status: string;
  readonly lastTickAt: string | null;
  readonly outcome: string | null;
  readonly said: string;
}

/** So many keys of a set are on the page: it is read by people, and mailed. */
const MOST_KEYS = 500;

export interface PageParts {
  readonly report: StatusReport;
  /** The assets of the report. */
  readonly known: readonly KnownAsset[];
  /** See `setsOf`. */
  readonly sets: readonly string[];
  readonly at: string;
  readonly version: string;
  readonly file: string;
}

export function statusPage(view: StateView, parts: PageParts): StatusPage {
  const { report, known, sets, at, version, file } = parts;
  return {
    at,
    version,
    file,
    serial: view.serial,
    assets: report.assets,
    sets: sets.map((set) => setTable(view, set, known)),
    sensors: report.sensors.map(({ sensor, status, lastTick }) => ({
      sensor,
      status,
      lastTickAt: lastTick?.startedAt ?? null,
      outcome: lastTick?.status ?? null,
      said: lastTick?.error?.message ?? lastTick?.skipReason ?? '',
    })),
  };
}

/** The sets that are on the page: those of its assets, and others that the state has. */
export function setsOf(known: readonly KnownAsset[], others: readonly string[]): string[] {
  return [...new Set([...known.flatMap(({ set }) => set ?? []), ...others])];
}

/** The newest keys of a set, with what became of each of its assets. */
export function newestOf(
  set: string,
  known: readonly KnownAsset[],
): PageQuery & { readonly assets: readonly string[] } {
  const assets = known.filter((asset) => asset.set === set).map(({ name }) => name);
  return { set, assets, limit: MOST_KEYS, fromEnd: true };
}

function setTable(view: StateView, set: string, known: readonly KnownAsset[]): SetTable {
  const query = newestOf(set, known);
  const { total, keys } = view.page(query);
  return {
    set,
    total,
    assets: query.assets,
    keys: keys
      .map(({ key, addedAt, states }) => ({ key, addedAt, statuses: states!.map(shown) }))
      .toReversed(),
  };
}

function shown(state: KeyState): ShownState {
  return state === 'in progress' ? state : shownAs(state);
}
