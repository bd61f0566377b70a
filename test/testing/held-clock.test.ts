/** The time of a test stands still, but for what the test moves it, and for what runs wait for. */
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { testPipeline } from 'dynpart/testing';
import { describe, expect, it } from 'vitest';

const items = dynamicPartitions('items');

/** Fails so many times for each key. */
function failing(times: number, delayMs: number) {
  const tries: string[] = [];
  const flaky = asset({
    name: 'flaky',
    partitions: items,
    retry: { maxRetries: times, delayMs },
    materialize({ partitionKey, run }) {
      tries.push(`${partitionKey}${run.attempt}`);
      if (run.attempt <= times) throw new Error('not yet');
      return run.attempt;
    },
  });
  const found = sensor({
    name: 'found',
    assets: [flaky],
    evaluate: () => ({
      dynamicPartitionsRequests: [items.buildAddRequest(['a', 'b'])],
      runRequests: ['a', 'b'].map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
    }),
  });
  return { tries, flaky, pipeline: definePipeline({ assets: [flaky], sensors: [found] }) };
}

async function ids(): Promise<unknown> {
  const { ticks } = await testPipeline(failing(1, 1000).pipeline).tick();
  return ticks[0]!.runs.map(({ id }) => id);
}

describe('the time of a test', () => {
  it('stands still', async () => {
    const test = testPipeline(failing(0, 0).pipeline, { now: new Date('2026-03-01T12:00:00Z') });
    const { startedAt, finishedAt } = await test.tick('found');
    await test.keys(items);
    expect([startedAt, finishedAt, test.now.toISOString()]).toEqual(
      Array(3).fill('2026-03-01T12:00:00.000Z'),
    );
    await test.advance(1500);
    expect(test.now.toISOString()).toBe('2026-03-01T12:00:01.500Z');
  });

  it('tells two ticks apart that a test makes at the same instant', async () => {
    const test = testPipeline(failing(0, 0).pipeline, { now: 0 });
    await test.tick('found');
    expect((await test.tick('found')).startedAt).toBe('1970-01-01T00:00:00.001Z');
  });

  it('passes at once while all that is under way waits for a retry: for all of it together', async () => {
    const day = 24 * 3600 * 1000;
    const { pipeline, tries, flaky } = failing(2, day);
    const test = testPipeline(pipeline, { now: '2026-03-01' });
    expect((await test.tick('found')).runs.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(tries).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
    expect(test.now.toISOString()).toBe('2026-03-03T00:00:00.000Z');
    expect((await test.show(items, 'a')).assets).toMatchObject([
      { asset: 'flaky', since: '2026-03-03T00:00:00.000Z', run: { attempts: 3 } },
    ]);
    expect(await test.value(flaky, 'b')).toBe(3);
  });

  it('does not pass while a run is at work', async () => {
    let working = true;
    const busy = asset({
      name: 'busy',
      partitions: items,
      retry: { maxRetries: 1, delayMs: 60_000 },
      async materialize({ partitionKey, run }) {
        if (partitionKey === 'a' && run.attempt === 1) throw new Error('once');
        if (partitionKey === 'a') return working;
        await new Promise((resolve) => setTimeout(resolve, 50));
        working = false;
        return null;
      },
    });
    const found = sensor({
      name: 'found',
      assets: [busy],
      evaluate: () => ({
        dynamicPartitionsRequests: [items.buildAddRequest(['a', 'b'])],
        runRequests: ['a', 'b'].map((partitionKey) => ({ partitionKey })),
      }),
    });
    const test = testPipeline(definePipeline({ assets: [busy], sensors: [found] }), { now: 0 });
    await test.tick();
    expect(await test.value(busy, 'a')).toBe(false);
    expect(test.now.getTime()).toBe(60_000);
  });

  it('goes by the same chance each time', async () => {
    expect(await ids()).toEqual(await ids());
  });
});
