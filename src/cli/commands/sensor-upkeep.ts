/** What looks after sensors between their ticks: list, start, stop, cursor, history. */
import { fail } from '../../model/failure.ts';
import { withPresentLastTicks, withPresentRuns } from '../../engine/sensors/runs-of-ticks.ts';
import { sensorStatus } from '../../engine/sensors/sensor-status.ts';
import type { Context } from '../context.ts';
import { wordsForTick } from '../render/tick-words.ts';
import { printable } from '../../model/text.ts';

export async function list(context: Context): Promise<void> {
  const view = await context.store.read({ sensors: 'all' });
  const known = await context.known(view);
  const sensors = await Promise.all(
    known.sensors.map(async (sensor) => {
      const { cursor: at, lastTick } = view.sensor(sensor.name);
      return {
        sensor: sensor.name,
        status: sensorStatus(view, sensor),
        minimumIntervalSeconds: sensor.minimumIntervalSeconds,
        cursor: at,
        lastTick,
        evaluating: await context.store.evaluating(sensor.name),
      };
    }),
  );
  if (context.options.json)
    Object.assign(context.document, { sensors: await withPresentLastTicks(context.store, sensors) });
  if (sensors.length === 0) return context.chat('the pipeline has no sensors');
  await context.table({
    columns: [
      { title: 'SENSOR', keeps: 'difference' },
      { title: 'STATUS', keeps: 'all' },
      { title: 'EVERY', align: 'right', keeps: 'all' },
      { title: 'LAST TICK', keeps: 'all' },
      { title: 'OUTCOME' },
      { title: 'CURSOR' },
    ],
    rows: sensors.map(({ sensor, status, minimumIntervalSeconds, lastTick, cursor: at }) => [
      sensor,
      { text: status, paint: status === 'RUNNING' ? 'good' : 'dim' },
      `${minimumIntervalSeconds} s`,
      lastTick === null ? '-' : context.when(lastTick.startedAt),
      lastTick === null
        ? '-'
        : { text: lastTick.status, paint: lastTick.status === 'FAILURE' ? 'bad' : 'dim' },
      at === null ? '-' : printable(at),
    ]),
  });
}

export async function setStatus(
  context: Context,
  sensor: string,
  status: 'RUNNING' | 'STOPPED',
): Promise<void> {
  await context.checkSensor(sensor);
  await context.commit({ sensors: [sensor] }, (view) => ({
    changes: view.sensor(sensor).status === status ? [] : [{ type: 'sensor-changed', sensor, status }],
    outcome: undefined,
  }));
  Object.assign(context.document, { sensor, status });
  context.chat(`sensor '${sensor}' is ${status}`);
}

export async function cursor(
  context: Context,
  options: { readonly set?: string; readonly clear?: boolean },
  sensor: string,
): Promise<void> {
  if (options.set !== undefined && options.clear)
    fail({ reason: 'usage', message: '--set and --clear contradict each other', hint: 'use one of them' });
  if (options.set !== undefined && !options.set.isWellFormed())
    fail({ reason: 'usage', message: 'the cursor is no text', hint: 'it holds half of a surrogate pair' });
  await context.checkSensor(sensor);
  const value = options.clear ? null : options.set;
  if (value !== undefined) {
    // Also when it is the same: an evaluation that is under way must not win over what an operator said.
    await context.commit({}, () => ({
      changes: [{ type: 'sensor-changed', sensor, cursor: value }],
      outcome: undefined,
    }));
  }
  const now = (await context.store.read({ sensors: [sensor] })).sensor(sensor).cursor;
  Object.assign(context.document, { sensor, cursor: now });
  if (value !== undefined)
    return context.chat(
      now === null ? `cursor of '${sensor}' cleared` : `cursor of '${sensor}' set to ${printable(now)}`,
    );
  if (now !== null) context.print(`${printable(now)}\n`);
  else context.chat(`sensor '${sensor}' has no cursor yet`);
}

export async function history(
  context: Context,
  { limit }: { readonly limit: number },
  sensor: string,
): Promise<void> {
  await context.checkSensor(sensor);
  const ticks = await context.store.ticks(sensor, limit);
  if (context.options.json)
    Object.assign(context.document, { sensor, ticks: await withPresentRuns(context.store, ticks) });
  if (ticks.length === 0) return context.chat(`sensor '${sensor}' has not ticked yet`);
  await context.table({
    columns: [{ title: 'STARTED', keeps: 'all' }, { title: 'OUTCOME', keeps: 'all' }, { title: 'WHAT' }],
    rows: ticks.map((tick) => [
      context.when(tick.startedAt),
      {
        text: tick.status,
        paint: tick.status === 'FAILURE' ? 'bad' : tick.status === 'SUCCESS' ? 'good' : 'dim',
      },
      wordsForTick(tick),
    ]),
  });
}
