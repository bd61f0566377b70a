/** Whether there is a next try, and how long to wait before it, as Dagster's retry policies do. */
import { describe, expect, it } from 'vitest';
import type { RetryWithin } from '../../../../src/definitions/pipeline.ts';
import { nextTryIn, retryDelay } from '../../../../src/engine/plan/retry/retry-within-run.ts';

const policy = (fields: Partial<RetryWithin>): RetryWithin => ({
  maxRetries: 3,
  delayMs: 100,
  backoff: 'constant',
  jitter: 'none',
  ...fields,
});
const delays = (fields: Partial<RetryWithin>, chance = 0.5): number[] =>
  [1, 2, 3, 4].map((attempt) => retryDelay(policy(fields), attempt, chance));

describe('the delay before a retry', () => {
  it.each([
    ['constant' as const, [100, 100, 100, 100]],
    ['linear' as const, [100, 200, 300, 400]],
    ['exponential' as const, [100, 300, 700, 1500]],
  ])('grows %s', (backoff, expected) => {
    expect(delays({ backoff })).toEqual(expected);
  });

  it('is a random part of that with full jitter, and up to twice it with plus-minus', () => {
    expect(delays({ jitter: 'full' }, 0.25)).toEqual([25, 25, 25, 25]);
    expect(delays({ jitter: 'full' }, 0)).toEqual([0, 0, 0, 0]);
    expect(delays({ jitter: 'plus-minus', backoff: 'linear' }, 0.75)).toEqual([150, 300, 450, 600]);
    expect(delays({ jitter: 'plus-minus' }, 0)).toEqual([0, 0, 0, 0]);
  });

  it('stays a number after any number of tries', () => {
    for (const jitter of ['none', 'full', 'plus-minus'] as const) {
      expect(retryDelay(policy({ jitter, backoff: 'exponential' }), 5000, 0)).toBe(
        jitter === 'none' ? Number.MAX_SAFE_INTEGER : 0,
      );
      expect(retryDelay(policy({ jitter, backoff: 'exponential', delayMs: 0 }), 5000, 0.5)).toBe(0);
      expect(retryDelay(policy({ jitter, backoff: 'linear', delayMs: 1e308 }), 5000, 0.5)).toBeLessThan(1e17);
    }
  });

  it('is nothing where no delay was asked for', () => {
    expect(delays({ delayMs: 0, backoff: 'exponential' })).toEqual([0, 0, 0, 0]);
  });
});

const after = (failed: Partial<Parameters<typeof nextTryIn>[1]>): number | null =>
  nextTryIn(policy({}), { attempt: 1, waits: 0, isFinal: false, ...failed }, () => 0.5);

describe('a try that failed', () => {
  it('is followed by as many as the policy says, but for one that would fail again', () => {
    expect([1, 3, 4].map((attempt) => after({ attempt }))).toEqual([100, 100, null]);
    expect(after({ isFinal: true })).toBe(null);
    // Those that asked for a time do not count.
    expect([after({ attempt: 4, waits: 1 }), after({ attempt: 5, waits: 1 })]).toEqual([100, null]);
  });

  it('is followed at the time that it asks for, up to a minute and ten times', () => {
    expect([after({ attempt: 9, askedMs: 7, isFinal: true }), after({ askedMs: 60_000 })]).toEqual([
      7, 60_000,
    ]);
    expect([after({ askedMs: 60_001 }), after({ askedMs: 7, attempt: 11, waits: 10 })]).toEqual([null, null]);
  });
});
