/** What `materialize` returns when there is nothing to make for a key. */
import { brand, kindOf } from './brand.ts';

/** There is nothing to make: no failure, and not missing. */
export interface Skip {
  readonly [brand]: 'skip';
  readonly reason: string;
}

/**
 * Returned by `materialize`: there is nothing to make for this key. It is neither failed nor missing; what depends on it is
 * skipped as well. Another version of the key, another `codeVersion`, or an upstream that is made again make it missing.
 *
 * @param reason why, in a few words: shown by `runs show`, at most 8 KiB
 * @throws TypeError when the reason is no text
 */
export function skip(reason: string): Skip {
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new TypeError(
      "skip() takes the reason why there is nothing to make, such as skip('no transcript')",
    );
  return Object.freeze({ [brand]: 'skip' as const, reason });
}

/** Why there is nothing to make; `null`: the value is one. */
export function skipReasonOf(value: unknown): string | null {
  return kindOf(value) === 'skip' ? (value as Skip).reason : null;
}
