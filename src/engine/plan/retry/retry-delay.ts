/** How long to wait before an asset is tried again. Pure: chance comes in as a number. */
import type { RetryWithin } from '../../../definitions/pipeline.ts';

const LONGEST_MS = Number.MAX_SAFE_INTEGER;

/**
 * Milliseconds before the try that follows attempt number `attempt` (from 1). As Dagster's `RetryPolicy`: linear is
 * `n ×`, exponential `(2ⁿ − 1) ×` the delay; full jitter takes a random part of it, plus-minus between none and twice.
 *
 * @returns at most about 285,000 years: after a thousand tries an exponential delay would be no number any more
 * @param chance from 0 up to, but not including, 1
 */
export function retryDelay(policy: RetryWithin, attempt: number, chance: number): number {
  const factor = { constant: 1, linear: attempt, exponential: Math.min(2 ** attempt - 1, LONGEST_MS) }[
    policy.backoff
  ];
  const delay = policy.delayMs * factor;
  const spread = { none: 1, full: chance, 'plus-minus': 2 * chance }[policy.jitter];
  return Math.round(Math.min(delay, LONGEST_MS) * spread);
}
