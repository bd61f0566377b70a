/** What looks after sensors between their ticks: list, start, stop, cursor, history. */
import { fail } from '../../model/failure.ts';
import { withPresentLastTicks, withPresentRuns } from '../../engine/sensors/runs-of-ticks.ts';
import { sensorStatus } from '../../engine/sensors/sensor-status.ts';
import type { Context } from '../context.ts';
import { wordsForTick } from '../render/tick-words.ts';
import { printable } from '../../model/text.ts';

export async function list(context: Context): Promise<void> {
  const view = await context.project.store.read({ sensors: 'all' });
  const known = await context.project.known(view);
  const sensors = await Promise.all(
    known.sensors.map(async (sensor) => {
      const { cursor: at, lastTick } = view.sensor(sensor.name);
      return {
        sensor: sensor.name,
        status: sensorStatus(view, sensor),
        minimumIntervalSeconds: sensor.minimumIntervalSeconds,
        cursor: at,
        lastTick,
        evaluating: await context.project.store.evaluating(sensor.name),
      };
    }),
  );
  if (context.output.options.json)
    Object.assign(context.output.document, {
      sensors: await withPresentLastTicks(context.project.store, sensors),
    });
  if (sensors.length === 0) return context.output.chat('the pipeline has no sensors');
  await context.output.table({
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
      lastTick === null ? '-' : context.output.when(lastTick.startedAt),
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
  await context.project.checkSensor(sensor);
  await context.project.commit({ sensors: [sensor] }, (view) => ({
    changes: view.sensor(sensor).status === status ? [] : [{ type: 'sensor-changed', sensor, status }],
    outcome: undefined,
  }));
  Object.assign(context.output.document, { sensor, status });
  context.output.chat(`sensor '${sensor}' is ${status}`);
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
  await context.project.checkSensor(sensor);
  const value = options.clear ? null : options.set;
  if (value !== undefined) {
    // Also when it is the same: an evaluation that is under way must not win over what an operator said.
    await context.project.commit({}, () => ({
      changes: [{ type: 'sensor-changed', sensor, cursor: value }],
      outcome: undefined,
    }));
  }
  const now = (await context.project.store.read({ sensors: [sensor] })).sensor(sensor).cursor;
  Object.assign(context.output.document, { sensor, cursor: now });
  if (value !== undefined)
    return context.output.chat(
      now === null ? `cursor of '${sensor}' cleared` : `cursor of '${sensor}' set to ${printable(now)}`,
    );
  if (now !== null) context.output.print(`${printable(now)}\n`);
  else context.output.chat(`sensor '${sensor}' has no cursor yet`);
}

export async function history(
  context: Context,
  { limit }: { readonly limit: number },
  sensor: string,
): Promise<void> {
  await context.project.checkSensor(sensor);
  const ticks = await context.project.store.ticks(sensor, limit);
  if (context.output.options.json)
    Object.assign(context.output.document, {
      sensor,
      ticks: await withPresentRuns(context.project.store, ticks),
    });
  if (ticks.length === 0) return context.output.chat(`sensor '${sensor}' has not ticked yet`);
  await context.output.table({
    columns: [{ title: 'STARTED', keeps: 'all' }, { title: 'OUTCOME', keeps: 'all' }, { title: 'WHAT' }],
    rows: ticks.map((tick) => [
      context.output.when(tick.startedAt),
      {
        text: tick.status,
        paint: tick.status === 'FAILURE' ? 'bad' : tick.status === 'SUCCESS' ? 'good' : 'dim',
      },
      wordsForTick(tick),
    ]),
  });
}
