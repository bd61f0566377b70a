/** Whether an asset that failed is tried again within its run, and when. Pure: chance comes in as a number. */
import type { RetryWithin } from '../../../definitions/pipeline.ts';

const LONGEST_MS = Number.MAX_SAFE_INTEGER;

/** What asks to be tried again within so long is waited for within the run, so often at most. */
const LONGEST_WAIT_MS = 60_000;
const MOST_WAITS = 10;

/** The try that failed last. */
export interface LastTry {
  /** From 1. */
  readonly attempt: number;
  /** How many tries before this one asked for a time. They do not count. */
  readonly waits: number;
  /** What this one asks for. */
  readonly askedMs?: number | undefined;
  /** It would fail again. */
  readonly isFinal: boolean;
}

/** @returns milliseconds; `null`: it has failed for good @param chance from 0 up to, but not including, 1 */
export function nextTryIn(
  policy: RetryWithin,
  { attempt, waits, askedMs, isFinal }: LastTry,
  chance: () => number,
): number | null {
  if (askedMs !== undefined) return askedMs <= LONGEST_WAIT_MS && waits < MOST_WAITS ? askedMs : null;
  const tries = attempt - waits;
  return isFinal || tries > policy.maxRetries ? null : retryDelay(policy, tries, chance());
}

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
