import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { asset } from '../../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../../src/definitions/partitions.ts';
import { definePipeline } from '../../../src/definitions/pipeline.ts';
import { callTogether, type Member } from '../../../src/engine/runs/call-together.ts';
import { Interruption } from '../../../src/engine/user-code/interruption.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('gives code for many keys its whole time, however long the state takes to be looked at before a value is kept', async () => {
  const made = asset({
    name: 'made',
    partitions: dynamicPartitions('keys'),
    batch: 10,
    timeoutMs: 1000,
    async *materialize({ keys }) {
      for (const { partitionKey } of keys) {
        await sleep(300);
        yield [partitionKey, partitionKey];
      }
    },
  });
  const pipeline = definePipeline({ assets: [made] });
  const programs = { end: () => Promise.resolve() } as unknown as Member['attempt']['programs'];
  const context = {
    pipeline,
    ioManager: { save: () => Promise.resolve(), load: () => Promise.resolve() },
    clock: { now: Date.now, random: Math.random, sleep },
    emit: () => undefined,
    appendLog: () => undefined,
    catchUp: () => sleep(5000),
  } as unknown as Member['attempt']['context'];
  const members = ['a', 'b', 'c'].map((partitionKey): Member => {
    const carried = { version: null, item: null };
    const attempt = { context, interrupt: new Interruption(), programs, attempt: 1, carried, gathered: [] };
    return { task: { id: partitionKey, partitionKey, tags: {} }, attempt };
  });
  const { tried } = callTogether(pipeline.assets.get('made')!, members, programs);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await Promise.all(tried)).toMatchObject(['a', 'b', 'c'].map(() => ({ status: 'SUCCESS' })));
});
