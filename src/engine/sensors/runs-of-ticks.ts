/** What became of the runs that ticks queued: a tick's record is written before its runs end. */
import type { RunStatus } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { StateStore } from '../../state/store.ts';
import { pendingRecords } from '../plan/run-records.ts';

/** The ticks with the present status of their runs; `null` for a run whose end the history does not keep any more. */
export async function withPresentRuns(
  store: StateStore,
  ticks: readonly TickRecord[],
): Promise<readonly TickRecord[]> {
  const ids = new Set(ticks.flatMap(({ runs }) => runs.flatMap(({ id }) => id ?? [])));
  if (ids.size === 0) return ticks;
  // Read after the ticks: a run that is not in the state has then left it for the history.
  const pending = pendingRecords(await store.read(), ids);
  const statuses = new Map<string, RunStatus>(pending.map(({ id, status }) => [id, status]));
  const left = new Set([...ids].filter((id) => !statuses.has(id)));
  if (left.size > 0) {
    await store.finishedRuns({
      limit: 1,
      where: ({ id, status }) => {
        if (left.delete(id)) statuses.set(id, status);
        return left.size === 0;
      },
    });
  }
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
