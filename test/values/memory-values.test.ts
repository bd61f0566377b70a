/** Values in memory keep what the files promise: a value is there with the record of its materialization, or never. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryValues, MemoryValuesPlace } from '../../src/values/memory-values.ts';

const a = { asset: 'audio', partitionKey: 'a' };
const byRun = (id: string) => ({ ...a, run: { id } });

let place: MemoryValuesPlace;
/** Runs whose asset is on record; `over`: without it. */
let recorded: Record<string, 'made' | 'over'>;

function openValues(): MemoryValues {
  return new MemoryValues(place, (run) =>
    Promise.resolve({
      assets: recorded[run] === 'made' ? ['audio'] : [],
      isOver: recorded[run] !== undefined,
    }),
  );
}

beforeEach(() => {
  place = new MemoryValuesPlace();
  recorded = {};
});

describe('a value', () => {
  it.each([[{ at: [1, null] }], ['text'], [null], [undefined], [new Uint8Array([0, 255])]])(
    '%j is given back as a file would give it',
    async (value) => {
      const values = openValues();
      values.save(byRun('1'), value);
      expect(await values.load(a)).toEqual(value);
    },
  );

  it('is a copy, each time', async () => {
    const values = openValues();
    const bytes = new Uint8Array([1, 2]);
    const list = [new Date(0)];
    values.save(byRun('1'), bytes);
    values.save({ ...byRun('1'), asset: 'list' }, list);
    bytes[0] = 9;
    expect(await values.load(a)).toEqual(new Uint8Array([1, 2]));
    ((await values.load(a)) as Uint8Array)[0] = 9;
    expect(await values.load(a)).toEqual(new Uint8Array([1, 2]));
    expect(await values.load({ ...a, asset: 'list' })).toEqual(['1970-01-01T00:00:00.000Z']);
  });

  it('goes with the record of a run that has nothing to make, and not what is made after that', async () => {
    const values = openValues();
    place.put(a, 'before');
    values.skip('1', a);
    values.save(byRun('2'), 'after');
    expect(await values.load(a)).toBe('after');
    values.settle([{ run: '1', assets: [], skipped: ['audio'], isOver: true }]);
    expect([...place.inPlace.keys()]).toEqual([]);
    values.settle([{ run: '2', assets: ['audio'], isOver: true }]);
    expect(await values.load(a)).toBe('after');
    values.skip('3', a);
    values.settle([{ run: '3', assets: [], isOver: true }]);
    expect(await values.load(a)).toBe('after');
    expect(place.staged).toEqual([]);
  });

  it('is seen by its own process at once, and by others when it is on record', async () => {
    const [one, other] = [openValues(), openValues()];
    one.save(byRun('1'), 'new');
    expect(await one.load(a)).toBe('new');
    await expect(other.load(a)).rejects.toMatchObject({ failure: { reason: 'value-damaged' } });
    recorded['1'] = 'made';
    expect(await other.load(a)).toBe('new');
    one.settle([{ run: '1', assets: ['audio'], isOver: true }]);
    expect(place.staged).toEqual([]);
    expect(await other.load(a)).toBe('new');
  });

  it('of a run that is over without it is dropped, and what was there before stands', async () => {
    const values = openValues();
    place.put(a, 'before');
    values.save(byRun('1'), 'canceled');
    values.settle([{ run: '1', assets: [], isOver: false }]);
    expect(await values.load(a)).toBe('canceled');
    values.settle([{ run: '1', assets: [], isOver: true }]);
    expect(await values.load(a)).toBe('before');
  });

  it('that a killed process has left is settled by the next one, the newest last', async () => {
    const killed = openValues();
    for (const run of ['1', '2', '3', '4']) killed.save(byRun(run), `of run ${run}`);
    Object.assign(recorded, { 1: 'made', 2: 'made', 3: 'over' });
    await openValues().recover();
    expect(await openValues().load(a)).toBe('of run 2');
    // It is still to be executed again, and makes another one.
    expect(place.staged.map(({ run }) => run)).toEqual(['4']);
  });

  it('that is removed is gone, also where it waits', async () => {
    const values = openValues();
    place.put(a, 'before');
    values.save(byRun('1'), 'new');
    values.remove(a);
    await expect(values.load(a)).rejects.toMatchObject({ failure: { reason: 'value-damaged' } });
  });
});
