/** How long code of a user may keep the event loop of its process from turning. */
import type { Millis } from './time.ts';

/**
 * Where nobody has said how long it may take: an asset without `timeoutMs`, and whatever else a pipeline has of functions that are asked
 * beside the code of a run (`pool`, `mapKeys`, `only`, an I/O manager).
 */
export const MAY_BLOCK_MS: Millis = 5 * 60_000;

/** The least silence that can be a sign of being blocked. */
export const LEAST_SILENCE_MS: Millis = 5000;

/** @param begun what each run that was begun and has not ended may take */
export function mayBlockMs(begun: readonly Millis[]): Millis {
  return begun.length === 0 ? MAY_BLOCK_MS : Math.min(...begun);
}
