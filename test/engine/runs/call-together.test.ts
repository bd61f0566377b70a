import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { asset } from '../../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../../src/definitions/partitions.ts';
import { definePipeline, type Pipeline } from '../../../src/definitions/pipeline.ts';
import { callTogether, type Member } from '../../../src/engine/runs/call-together.ts';
import { Interruption } from '../../../src/engine/user-code/interruption.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function membersOf(pipeline: Pipeline, more: object = {}) {
  const programs = { end: () => Promise.resolve() } as unknown as Member['attempt']['programs'];
  const context = {
    pipeline,
    ioManager: { save: () => Promise.resolve(), load: () => sleep(1000) },
    clock: { now: Date.now, random: Math.random, sleep },
    emit: () => undefined,
    appendLog: () => undefined,
    ...more,
  } as unknown as Member['attempt']['context'];
  const interrupts = ['a', 'b', 'c'].map(() => new Interruption());
  const members = ['a', 'b', 'c'].map((partitionKey, at): Member => {
    const carried = { version: null, item: null };
    const interrupt = interrupts[at]!;
    const attempt = { context, interrupt, programs, attempt: 1, carried, gathered: [] };
    return { task: { id: partitionKey, partitionKey, tags: {} }, attempt };
  });
  return { members, programs, interrupts };
}

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
  const { members, programs } = membersOf(pipeline, { catchUp: () => sleep(5000) });
  const { tried } = callTogether(pipeline.assets.get('made')!, members, programs);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await Promise.all(tried)).toMatchObject(['a', 'b', 'c'].map(() => ({ status: 'SUCCESS' })));
});

const keys = dynamicPartitions('keys');
const raw = asset({ name: 'raw', partitions: keys, materialize: () => 1 });

it.each([
  ['has begun', 0],
  ['has what its keys are made from', 1500],
])('a call that is told to end before its code %s fails for no key, and calls nobody', async (_, after) => {
  const materialize = vi.fn();
  const made = asset({ name: 'made', partitions: keys, inputs: { raw }, batch: 10, materialize });
  const pipeline = definePipeline({ assets: [raw, made] });
  const { members, programs, interrupts } = membersOf(pipeline);
  const end = (): void => interrupts.forEach((interrupt) => interrupt.abort(new Error('told to end')));
  if (after === 0) end();
  else setTimeout(end, after);
  const { tried } = callTogether(pipeline.assets.get('made')!, members, programs);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await Promise.all(tried)).toEqual(['interrupted', 'interrupted', 'interrupted']);
  expect(materialize).not.toHaveBeenCalled();
});

it.each([
  ['all', ['SUCCESS', 'interrupted', 'interrupted']],
  ['b', ['SUCCESS', 'interrupted', 'not-yielded']],
  ['none', ['SUCCESS', 'not-yielded', 'not-yielded']],
])('code that ends early owes a yield to no key that was interrupted: %s', async (which, expected) => {
  const made = asset({
    name: 'made',
    partitions: keys,
    batch: 10,
    async *materialize() {
      yield ['a', 1] as const;
      await sleep(1000);
    },
  });
  const pipeline = definePipeline({ assets: [made] });
  const { members, programs, interrupts } = membersOf(pipeline);
  setTimeout(() => {
    for (const [at, key] of ['a', 'b', 'c'].entries())
      if (which === 'all' || which === key) interrupts[at]!.abort(new Error('told to end'));
  }, 500);
  const { tried } = callTogether(pipeline.assets.get('made')!, members, programs);
  await vi.advanceTimersByTimeAsync(30_000);
  const ends = (await Promise.all(tried)).map((one) =>
    one === 'interrupted' ? one : 'status' in one ? one.status : one.failure.reason,
  );
  expect(ends).toEqual(expected);
});
