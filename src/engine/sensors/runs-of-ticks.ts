/** What became of the runs that ticks queued: a tick's record is written before its runs end. */
import type { TickRecord } from '../../model/tick.ts';
import type { StateStore } from '../../state/store.ts';

/** The ticks with the present status of their runs; `null` for a run whose end the history does not keep any more. */
export async function withPresentRuns(
  store: StateStore,
  ticks: readonly TickRecord[],
): Promise<readonly TickRecord[]> {
  const ids = new Set(ticks.flatMap(({ runs }) => runs.flatMap(({ id }) => id ?? [])));
  if (ids.size === 0) return ticks;
  const { runs: present } = await store.runs({ ids: [...ids] });
  const statuses = new Map(present.map(({ id, status }) => [id, status]));
  return ticks.map((tick) => ({
    ...tick,
    runs: tick.runs.map((run) => ({ ...run, status: statuses.get(run.id ?? '') ?? null })),
  }));
}

/** The same for what has a last tick or none. */
export async function withPresentLastTicks<Sensor extends { readonly lastTick: TickRecord | null }>(
  store: StateStore,
  sensors: readonly Sensor[],
): Promise<Sensor[]> {
  const ticks = await withPresentRuns(
    store,
    sensors.flatMap(({ lastTick }) => lastTick ?? []),
  );
  const present = ticks[Symbol.iterator]();
  return sensors.map((sensor) =>
    sensor.lastTick === null ? sensor : { ...sensor, lastTick: present.next().value! },
  );
}
