/** Asks an asset's checks of a value, between its return and its save: what is wrong with it, and what somebody should know of it. */
import { verdictIn } from '../../definitions/check.ts';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import { RetryAfter } from '../../definitions/retry-after.ts';
import { type Failure, FailureError } from '../../model/failure.ts';
import type { MetadataValue } from '../../model/json-value.ts';
import { nameOfType } from '../../model/partition-key.ts';
import { ERROR_LIMIT, recordable } from '../../model/recordable.ts';
import type { CheckWarning } from '../../model/run.ts';
import { describeThrown } from '../../model/thrown.ts';
import { type Clock, isoTime } from '../../model/time.ts';
import type { Interrupt } from '../user-code/interruption.ts';
import { type LineWriter, writingTo } from '../user-code/output.ts';
import { withTimeLimit } from '../user-code/time-limit.ts';

/** How long a check may take where its asset has no `timeoutMs`. */
export const CHECK_TIMEOUT_MS = 5 * 60_000;

/** However many checks there are, each may say so much, in bytes. */
const LEAST_WORDS = 256;

export interface ValueToCheck {
  readonly value: unknown;
  readonly partitionKey: string | null;
  readonly item: unknown;
  readonly metadata: Readonly<Record<string, MetadataValue>>;
}

export interface Checking {
  readonly run: string;
  readonly interrupt: Interrupt;
  /** What checks print goes where the asset's own output goes. */
  readonly writer: LineWriter;
  readonly clock: Clock;
  /** After an abort, a check that ignores its signal is waited for so long. */
  readonly graceMs: number;
}

export interface Checked {
  /** `null`: the value may be kept. */
  readonly failure: Failure | null;
  readonly warnings: readonly CheckWarning[];
  /** In how many milliseconds a check that threw asks to be tried again. */
  readonly askedMs?: number;
}

/**
 * One after the other, in their order: all that is wrong with the value is told at once. A check that is itself broken ends it, as
 * nobody knows what the value is worth then.
 */
export async function checkValue(
  { name: asset, checks, timeoutMs }: AssetDefinition,
  given: ValueToCheck,
  { run, interrupt, writer, clock, graceMs }: Checking,
): Promise<Checked | 'interrupted'> {
  const { partitionKey: key } = given;
  const warnings: CheckWarning[] = [];
  const wrong: { readonly check: string; readonly why: string }[] = [];
  const mostBytes = Math.max(LEAST_WORDS, Math.floor(ERROR_LIMIT / Math.max(1, checks.size)));
  for (const [check, ask] of checks) {
    const ms = timeoutMs ?? CHECK_TIMEOUT_MS;
    const ending = await withTimeLimit({ ms, interrupt, graceMs, clock }, ({ signal }) =>
      writingTo({ writer, runs: [run] }, async () => {
        const returned: unknown = await ask({ ...given, signal });
        // Looking at what was returned can run the user's code, too.
        return verdictIn(returned) ?? { invalid: whatWasReturned(returned) };
      }),
    );
    switch (ending.type) {
      case 'interrupted':
        return 'interrupted';
      case 'timeout':
        return { failure: { reason: 'check-timeout', asset, key, check, ms }, warnings };
      case 'threw': {
        const { error } = ending;
        // dynpart's own files: not the check's doing.
        if (error instanceof FailureError) throw error;
        const askedMs = RetryAfter.msIn(error);
        const again = askedMs === null ? {} : { again: isoTime(clock.now() + askedMs) };
        return {
          failure: { reason: 'check-threw', asset, key, check, ...describeThrown(error), ...again },
          warnings,
          ...(askedMs !== null && { askedMs }),
        };
      }
      case 'returned': {
        const { value: verdict } = ending;
        if (verdict === 'right') break;
        if ('invalid' in verdict) {
          const { invalid: returned } = verdict;
          return { failure: { reason: 'check-invalid', asset, key, check, returned }, warnings };
        }
        if ('warning' in verdict) warnings.push({ check, message: recordable(verdict.warning, mostBytes) });
        else wrong.push({ check, why: recordable(verdict.wrong, mostBytes) });
      }
    }
  }
  return {
    failure: wrong.length === 0 ? null : { reason: 'check-failed', asset, key, wrong },
    warnings,
  };
}

function whatWasReturned(returned: unknown): string {
  if (typeof returned === 'string') return 'an empty text';
  return returned === false ? 'false' : nameOfType(returned);
}
