/** Which sensors tick, in what order, and what became of their runs. */
import { describe, expect, it } from 'vitest';
import { chooseSensors, tickInOrder, withEnds } from '../../../src/engine/sensors/tick-sensors.ts';
import { dueSensors } from '../../../src/engine/sensors/due.ts';
import type { TickOutcome } from '../../../src/engine/sensors/commit-tick.ts';
import { asset, definePipeline, dynamicPartitions, sensor } from '../../../src/index.ts';
import { tickRecord } from '../../support/builders.ts';
import { EngineRig } from '../../support/engine-rig.ts';

const letters = dynamicPartitions('letters');
const made = asset({ name: 'made', partitions: letters, automate: 'missing', materialize: () => 1 });
const named = (name: string, more = {}) =>
  sensor({ name, minimumIntervalSeconds: 60, evaluate: () => ({}), ...more });
const pipeline = definePipeline({
  assets: [made],
  sensors: [named('one'), named('two'), named('idle', { defaultStatus: 'stopped' })],
});
const { sensors } = pipeline;
const names = (chosen: readonly { readonly name: string }[]): string[] => chosen.map(({ name }) => name);

describe('chosen are', () => {
  it('those that are running, or those that are named, each once, also when they are stopped', async () => {
    const rig = new EngineRig(pipeline);
    await rig.commit({ type: 'sensor-changed', sensor: 'two', status: 'STOPPED' });
    const view = await rig.store.read({ sensors: 'all' });
    expect(names(chooseSensors(sensors, view, []))).toEqual(['one', 'automation']);
    expect(names(chooseSensors(sensors, view, ['idle', 'two', 'idle']))).toEqual(['idle', 'two']);
  });
});

describe('due are', () => {
  it('those whose interval is over, those that never ticked, and all after the clock was set back', async () => {
    const rig = new EngineRig(pipeline);
    await rig.tick('one');
    const began = rig.clock.time;
    const view = await rig.store.read({ sensors: 'all' });
    const both = [sensors.get('one')!, sensors.get('two')!];
    expect(names(await dueSensors(both, view, began + 59_999))).toEqual(['two']);
    expect(names(await dueSensors(both, view, began + 60_000))).toEqual(['one', 'two']);
    expect(names(await dueSensors(both, view, began - 1))).toEqual(['one', 'two']);
  });

  it.each([
    ['at its time', '2026-01-05T07:00:00+01:00', '2026-01-06T06:59:59+01:00', '2026-01-06T07:00:00+01:00'],
    ['once for times that were missed', '2026-01-05T07:00:01+01:00', null, '2026-01-20T03:00:00+01:00'],
    [
      'not on a Saturday',
      '2026-01-09T07:00:01+01:00',
      '2026-01-11T23:00:00+01:00',
      '2026-01-12T07:00:00+01:00',
    ],
    [
      'at seven also after the clocks change',
      '2026-03-27T07:00:01+01:00',
      '2026-03-30T06:59:59+02:00',
      '2026-03-30T07:00:00+02:00',
    ],
  ])('one with a cron line %s', async (_, began, notYet, due) => {
    const daily = sensor({
      name: 'daily',
      cron: '0 7 * * mon-fri',
      timeZone: 'Europe/Berlin',
      evaluate: () => undefined,
    });
    const { sensors: own } = definePipeline({ sensors: [daily] });
    const rig = new EngineRig();
    expect(names(await dueSensors([...own.values()], await rig.store.read({ sensors: 'all' }), 0))).toEqual([
      'daily',
    ]);
    await rig.store.recordTick(tickRecord({ sensor: 'daily', startedAt: new Date(began).toISOString() }));
    const view = await rig.store.read({ sensors: 'all' });
    const at = async (time: string) => names(await dueSensors([...own.values()], view, Date.parse(time)));
    if (notYet !== null) expect(await at(notYet)).toEqual([]);
    expect(await at(due)).toEqual(['daily']);
  });
});

function outcome(name: string): TickOutcome {
  return { tick: { sensor: name, runs: [] } as never, owned: [] };
}

describe('in order', () => {
  it('all but automation tick at once, and that one when they have ended', async () => {
    const log: string[] = [];
    const told: string[][] = [];
    await tickInOrder(
      [sensors.get('automation')!, sensors.get('one')!, sensors.get('two')!],
      async ({ name }, sharesThread) => {
        log.push(`${name} begins${sharesThread ? ' beside others' : ''}`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`${name} ends`);
        return outcome(name);
      },
      (ticked) => told.push(ticked.map(({ tick }) => tick.sensor)),
    );
    expect(log).toEqual([
      'one begins beside others',
      'two begins beside others',
      'one ends',
      'two ends',
      'automation begins',
      'automation ends',
    ]);
    expect(told).toEqual([
      ['one', 'two'],
      ['one', 'two', 'automation'],
    ]);
  });

  it('what the others came to is told also when automation cannot go on', async () => {
    const told: string[][] = [];
    const ticking = tickInOrder(
      [sensors.get('one')!, sensors.get('automation')!],
      ({ name }) =>
        name === 'one' ? Promise.resolve(outcome(name)) : Promise.reject(new Error('disk full')),
      (ticked) => told.push(ticked.map(({ tick }) => tick.sensor)),
    );
    await expect(ticking).rejects.toThrow('disk full');
    expect(told).toEqual([['one']]);
  });
});

describe('ends', () => {
  it('are those of the ticks own runs; the others were resumed', () => {
    const queued = { id: 'g-1', status: 'QUEUED' };
    const outcomes = [{ tick: { sensor: 'one', runs: [queued] }, owned: [{ id: 'g-1' }] }] as never;
    const runs = [
      { id: 'g-1', status: 'SUCCESS' },
      { id: 'f-1', status: 'FAILURE' },
    ] as never;
    expect(withEnds(outcomes, runs)).toEqual({
      ticks: [{ sensor: 'one', runs: [{ id: 'g-1', status: 'SUCCESS' }] }],
      resumed: [{ id: 'f-1', status: 'FAILURE' }],
    });
  });
});
