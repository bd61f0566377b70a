import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/model/run.ts';
import { type RunQuery, selectRuns } from '../../src/state/run-query.ts';
import { finishedRun } from '../support/builders.ts';

/** How many of twenty runs are looked at for an answer. */
function looked(query: RunQuery): number {
  let count = 0;
  function* newestFirst(): Generator<RunRecord> {
    for (let at = 20; at > 0; at--) {
      count++;
      yield finishedRun({ id: `g-${at}`, partitionKey: `k${at % 5}`, status: 'SUCCESS' }).record;
    }
  }
  selectRuns(query, newestFirst());
  return count;
}

describe('a question about runs', () => {
  it('reads no more of a long history than its answer takes', () => {
    expect(looked({})).toBe(20);
    // One more, to see whether there are more.
    expect(looked({ limit: 2 })).toBe(3);
    expect(looked({ ids: ['g-19', 'g-17'] })).toBe(4);
    expect(looked({ ids: [] })).toBe(0);
    expect(looked({ keys: ['k4', 'k0'], newestOfEachKey: true })).toBe(2);
    expect(looked({ keys: ['k4', 'k0'] })).toBe(20);
  });
});
