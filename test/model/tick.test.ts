/** The record of a tick: bounded, and honest about what it leaves out. */
import { describe, expect, it } from 'vitest';
import { recordOfTick, TICK_LOG_LIMIT, TICK_RECORD_LIMIT, type TickRun } from '../../src/model/tick.ts';
import { AT, tickRecord } from '../support/builders.ts';

const many = Array.from({ length: TICK_RECORD_LIMIT + 5 }, (_, at) => `k${at}`);
const run: TickRun = { id: 'g-1', partitionKey: 'a', runKey: null, assets: ['audio'], status: 'QUEUED' };

describe('the record of a tick', () => {
  it('is the tick itself where nothing is long', () => {
    const tick = tickRecord({
      sensor: 'feed',
      partitions: [{ set: 's', added: ['a'], updated: [], removed: [], skipped: [] }],
      runs: [run],
    });
    expect(recordOfTick(tick)).toEqual(tick);
    expect(recordOfTick(tick)).not.toHaveProperty('truncated');
    expect(recordOfTick(tick)).not.toHaveProperty('log');
  });

  it('keeps the first thousand of each list, and counts what it leaves out', () => {
    const tick = tickRecord({
      sensor: 'feed',
      partitions: [
        { set: 's', added: many, updated: [], removed: [], skipped: ['x'] },
        { set: 't', added: [], updated: [], removed: many, skipped: many },
      ],
      runs: many.map(() => run),
      skippedRunKeys: many,
    });
    const record = recordOfTick(tick);
    expect(record.truncated).toEqual({ keys: 15, runs: 5, skippedRunKeys: 5 });
    expect(record.partitions[0]).toEqual({
      set: 's',
      added: many.slice(0, TICK_RECORD_LIMIT),
      updated: [],
      removed: [],
      skipped: ['x'],
    });
    expect(record.partitions[1]!.skipped).toHaveLength(TICK_RECORD_LIMIT);
    expect(record.runs).toHaveLength(TICK_RECORD_LIMIT);
    expect(record.skippedRunKeys).toHaveLength(TICK_RECORD_LIMIT);
    expect(tick.runs).toHaveLength(many.length);
  });

  it('keeps the last lines of the log', () => {
    const log = Array.from({ length: TICK_LOG_LIMIT + 3 }, (_, at) => ({
      at: AT,
      stream: 'log' as const,
      text: String(at),
    }));
    const record = recordOfTick(tickRecord({ sensor: 'feed' }), log);
    expect(record.log).toHaveLength(TICK_LOG_LIMIT);
    expect(record.log!.at(-1)!.text).toBe(String(TICK_LOG_LIMIT + 2));
  });
});
