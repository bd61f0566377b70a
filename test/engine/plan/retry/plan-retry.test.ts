/** Which assets of a run are made by a retry of it. */
import { expect, it } from 'vitest';
import { needsOfRetry, planRetry } from '../../../../src/engine/plan/retry/plan-retry.ts';
import { outcomeOf } from '../../../../src/model/run.ts';
import { AT, finishedRun, keysAdded, lettersPipeline } from '../../../support/builders.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const retried = async (...assets: readonly ReturnType<typeof outcomeOf>[]): Promise<readonly string[]> => {
  const pipeline = lettersPipeline();
  const store = new MemoryStore(new FakeClock());
  await store.commit({}, () => ({ changes: [keysAdded('letters', ['a'])], outcome: undefined }));
  const { record } = finishedRun({ id: 'g-1', partitionKey: 'a', status: 'FAILURE', assets });
  const view = await store.read(needsOfRetry(pipeline, [record]));
  const [queued] = planRetry(view, pipeline, [record], { group: 'h', now: Date.parse(AT) });
  return queued!.assets;
};

const skipped = outcomeOf({ asset: 'audio', status: 'SKIPPED', skipReason: 'nothing to make' });

it('makes what failed and what was left out because of it, and nothing that was made or found nothing to make', async () => {
  const failed = outcomeOf({ asset: 'transcript', status: 'FAILURE' });
  expect(await retried(skipped, failed)).toEqual(['transcript']);
  expect(await retried({ ...failed, asset: 'audio' }, { ...failed, status: 'SKIPPED' })).toEqual([
    'audio',
    'transcript',
  ]);
});

it('makes all of a run in which nothing failed', async () => {
  const made = outcomeOf({ asset: 'transcript', status: 'SUCCESS' });
  expect(await retried(skipped, made)).toEqual(['audio', 'transcript']);
});
