/** What there is and what is missing, as plain data: the table, `--json` and the page all render this. */
import type { KnownAsset, KnownPipeline, KnownSensor } from '../model/known-pipeline.ts';
import { isFailing, type TickRecord } from '../model/tick.ts';
import type { Millis } from '../model/time.ts';
import type { Needs } from '../state/needs.ts';
import { type Fresh, freshness, isPast, newKeysBy } from '../model/overdue.ts';
import type { CountQuery, StateView, StatusCounts } from '../state/state-view.ts';

export interface StatusReport {
  readonly assets: readonly AssetReport[];
  readonly sensors: readonly SensorReport[];
  /** Processes that have runs in hand. */
  readonly workers: readonly WorkerReport[];
}

export interface AssetReport extends StatusCounts {
  readonly asset: string;
  readonly set: string | null;
  /** Against its `freshFor`; `null` where it has none, or the asset was never made. */
  readonly freshness: Fresh | null;
  /** It is older than `freshFor.fail` allows. */
  readonly overdue: boolean;
}

export interface SensorReport {
  readonly sensor: string;
  readonly status: 'RUNNING' | 'STOPPED';
  readonly lastTick: TickRecord | null;
  /** Until when it is to bring a new key, by its `expectNewKeysEvery`; `null`: nobody waits for one. */
  readonly newKeysBy: string | null;
  readonly overdue: boolean;
}

export interface WorkerReport {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  /** Its last sign of life. */
  readonly lastSeen: string;
  /** The runs whose code it executes at this moment. */
  readonly runs: readonly string[];
  /** Of each pool that it uses or waits for: how many runs it may have started, and how many more wait. */
  readonly pools: readonly { readonly pool: string; readonly runs: number; readonly waiting: number }[];
}

export function needsOfReport(assets: readonly KnownAsset[], sensors: readonly KnownSensor[]): Needs {
  return { counts: assets.map(countQuery), sensors: sensors.map(({ name }) => name), executors: true };
}

export function statusReport(
  view: StateView,
  { assets, sensors }: Pick<KnownPipeline, 'assets' | 'sensors'>,
  now: Millis,
): StatusReport {
  return {
    assets: assets.map((asset) => {
      const query = countQuery(asset);
      const counts = view.counts(query);
      const fresh = freshness(asset.freshFor, { madeAt: counts.madeAt, now });
      return { ...query, ...counts, freshness: fresh, overdue: fresh === 'fail' };
    }),
    sensors: sensors.map((known) => {
      const { status: said, lastTick, quietSince } = view.sensor(known.name);
      const status = said ?? known.defaultStatus;
      const by = newKeysBy(known.newKeysEveryMs, { quietSince, status });
      return { sensor: known.name, status, lastTick, newKeysBy: by, overdue: isPast(by, now) };
    }),
    workers: view
      .executors()
      .filter(({ alive }) => alive)
      .map(({ id, host, pid, since, lastSeen, begun, pools }) => ({
        id,
        host,
        pid,
        since,
        lastSeen,
        runs: [...begun.keys()],
        pools: Object.entries(pools).map(([pool, [runs, waiting]]) => ({ pool, runs, waiting })),
      })),
  };
}

function countQuery({ name, set }: KnownAsset): CountQuery {
  return { asset: name, set };
}

/**
 * Whether a job that waits for everything to be made and well may go on: keys missing, stale or failed say no, what is overdue, and a
 * sensor that failed in its last tick, wholly or in part; a backlog does not, nor what is only worth a warning.
 */
export function isWell({ assets, sensors }: Pick<StatusReport, 'assets' | 'sensors'>): boolean {
  return (
    assets.every(
      ({ missing, backlog, stale, failed, overdue }) => missing - backlog + stale + failed === 0 && !overdue,
    ) && sensors.every((sensor) => !isFailing(sensor) && !sensor.overdue)
  );
}

/** Whether anything is overdue, or older than is liked. */
export function isLate({ assets, sensors }: Pick<StatusReport, 'assets' | 'sensors'>): boolean {
  return (
    assets.some(({ freshness: fresh }) => fresh === 'warn' || fresh === 'fail') ||
    sensors.some(({ overdue }) => overdue)
  );
}
