/** Assets that are made of many keys of others: what they are given, what they wait for, and what makes them stale. */
import {
  allKeys,
  type AnyAsset,
  asset,
  definePipeline,
  dynamicPartitions,
  type IoManager,
  type KeyedValues,
  lastKeys,
  mapKeys,
  sensor,
  skip,
} from 'dynpart';
import { testPipeline } from 'dynpart/testing';
import { describe, expect, it } from 'vitest';
import { inputsOf } from '../../../src/engine/runs/inputs-of.ts';

const letters = dynamicPartitions('letters');
const days = dynamicPartitions('days');

const sound = asset({
  name: 'sound',
  partitions: letters,
  materialize({ partitionKey }) {
    if (partitionKey.startsWith('bad')) throw new Error('no sound');
    return partitionKey.startsWith('none') ? skip('silence') : { of: partitionKey };
  },
});

const totals = asset({
  name: 'totals',
  inputs: { sounds: allKeys(sound) },
  async materialize({ inputs: { sounds } }) {
    const values: [string, unknown][] = [];
    for await (const [key, { of }] of sounds) values.push([key, of]);
    const [first] = sounds.keys();
    return { size: sounds.size, values, first: first === undefined ? null : await sounds.get(first) };
  },
});

const latest = asset({
  name: 'latest',
  partitions: days,
  inputs: { sounds: lastKeys(sound, 2, { onMissing: 'skip' }) },
  materialize: ({ inputs }) => [...inputs.sounds.keys()],
});

const after = asset({
  name: 'after',
  deps: [allKeys(sound)],
  materialize: ({ inputs }) => Object.keys(inputs),
});

const pipeline = definePipeline({ assets: [totals, latest, after, sound] });

async function started(...keys: string[]) {
  const test = testPipeline(pipeline);
  for (const key of keys) await test.materialize(sound, key);
  return test;
}

/** Two hours of each day. */
const perDay = (day: string): string[] => [`${day} 2`, `${day} 1`];

describe('what takes all keys of an asset', () => {
  it('is given their values in the order of the set, each when it asks for it', async () => {
    const test = await started('b', 'a', 'none');
    expect((await test.materialize(totals)).status).toBe('SUCCESS');
    expect(await test.value(totals)).toEqual({
      size: 2,
      values: [
        ['b', 'b'],
        ['a', 'a'],
      ],
      first: { of: 'b' },
    });
  });

  it('is made of nothing where there are no keys', async () => {
    const test = await started();
    expect((await test.materialize(totals)).status).toBe('SUCCESS');
    expect(await test.value(totals)).toEqual({ size: 0, values: [], first: null });
  });

  it('fails with the keys that are not there, the first of them by name', async () => {
    const test = await started('a', 'bad0', 'bad1');
    await test.add(letters, ['m0', 'm1', 'm2', 'm3']);
    const words = `for 6 keys of which it is not there: "bad0", "bad1", "m0", "m1", "m2" and 1 more`;
    for (const one of [totals, after]) {
      const run = await test.materialize(one);
      expect(run).toMatchObject({ status: 'FAILURE', error: { code: 'upstream-missing' } });
      expect(run.error!.message).toBe(`asset '${one.name}' needs asset 'sound' ${words}`);
      expect(run.error!.hint).toContain('dynpart materialize sound --missing');
    }
  });

  it('takes what was there before a later run of the key failed', async () => {
    const test = await started('a');
    const failing = asset({ ...sound.options, materialize: () => Promise.reject(new Error('no')) } as never);
    await test.deploy(definePipeline({ assets: [failing, totals] }));
    expect((await test.materialize('sound', 'a')).status).toBe('FAILURE');
    expect((await test.materialize(totals)).status).toBe('SUCCESS');
  });

  it('has no inputs where it only comes after them', async () => {
    const test = await started('a');
    await test.materialize(after);
    expect(await test.value(after)).toEqual([]);
  });

  it('becomes stale when a key comes, goes or is made again, and is then made of what there is', async () => {
    const test = await started('a');
    const isMade = async (): Promise<void> => {
      await test.materialize(totals);
      expect(await test.status(totals)).toBe('materialized');
    };
    await isMade();
    await test.add(letters, ['b']);
    expect(await test.status(totals)).toBe('stale');
    await test.materialize(sound, 'b');
    await isMade();
    await test.materialize(sound, 'a');
    expect(await test.status(totals)).toBe('stale');
    await isMade();
    await test.remove(letters, ['a']);
    expect(await test.status(totals)).toBe('stale');
    await isMade();
    expect(await test.value(totals)).toMatchObject({ size: 1, first: { of: 'b' } });
  });
});

describe('what takes the last keys of an asset', () => {
  it('leaves out those that are not there where it may', async () => {
    const test = await started('a', 'b', 'c');
    await test.materialize(latest, 'monday');
    expect(await test.value(latest, 'monday')).toEqual(['b', 'c']);
    await test.add(letters, ['d']);
    await test.materialize(latest, 'tuesday');
    expect(await test.value(latest, 'tuesday')).toEqual(['c']);
  });

  it('becomes stale only when one of these changes', async () => {
    const test = await started('a', 'b', 'c');
    await test.materialize(latest, 'monday');
    await test.materialize(sound, 'a');
    await test.remove(letters, ['a']);
    expect(await test.status(latest, 'monday')).toBe('materialized');
    await test.materialize(sound, 'b');
    expect(await test.status(latest, 'monday')).toBe('stale');
  });
});

describe('a request of a sensor for an asset and for what takes many keys of it', () => {
  it('comes to a run for each, the one behind all others', async () => {
    const rank = asset({
      name: 'rank',
      partitions: letters,
      inputs: { sound, all: allKeys(sound) },
      materialize: ({ inputs }) => `${inputs.sound.of} of ${inputs.all.size}`,
    });
    const feed = sensor({
      name: 'feed',
      assets: [sound, rank],
      evaluate: () => ({
        dynamicPartitionsRequests: [letters.buildAddRequest(['a', 'b'])],
        runRequests: ['a', 'b'].map((key) => ({ partitionKey: key, runKey: key })),
      }),
    });
    const test = testPipeline(definePipeline({ assets: [sound, rank], sensors: [feed] }));
    const tick = await test.tick(feed);
    expect(
      tick.runs.map(({ assets, partitionKey, runKey, status }) => [assets, partitionKey, runKey, status]),
    ).toEqual([
      [['sound'], 'a', 'a', 'SUCCESS'],
      [['sound'], 'b', 'b', 'SUCCESS'],
      [['rank'], 'a', null, 'SUCCESS'],
      [['rank'], 'b', null, 'SUCCESS'],
    ]);
    expect(await test.value(rank, 'a')).toBe('a of 2');
    expect(await test.status(rank, 'a')).toBe('materialized');
    expect((await test.tick(feed)).runs).toEqual([]);
  });
});

describe('what takes keys that a function names', () => {
  const hours = dynamicPartitions('hours');
  const hour = asset({
    name: 'hour',
    partitions: hours,
    materialize: ({ partitionKey }) => (partitionKey.endsWith('skip') ? skip('quiet') : partitionKey),
  });
  const dayOf = (map: (day: string) => unknown, onMissing: 'fail' | 'skip' | 'wait' = 'fail') =>
    asset({
      name: 'day',
      partitions: days,
      inputs: { hours: mapKeys(hour, map as (day: string) => string[], { onMissing }) },
      async materialize({ inputs }) {
        const all: string[] = [];
        for await (const [key] of inputs.hours) all.push(key);
        return all;
      },
    });
  const testOf = async (day: AnyAsset, ...keys: readonly string[]) => {
    const test = testPipeline(definePipeline({ assets: [hour, day] }));
    for (const key of keys) await test.materialize(hour, key);
    return test;
  };

  it('is given the values of these, in the order of the set, and becomes stale with them alone', async () => {
    const day = dayOf(perDay);
    const test = await testOf(day, 'mon 1', 'mon 2', 'tue 1', 'tue 2');
    for (const key of ['mon', 'tue']) {
      expect((await test.materialize(day, key)).status).toBe('SUCCESS');
      expect(await test.value(day, key)).toEqual([`${key} 1`, `${key} 2`]);
    }
    await test.materialize(hour, 'tue 1');
    expect([await test.status(day, 'mon'), await test.status(day, 'tue')]).toEqual(['materialized', 'stale']);
    await test.remove(hours, ['mon 1']);
    expect(await test.status(day, 'mon')).toBe('stale');
  });

  it('fails, or does without, where one of them is not there, or not even in the set', async () => {
    const day = dayOf(perDay);
    const test = await testOf(day, 'mon 1');
    expect((await test.materialize(day, 'mon')).error).toMatchObject({
      code: 'upstream-missing',
      message: `asset 'day' for key "mon" needs asset 'hour' for 1 key of which it is not there: "mon 2"`,
    });
    const lenient = dayOf(perDay, 'skip');
    await test.deploy(definePipeline({ assets: [hour, lenient] }));
    await test.materialize(lenient, 'mon');
    expect(await test.value(lenient, 'mon')).toEqual(['mon 1']);
    await test.add(hours, ['mon 2']);
    expect(await test.status(lenient, 'mon')).toBe('stale');
  });

  it('is given the value itself of a single key, is skipped with it, and may do without it', async () => {
    const before = asset({
      name: 'before',
      partitions: days,
      inputs: { last: mapKeys(hour, (day) => `${day} 1`, { onMissing: 'skip' }) },
      materialize: ({ inputs }) => inputs.last ?? 'none',
    });
    const test = await testOf(before, 'mon 1');
    for (const key of ['mon', 'tue']) await test.materialize(before, key);
    expect([await test.value(before, 'mon'), await test.value(before, 'tue')]).toEqual(['mon 1', 'none']);
    const skipped = asset({
      name: 'before',
      partitions: days,
      inputs: { last: mapKeys(hour, (day) => `${day} skip`) },
      materialize: ({ inputs }) => inputs.last,
    });
    await test.deploy(definePipeline({ assets: [hour, skipped] }));
    await test.materialize(hour, 'mon skip');
    await test.materialize(skipped, 'mon');
    expect(await test.status(skipped, 'mon')).toBe('skipped');
  });

  it.each<[string, (day: string) => unknown, string]>([
    ['throws', () => JSON.parse('{') as unknown, 'threw: '],
    ['returns nothing', () => undefined, 'returned undefined, where a key or a list of keys is meant'],
    [
      'returns a promise',
      () => Promise.resolve('a'),
      'returned an object, where a key or a list of keys is meant',
    ],
    ['names what is no key', () => ['a', ''], 'named "", which is no key'],
    ['names something else', () => ['a', 5], 'named a number as a key'],
  ])('says of a function that %s what is wrong', async (_, map, wrong) => {
    const day = dayOf(map);
    const test = await testOf(day);
    const { status, error } = await test.materialize(day, 'mon');
    expect([status, error?.code]).toEqual(['FAILURE', 'mapping-failed']);
    expect(error!.message).toContain(
      `mapKeys of asset 'day' for key "mon", for keys of asset 'hour', ${wrong}`,
    );
  });

  it('is asked for by automation once all of its keys are there, for each of its own', async () => {
    const made = asset({
      ...(hour.options as object),
      name: 'hour',
      automate: 'missing',
    } as never) as typeof hour;
    const day = asset({
      name: 'day',
      partitions: days,
      deps: [mapKeys(made, perDay)],
      automate: 'stale',
      materialize: () => 1,
    });
    const test = testPipeline(definePipeline({ assets: [made, day] }));
    await test.tick();
    await test.add(days, ['mon', 'tue']);
    await test.add(hours, ['mon 1', 'tue 1', 'mon 2']);
    const tick = async (): Promise<unknown> =>
      (await test.tick()).ticks.flatMap(({ runs }) =>
        runs.map(({ assets, partitionKey }) => `${assets.join()} ${partitionKey}`),
      );
    expect(await tick()).toEqual(['hour mon 1', 'hour tue 1', 'hour mon 2']);
    expect(await tick()).toEqual(['day mon']);
    await test.add(hours, ['tue 2', 'other']);
    expect(await tick()).toEqual(['hour tue 2', 'hour other']);
    expect(await tick()).toEqual(['day tue']);
    expect(await tick()).toEqual([]);
  });
});

describe('an I/O manager of the user', () => {
  it('is asked which of the keys it has, and for one value after the other', async () => {
    const values = new Map<string, unknown>();
    const asked: string[] = [];
    const ioManager: IoManager = {
      save: ({ asset: of, partitionKey }, value) => void values.set(`${of} ${partitionKey}`, value),
      load: ({ asset: of, partitionKey }) => {
        asked.push(`${of} ${partitionKey}`);
        return values.get(`${of} ${partitionKey}`);
      },
      remove: () => undefined,
      exists: ({ asset: of, partitionKey }) => values.has(`${of} ${partitionKey}`),
    };
    const first = asset({
      name: 'first',
      inputs: { sounds: allKeys(sound) },
      async materialize({ inputs }) {
        for await (const [key] of inputs.sounds) return key;
        return null;
      },
    });
    const test = testPipeline(definePipeline({ assets: [sound, first], ioManager }));
    for (const key of ['a', 'b']) await test.materialize(sound, key);
    expect((await test.materialize(first)).status).toBe('SUCCESS');
    expect(asked).toEqual(['sound a']);
    values.delete('sound b');
    const run = await test.materialize(first);
    expect(run.error).toMatchObject({
      code: 'upstream-missing',
      message: expect.stringContaining('1 key of which it is not there: "b"'),
    });
  });
});

it('reads nothing ahead from a manager of the user, also where that has a method of this name', async () => {
  const ioManager = {
    save: () => undefined,
    load: ({ partitionKey }: { readonly partitionKey: string | null }) => `value of ${partitionKey}`,
    remove: () => undefined,
    loadMany: () => expect.unreachable(),
  };
  const of = definePipeline({ assets: [sound, totals], ioManager });
  const gathered = [
    {
      input: 'sounds',
      asset: 'sound',
      keys: ['a', 'b'],
      absent: [],
      onMissing: 'fail',
    } as const,
  ];
  const given = await inputsOf(
    of.assets.get('totals')!,
    { partitionKey: null },
    { context: { pipeline: of, ioManager }, gathered },
    new AbortController().signal,
  );
  const values: unknown[] = [];
  for await (const one of given['sounds'] as KeyedValues) values.push(one);
  expect(values).toEqual([
    ['a', 'value of a'],
    ['b', 'value of b'],
  ]);
});

describe('a test of what takes many keys', () => {
  it('gives it values by key', async () => {
    const test = testPipeline(pipeline);
    const given = [{ a: { of: 'x' } }, new Map([['a', { of: 'x' }]]), [['a', { of: 'x' }]]];
    for (const sounds of given) {
      expect((await test.materialize(totals, null, { inputs: { sounds } })).status).toBe('SUCCESS');
      expect(await test.value(totals)).toEqual({ size: 1, values: [['a', 'x']], first: { of: 'x' } });
    }
    const run = await test
      .materialize(totals, null, { inputs: { sounds: 5 } })
      .catch((error: unknown) => error);
    expect(run).toMatchObject({
      message: expect.stringContaining("input 'sounds' has the values of many keys"),
    });
  });
});
