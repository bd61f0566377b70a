/** What every store tells the rules of sets, and does by them. A part of the contract of a store. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { expect, it } from 'vitest';
import { asset } from '../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { definePipeline } from '../../src/definitions/pipeline.ts';
import {
  namedByRules,
  needsOfNaming,
  needsOfRetention,
  planRetention,
} from '../../src/engine/plan/automate/plan-retention.ts';
import { together } from '../../src/engine/plan/needs-together.ts';
import { PendingWork } from '../../src/engine/plan/queue/pending-work.ts';
import { knownOf } from '../../src/loader/known-pipeline.ts';
import { outcomeOf } from '../../src/model/run.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import type { StateChange } from '../../src/state/changes.ts';
import type { StateStore } from '../../src/state/store.ts';
import { AT, finishedRun, queuedRuns } from './builders.ts';

export function describeRetention(the: () => StateStore): void {
  it('take out by a rule what is made and idle, by what was declared, and keep it out', async () => {
    const letters = dynamicPartitions('letters', {
      retain: { keepLast: 1, olderThan: '1d', maxRemove: '100%' },
    });
    const sound = asset({ name: 'sound', partitions: letters, materialize: () => 1 });
    const text = asset({ name: 'text', partitions: letters, deps: [sound], materialize: () => 1 });
    const pipeline = definePipeline({ assets: [sound, text] });
    const commit = (...changes: readonly StateChange[]): Promise<void> =>
      the().commit(EVERYTHING, () => ({ changes, outcome: undefined }));
    const ended = (key: string, status: 'SUCCESS' | 'FAILURE' | 'SKIPPED'): StateChange => ({
      type: 'runs-finished',
      runs: [
        finishedRun({
          id: `x${key}-1`,
          partitionKey: key,
          status: 'SUCCESS',
          assets: [
            outcomeOf({ asset: 'sound', status: 'SUCCESS' }),
            outcomeOf({ asset: 'text', status, skipReason: status === 'SKIPPED' ? 'nothing' : null }),
          ],
        }),
      ],
    });
    await commit(
      { type: 'pipeline-known', pipeline: knownOf(pipeline, '/p.ts', ''), at: AT },
      {
        type: 'keys-added',
        set: 'letters',
        keys: ['made', 'skipped', 'failed', 'open', 'busy', 'last'],
        at: AT,
      },
    );
    for (const key of ['made', 'skipped', 'failed', 'open', 'busy', 'last'])
      await commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: `x${key}`, keys: [key], assets: ['sound', 'text'] }),
        owner: null,
      });
    await commit(
      ended('made', 'SUCCESS'),
      ended('skipped', 'SKIPPED'),
      ended('failed', 'FAILURE'),
      ended('busy', 'SUCCESS'),
      ended('last', 'SUCCESS'),
    );
    await commit({
      type: 'runs-queued',
      runs: queuedRuns({ group: 'again', keys: ['busy'], assets: ['text'] }),
      owner: null,
    });
    const tick = async (now: number) => {
      const named = namedByRules(await the().read(needsOfNaming(pipeline, now)), pipeline, now);
      const needs = together(needsOfRetention(pipeline, named), {
        executors: true,
        runs: [{ assets: ['sound', 'text'] }],
      });
      return the().commit(needs, (view) => {
        const pending = new PendingWork(view);
        const { changes, partitions } = planRetention(view, pipeline, { named, now, pending, queued: [] });
        return { changes, outcome: partitions };
      });
    };
    const added = Date.parse(AT);
    expect(await tick(added + 86_000_000)).toEqual([]);
    expect(await tick(added + 86_500_000)).toEqual([
      { set: 'letters', added: [], updated: [], removed: ['made', 'skipped'], skipped: [] },
    ]);
    const view = await the().read(EVERYTHING);
    expect(view.keys('letters')).toEqual(['failed', 'open', 'busy', 'last']);
    expect([...view.keptOut('letters', ['made', 'skipped', 'open'])]).toEqual(['made', 'skipped']);
  });
}
