/** A dry run says what the tick does: also where one sensor's result decides what another's comes to, and automation's plan. */
import * as fc from '../../support/random.ts';
import { expect, it } from 'vitest';
import {
  asset,
  definePipeline,
  dynamicPartitions,
  sensor,
  skip,
  type SensorResult,
} from '../../../src/index.ts';
import { type TestPipeline, testPipeline } from '../../../src/testing/index.ts';

// Sensors commit in the order in which they come to an end: what they ask for must not depend on it.
const letters = dynamicPartitions('letters');
const others = dynamicPartitions('others');

interface Step {
  /** Of each of two sensors. */
  readonly results: readonly SensorResult[];
  /** What each key's first asset comes to until the next step. */
  readonly comesTo: Readonly<Record<string, 'value' | 'failure' | 'skip'>>;
}

const key = fc.constantFrom('a', 'b', 'c');
const added = fc.array(fc.record({ key, version: fc.constantFrom('1', '2') }), {
  minLength: 1,
  maxLength: 3,
});
const resultOf = (set: typeof letters): fc.Arbitrary<SensorResult> =>
  fc.record(
    {
      cursor: fc.constantFrom('1', '2'),
      dynamicPartitionsRequests: fc.array(
        fc.oneof(
          { weight: 3, arbitrary: added.map((keys) => set.buildAddRequest(keys)) },
          { weight: 1, arbitrary: key.map((one) => set.buildDeleteRequest([one])) },
        ),
        { maxLength: 2 },
      ),
      runRequests: fc.array(
        fc.record(
          { partitionKey: key, runKey: fc.constantFrom('r1', 'r2') },
          { requiredKeys: ['partitionKey'] },
        ),
        { maxLength: 1 },
      ),
    },
    { requiredKeys: [] },
  );
const outcome = fc.constantFrom('value' as const, 'value' as const, 'failure' as const, 'skip' as const);
const step: fc.Arbitrary<Step> = fc.record({
  results: fc.tuple(resultOf(letters), resultOf(others)),
  comesTo: fc.record({ a: outcome, b: outcome, c: outcome }),
});

/** All that a tick promises: ids are given, and runs executed, only by the real one. */
const promised = async (ticked: ReturnType<TestPipeline['tick']>): Promise<unknown> =>
  (await ticked).ticks.map(
    ({ sensor: name, status, partitions, cursor, runs, skippedRunKeys, skipReason, error }) => ({
      name,
      status,
      partitions,
      cursor,
      runs: runs.map(({ partitionKey, runKey, assets }) => ({ partitionKey, runKey, assets })),
      skippedRunKeys,
      skipReason,
      error: error?.code,
    }),
  );

it('what a dry run promises is what the tick does, and nothing is changed by it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      let now: Step = steps[0]!;
      const assetsOf = (set: typeof letters) => {
        const first = asset({
          name: `first-of-${set.name}`,
          partitions: set,
          automate: 'stale',
          materialize: ({ partitionKey, version }) => {
            const comesTo = now.comesTo[partitionKey];
            if (comesTo === 'failure') throw new Error('no');
            return comesTo === 'skip' ? skip('nothing') : version;
          },
        });
        const second = asset({
          name: `second-of-${set.name}`,
          partitions: set,
          automate: 'missing',
          inputs: { first },
          materialize: ({ inputs }) => inputs.first,
        });
        return [first, second];
      };
      const assets = [letters, others].map(assetsOf);
      const sensors = assets.map((those, at) =>
        sensor({ name: `sensor-${at}`, assets: those, evaluate: () => now.results[at]! }),
      );
      const world = testPipeline(definePipeline({ assets: assets.flat(), sensors }));
      for (now of steps) {
        const plan = await promised(world.plan());
        expect(await promised(world.plan())).toEqual(plan);
        expect(await promised(world.tick())).toEqual(plan);
      }
    }),
  );
});

it('automation makes in a dry run what other sensors would add, change and remove', async () => {
  let seen = [{ key: 'a', version: '1' }];
  const made = asset({
    name: 'made',
    partitions: letters,
    automate: 'stale',
    materialize: ({ version }) => version,
  });
  const feed = sensor({
    name: 'feed',
    evaluate: () => ({ dynamicPartitionsRequests: [letters.buildAddRequest(seen)] }),
  });
  const world = testPipeline(definePipeline({ assets: [made], sensors: [feed] }));
  const automated = async (): Promise<unknown> =>
    (await world.plan()).ticks.at(-1)!.runs.map(({ partitionKey }) => partitionKey);
  expect(await automated()).toEqual(['a']);
  expect(await world.keys(letters)).toEqual([]);
  await world.tick();
  expect(await automated()).toEqual([]);
  seen = [
    { key: 'a', version: '2' },
    { key: 'b', version: '1' },
  ];
  expect(await automated()).toEqual(['b', 'a']);
  expect(await world.status(made, 'a')).toBe('materialized');
});

it('of two sensors that find the same key, one adds it, and automation makes it once', async () => {
  const made = asset({ name: 'made', partitions: letters, automate: 'missing', materialize: () => 1 });
  const finds = (name: string) =>
    sensor({ name, evaluate: () => ({ dynamicPartitionsRequests: [letters.buildAddRequest(['a'])] }) });
  const world = testPipeline(definePipeline({ assets: [made], sensors: [finds('one'), finds('two')] }));
  const { ticks } = await world.plan();
  const requests = ticks.flatMap(({ partitions }) => partitions);
  expect(requests.map(({ added: those, skipped }) => `${those.join()}/${skipped.join()}`).toSorted()).toEqual(
    ['/a', 'a/'],
  );
  expect(ticks.at(-1)!.runs).toHaveLength(1);
});
