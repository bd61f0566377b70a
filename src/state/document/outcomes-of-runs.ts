/** What runs came to, as far as statuses of assets go, and in which parts it can be recorded. */
import type { KnownAsset } from '../../model/known-pipeline.ts';
import { type NextTry, nextTry } from '../../model/next-try.ts';
import type { StaleReason } from '../../model/stale-reason.ts';
import type { TouchedBy } from '../../model/pending-run.ts';
import type { AssetOutcome } from '../../model/run.ts';
import type { Millis } from '../../model/time.ts';
import type { StaleAssets } from '../changes.ts';

/** What a run, or a part of it, came to. */
export interface OutcomesOfRun {
  readonly set: string | null;
  readonly partitionKey: string | null;
  readonly assets: readonly AssetOutcome[];
  /** Of these something changed while the run was at work. */
  readonly stale: ReadonlyMap<string, StaleReason>;
  /** Whose run it is. */
  readonly owner: string | null;
  /** When it ended (ISO 8601, UTC), and what those of its assets asked for that failed. Not there for one that goes on. */
  readonly failedAt?: string | null;
  readonly asked?: ReadonlyMap<string, Millis> | undefined;
}

export function whatBecame({ status, skipReason }: AssetOutcome): 'made' | 'failed' | 'skipped' | null {
  if (status === 'SUCCESS') return 'made';
  if (status === 'FAILURE') return 'failed';
  // One that was left out because an upstream failed came to nothing.
  return status === 'SKIPPED' && skipReason !== null ? 'skipped' : null;
}

/**
 * What goes on need not have seen what has ended in the same commit.
 * @param touched of the run, that commit's ends included
 */
export function withTouchedHere(
  stale: StaleAssets | undefined,
  touched: Readonly<Record<string, TouchedBy>> | null | undefined,
  serial: number,
): StaleAssets {
  const all = new Map<string, StaleReason>();
  for (const [asset, reasons] of Object.entries(touched ?? {}))
    if (reasons.upstream === serial) all.set(asset, 'upstream');
  for (const [asset, reason] of stale ?? []) all.set(asset, reason);
  return all;
}

/** When an asset that failed in a run is tried again. With another version or other code its failures are counted anew. */
export function tryAfter(
  { partitionKey, failedAt, asked }: OutcomesOfRun,
  asset: KnownAsset,
  retries: ReadonlyMap<string | null, NextTry>,
  changed: StaleReason | undefined,
): NextTry | null {
  if (failedAt == null || changed === 'version' || changed === 'code') return null;
  return nextTry(asset, retries.get(partitionKey), {
    failedAt: Date.parse(failedAt),
    askedMs: asked?.get(asset.name),
  });
}

/**
 * Runs in parts that can be recorded asset by asset: of one set, each key once. Mostly that is all of them; where a key stands
 * twice, what its second run made may be upstream of what its first one made, and comes after it.
 */
export function* independent(
  runs: readonly OutcomesOfRun[],
): Generator<{ readonly set: string | null; readonly runs: readonly OutcomesOfRun[] }> {
  let part: OutcomesOfRun[] = [];
  let keys = new Set<string | null>();
  for (const run of runs) {
    const first = part[0];
    if (
      first !== undefined &&
      (first.set !== run.set || first.owner !== run.owner || keys.has(run.partitionKey))
    ) {
      yield { set: first.set, runs: part };
      part = [];
      keys = new Set();
    }
    part.push(run);
    keys.add(run.partitionKey);
  }
  if (part.length > 0) yield { set: part[0]!.set, runs: part };
}
