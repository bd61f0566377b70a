/** What TypeScript sees of a pipeline file: values flow from asset to asset, and wrong options do not compile. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type Asset,
  allKeys,
  asset,
  type AssetContext,
  definePipeline,
  dynamicPartitions,
  type KeyedValues,
  lastKeys,
  mapKeys,
  sensor,
  type SensorResult,
  skip,
  warn,
} from '../../src/index.ts';

const episodes = dynamicPartitions('episodes');

const audio = asset({
  name: 'audio',
  partitions: episodes,
  async materialize({ partitionKey }) {
    expectTypeOf(partitionKey).toEqualTypeOf<string>();
    await Promise.resolve();
    return { path: `/${partitionKey}`, bytes: 12 };
  },
});

const config = asset({
  name: 'config',
  materialize({ partitionKey }) {
    expectTypeOf(partitionKey).toEqualTypeOf<null>();
    return 5;
  },
});

const transcript = asset({
  name: 'transcript',
  partitions: episodes,
  inputs: { audio, config },
  deps: [config],
  retry: { maxRetries: 2, backoff: 'exponential', jitter: 'plus-minus' },
  materialize({ inputs, addMetadata, run }) {
    expectTypeOf(inputs).toEqualTypeOf<{
      readonly audio: { path: string; bytes: number };
      readonly config: number;
    }>();
    expectTypeOf(run.attempt).toEqualTypeOf<number>();
    // @ts-expect-error -- there is no such input
    expectTypeOf(inputs.video).toBeUnknown();
    // @ts-expect-error -- metadata is JSON
    addMetadata({ at: new Date() });
    return new Uint8Array();
  },
});

describe('the types of a pipeline file', () => {
  it('give an asset the values of many keys, each as its upstream returns it', () => {
    const digest = asset({
      name: 'digest',
      inputs: { all: allKeys(audio), config, last: lastKeys(transcript, 3, { onMissing: 'skip' }) },
      deps: [allKeys(transcript)],
      async materialize({ inputs }) {
        expectTypeOf(inputs).toEqualTypeOf<{
          readonly all: KeyedValues<{ path: string; bytes: number }>;
          readonly config: number;
          readonly last: KeyedValues<Uint8Array<ArrayBuffer>>;
        }>();
        for await (const [key, value] of inputs.all)
          expectTypeOf([key, value.bytes] as const).toEqualTypeOf<readonly [string, number]>();
        return (await inputs.all.get('a'))?.path;
      },
    });
    asset({
      name: 'day',
      partitions: dynamicPartitions('days'),
      inputs: {
        one: mapKeys(audio, (day) => `${day} 1`),
        maybe: mapKeys(audio, (day) => `${day} 1`, { onMissing: 'skip' }),
        many: mapKeys(audio, (day) => [`${day} 1`, `${day} 2`]),
      },
      materialize({ inputs }) {
        expectTypeOf(inputs.one.bytes).toEqualTypeOf<number>();
        expectTypeOf(inputs.maybe).toEqualTypeOf<{ path: string; bytes: number } | undefined>();
        expectTypeOf(inputs.many).toEqualTypeOf<KeyedValues<{ path: string; bytes: number }>>();
        return 1;
      },
    });
    // @ts-expect-error -- there is no such option
    allKeys(audio, { onMising: 'skip' });
    // @ts-expect-error -- keys are taken of an asset
    allKeys('audio');
    expectTypeOf<AssetContext<{ digest: typeof digest }>['inputs']['digest']>().toEqualTypeOf<
      string | undefined
    >();
  });

  it('give an asset the value that its upstream returns', () => {
    expectTypeOf<AssetContext<{ audio: typeof audio }>['inputs']['audio']>().toEqualTypeOf<{
      path: string;
      bytes: number;
    }>();
    expectTypeOf<AssetContext<{ transcript: typeof transcript }>['inputs']['transcript']>().toEqualTypeOf<
      Uint8Array<ArrayBuffer>
    >();
    expect(definePipeline({ assets: [audio, config, transcript] }).assets.size).toBe(3);
  });

  it('give a batch its keys with what each carries and takes, and take the pairs that it yields', () => {
    const podcasts = dynamicPartitions<{ readonly url: string }>('podcasts');
    const size = asset({ name: 'size', partitions: podcasts, materialize: () => 1 });
    const text = asset({
      name: 'text',
      partitions: podcasts,
      inputs: { size },
      batch: 500,
      async *materialize({ keys, addMetadata }) {
        expectTypeOf(keys[0]!.partitionKey).toEqualTypeOf<string>();
        expectTypeOf(keys[0]!.item).toEqualTypeOf<{ readonly url: string }>();
        expectTypeOf(keys[0]!.version).toEqualTypeOf<string | null>();
        expectTypeOf(keys[0]!.inputs).toEqualTypeOf<{ readonly size: number }>();
        await Promise.resolve();
        addMetadata({ of: keys.length });
        for (const { partitionKey } of keys) yield [partitionKey, { words: 1 }];
        yield ['none', skip('nothing to make')];
      },
    });
    expectTypeOf(text).toEqualTypeOf<Asset<{ words: number }>>();
    asset({
      name: 'wrong',
      partitions: podcasts,
      batch: 500,
      // @ts-expect-error -- a pair is due, not a value
      *materialize({ keys }) {
        yield keys.length;
      },
    });
    // @ts-expect-error -- a batch yields
    asset({ name: 'returns', partitions: podcasts, batch: 500, materialize: () => 1 });
    expect(text.name).toBe('text');
  });

  it('give checks the value that the asset returns, where they are written after it', () => {
    const counted = asset({
      name: 'counted',
      partitions: episodes,
      materialize: ({ partitionKey }) => ({ words: partitionKey.length }),
      checks: {
        some({ value, partitionKey }) {
          expectTypeOf(value).toEqualTypeOf<{ words: number }>();
          expectTypeOf(partitionKey).toEqualTypeOf<string>();
          return value.words > 0 || 'it has no words';
        },
        few: async ({ value }) => (value.words > 3 ? true : warn('it has few words')),
      },
    });
    expectTypeOf(counted).toEqualTypeOf<Asset<{ words: number }>>();
    // @ts-expect-error -- a check says true, what is wrong, or warn()
    asset({ name: 'a', materialize: () => 1, checks: { some: () => 5 } });
  });

  it('refuse what is no option', () => {
    // @ts-expect-error -- it is called partitions
    asset({ name: 'a', partition: episodes, materialize: () => 1 });
    // @ts-expect-error -- an asset has a materialize function
    asset({ name: 'a' });
    // @ts-expect-error -- a retry policy has no tries
    asset({ name: 'a', retry: { tries: 3 }, materialize: () => 1 });
    // @ts-expect-error -- there is no such backoff
    asset({ name: 'a', retry: { backoff: 'quadratic' }, materialize: () => 1 });
    // @ts-expect-error -- inputs are assets, not names
    asset({ name: 'a', inputs: { audio: 'audio' }, materialize: () => 1 });
    // @ts-expect-error -- a set comes from dynamicPartitions()
    asset({ name: 'a', partitions: 'episodes', materialize: () => 1 });
    // @ts-expect-error -- it is called minimumIntervalSeconds
    sensor({ name: 's', intervalSeconds: 5, evaluate: () => undefined });
    // @ts-expect-error -- running or stopped
    sensor({ name: 's', defaultStatus: 'paused', evaluate: () => undefined });
    // @ts-expect-error -- it is called sensors
    expect(() => definePipeline({ sensor: [] })).toThrow(/unknown option 'sensor'/);
  });

  it('give a sensor the cursor that its schema makes, and take the one that it takes', () => {
    const pages = z.object({ page: z.number(), at: z.string().transform((text) => new Date(text)) });
    const typed = sensor({
      name: 's',
      cursor: pages,
      evaluate({ cursor }) {
        expectTypeOf(cursor).toEqualTypeOf<{ page: number; at: Date } | null>();
        return { cursor: { page: 1, at: '2026-11-27' } };
      },
    });
    expect(typed.name).toBe('s');
    // @ts-expect-error -- a page is a number
    sensor({ name: 's', cursor: pages, evaluate: () => ({ cursor: { page: '1', at: '2026-11-27' } }) });
    // @ts-expect-error -- a schema has '~standard'
    sensor({ name: 's', cursor: 'page', evaluate: () => undefined });
  });

  it('refuse a wrong result of a sensor', () => {
    // @ts-expect-error -- a cursor is a string
    sensor({ name: 's', evaluate: () => ({ cursor: 5 }) });
    // @ts-expect-error -- keys are strings
    sensor({ name: 's', evaluate: () => ({ runRequests: [{ partitionKey: 5 }] }) });
    expectTypeOf<SensorResult['cursor']>().toEqualTypeOf<string | undefined>();
    const works = sensor({
      name: 's',
      assets: [audio],
      async evaluate({ cursor, partitions, lastTickAt, signal }) {
        expectTypeOf(cursor).toEqualTypeOf<string | null>();
        expectTypeOf(lastTickAt).toEqualTypeOf<Date | null>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        await Promise.resolve();
        const fresh = await partitions(episodes).missing(['a']);
        return {
          cursor: '1',
          dynamicPartitionsRequests: [episodes.buildAddRequest(fresh)],
          runRequests: [{ partitionKey: 'a', assets: [audio, 'transcript'] }],
        };
      },
    });
    expect(works.name).toBe('s');
  });
});
