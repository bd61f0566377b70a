/** What there is and what is missing, as plain data: the table, `--json` and the page all render this. */
import type { KnownAsset, KnownSensor } from '../model/known-pipeline.ts';
import { hasFailed, type TickRecord } from '../model/tick.ts';
import type { Needs } from '../state/needs.ts';
import type { CountQuery, StateView, StatusCounts } from '../state/state-view.ts';

export interface StatusReport {
  readonly assets: readonly AssetReport[];
  readonly sensors: readonly SensorReport[];
}

export interface AssetReport extends StatusCounts {
  readonly asset: string;
  readonly set: string | null;
  readonly overdue: boolean;
}

export interface SensorReport {
  readonly sensor: string;
  readonly status: 'RUNNING' | 'STOPPED';
  readonly lastTick: TickRecord | null;
  readonly overdue: boolean;
}

export function needsOfReport(assets: readonly KnownAsset[], sensors: readonly KnownSensor[]): Needs {
  return { counts: assets.map(countQuery), sensors: sensors.map(({ name }) => name) };
}

export function statusReport(
  view: StateView,
  assets: readonly KnownAsset[],
  sensors: readonly KnownSensor[],
): StatusReport {
  return {
    assets: assets.map((asset) => {
      const query = countQuery(asset);
      return { ...query, ...view.counts(query), overdue: false };
    }),
    sensors: sensors.map((sensor) => {
      const { status, lastTick } = view.sensor(sensor.name);
      return { sensor: sensor.name, status: status ?? sensor.defaultStatus, lastTick, overdue: false };
    }),
  };
}

function countQuery({ name, set }: KnownAsset): CountQuery {
  return { asset: name, set };
}

/**
 * Whether a job that waits for everything to be made and well may go on: keys missing, stale or failed say no, and a sensor that
 * failed in its last tick, wholly or in part; a backlog does not.
 */
export function isWell({ assets, sensors }: StatusReport): boolean {
  return (
    assets.every(({ missing, backlog, stale, failed }) => missing - backlog + stale + failed === 0) &&
    sensors.every(({ status, lastTick }) => status === 'STOPPED' || lastTick === null || !hasFailed(lastTick))
  );
}
