/** Which runs are made in one call, and when somebody has to look again. */
import { expect, it } from 'vitest';
import { asset } from '../../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../../src/definitions/partitions.ts';
import { definePipeline } from '../../../src/definitions/pipeline.ts';
import { Batches } from '../../../src/engine/runs/batches.ts';
import { Interruption } from '../../../src/engine/user-code/interruption.ts';

const MINUTE_MS = 60_000;

/** An asset of two keys a call, whose calls last as long as the test wants. Two runs have to come back before a call is over. */
function rig({ concurrency }: { readonly concurrency?: number } = {}) {
  let now = 0;
  const keys = dynamicPartitions('keys');
  const of = (name: string) =>
    asset({
      name,
      partitions: keys,
      batch: 2,
      ...(concurrency !== undefined && { concurrency }),
      materialize: () => [],
    });
  const { assets } = definePipeline({ assets: [of('made'), of('after')] });
  const batches = new Batches(
    {
      clock: { now: () => now, random: () => 0, sleep: () => Promise.resolve() },
      programsOf: () => ({ end: () => Promise.resolve() }) as never,
      isolated: undefined,
      room: () => 8,
      onChange: () => undefined,
    },
    assets.values(),
  );
  const admitted: string[] = [];
  return {
    batches,
    admitted,
    passes: (ms: number) => void (now += ms),
    comes: (id: string, to = 'made') => {
      void batches
        .enter(assets.get(to)!, { id }, new Interruption())
        .then((room) => room && admitted.push(id));
    },
    /** Calls that may begin do. */
    turns: async () => {
      batches.call();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      return admitted.splice(0);
    },
  };
}

it('has nobody look again and again while a long call leaves another one no room', async () => {
  const { batches, comes, turns, passes } = rig({ concurrency: 1 });
  for (const id of ['a', 'b', 'c']) comes(id);
  expect(await turns()).toEqual(['a', 'b']);
  expect(batches.due).toBe(Infinity);
  passes(2 * MINUTE_MS);
  expect(await turns()).toEqual([]);
  expect(batches.due).toBe(Infinity);
});

it('lets who comes back wait for the end of its call, for a minute at most, and nobody else', async () => {
  const { batches, comes, turns, passes } = rig();
  for (const id of ['a', 'b']) comes(id);
  expect(await turns()).toEqual(['a', 'b']);
  comes('a');
  expect(await turns()).toEqual([]);
  expect(batches.due).toBe(MINUTE_MS);
  comes('c');
  expect(await turns()).toEqual(['c']);
  passes(MINUTE_MS);
  expect(await turns()).toEqual(['a']);
});

it('lets nobody wait for a call of another asset', async () => {
  const { comes, turns } = rig();
  for (const id of ['a', 'b']) comes(id);
  expect(await turns()).toEqual(['a', 'b']);
  comes('a', 'after');
  expect(await turns()).toEqual(['a']);
});
