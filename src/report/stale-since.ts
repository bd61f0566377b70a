/** Since when something is stale, as far as its runs tell: the state keeps why, and not when. Pure. */
import type { StaleReason } from '../model/stale-reason.ts';
import type { AssetOutcome, RunRecord } from '../model/run.ts';

export interface StaleFacts {
  readonly reason: StaleReason;
  /** The run that made it; `undefined`: the history does not keep it, or somebody marked it by hand. */
  readonly made: RunRecord | undefined;
  /** What it is made from. */
  readonly upstreams: readonly string[];
  /** Of it and of these, in any order. */
  readonly runs: readonly RunRecord[];
}

/** A time, or why there is none. */
export type Since =
  { readonly since: string; readonly sinceNote: null } | { readonly since: null; readonly sinceNote: string };

const UNKNOWN: Readonly<Record<StaleReason, string>> = {
  version: 'when its key got another version is not on record',
  code: 'when its code changed is not on record',
  upstream: 'no run on record says when what it is made from changed',
};

/**
 * It is stale since the first run after it was made that made something upstream again. That is certain only where nothing upstream had
 * other code by then, or became stale itself by what is further up: that made this one stale at once.
 */
export function staleSince({ reason, made, upstreams, runs }: StaleFacts): Since {
  const unknown = { since: null, sinceNote: UNKNOWN[reason] };
  const madeAt = made?.finishedAt ?? null;
  if (reason !== 'upstream' || madeAt === null) return unknown;
  let since: string | null = null;
  for (const upstream of upstreams) {
    const ends = endsOf(upstream, runs);
    const after = ends.find(({ at }) => at > madeAt);
    if (after === undefined) continue;
    const before = ends.findLast(({ at }) => at <= madeAt);
    const { reason: why, codeVersion } = after.outcome;
    const isSameCode =
      before === undefined ? codeVersion === null : before.outcome.codeVersion === codeVersion;
    if (!isSameCode || why === 'upstream' || why === 'code') return unknown;
    if (since === null || after.at < since) since = after.at;
  }
  return since === null ? unknown : { since, sinceNote: null };
}

/** When runs made it, or found that there was nothing to make, the oldest first. */
function endsOf(asset: string, runs: readonly RunRecord[]): { at: string; outcome: AssetOutcome }[] {
  return runs
    .flatMap(({ assets, finishedAt }) => {
      const outcome = assets.find((one) => one.asset === asset);
      const counts =
        outcome?.status === 'SUCCESS' || (outcome?.status === 'SKIPPED' && outcome.skipReason !== null);
      return counts && finishedAt !== null ? [{ at: finishedAt, outcome }] : [];
    })
    .sort((one, other) => (one.at < other.at ? -1 : 1));
}
