/** The life of one key: per asset where it stands, since when, and by which run. */
import type { MetadataValue } from '../model/json-value.ts';
import type { NextTry } from '../model/next-try.ts';
import {
  isThere,
  type PartitionStatus,
  type ShownState,
  shownState,
  whyStale,
} from '../model/partition-status.ts';
import type { Problem } from '../model/problem.ts';
import type { AssetOutcome, CheckWarning, RunRecord } from '../model/run.ts';
import { type Since, staleSince } from './stale-since.ts';

export interface KeyReport {
  readonly state: ShownState;
  /** Of `stale`: what has changed since; of `skipped`: what the asset said. */
  readonly reason: string | null;
  readonly since: string | null;
  /** Why there is no `since`. */
  readonly sinceNote: string | null;
  /** When a failed one is requested again without anybody asking (ISO 8601, UTC). */
  readonly retryAt: string | null;
  /** Of the last run that failed, where the state is `failed`. */
  readonly error: Problem | null;
  /** Of what is on record. */
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  /** What checks said of what is on record. */
  readonly warnings: readonly CheckWarning[];
  /** The last one that was to make the asset, whatever came of it. */
  readonly run: RunRecord | null;
}

export interface KeyFacts {
  readonly asset: string;
  readonly addedAt: string;
  readonly isInProgress: boolean;
  readonly status: PartitionStatus;
  readonly nextTry: NextTry | null;
  /** Those of the key, newest first; and those of assets without a set that it is made from. */
  readonly runs: readonly RunRecord[];
  /** What the asset is made from. */
  readonly upstreams: readonly string[];
}

export function keyReport(facts: KeyFacts): KeyReport {
  const { asset, addedAt, isInProgress, status, nextTry, runs, upstreams } = facts;
  const state = shownState(isInProgress ? 'in progress' : status);
  // Runs of an earlier life of the key do not count for this one.
  const its = runs.filter((run) => outcomeOf(run, asset) !== undefined && run.createdAt >= addedAt);
  const made = isThere(status) ? its.find((run) => outcomeOf(run, asset)?.status === 'SUCCESS') : undefined;
  const failed = its.find((run) => outcomeOf(run, asset)?.status === 'FAILURE');
  const skipped = its.find((run) => outcomeOf(run, asset)?.status === 'SKIPPED');
  return {
    state,
    reason:
      state === 'skipped' ? ((skipped && outcomeOf(skipped, asset)?.skipReason) ?? null) : whyStale(status),
    ...since(),
    retryAt: state === 'failed' ? (nextTry?.at ?? null) : null,
    error: state === 'failed' ? ((failed && outcomeOf(failed, asset)?.error) ?? null) : null,
    metadata: (made && outcomeOf(made, asset)?.metadata) ?? {},
    warnings: (made && outcomeOf(made, asset)?.warnings) ?? [],
    run: its[0] ?? null,
  };

  function since(): Since {
    const stale = whyStale(status);
    if (state === 'stale' && stale !== null) return staleSince({ reason: stale, made, upstreams, runs });
    const time = timeOf();
    return time === null
      ? { since: null, sinceNote: addedAt === '' && its.length === 0 ? 'it was never made' : NO_RUN }
      : { since: time, sinceNote: null };
  }

  function timeOf(): string | null {
    if (state === 'in progress') return its[0]?.startedAt ?? its[0]?.createdAt ?? null;
    if (state === 'materialized') return made?.finishedAt ?? null;
    if (state === 'failed') return failed?.finishedAt ?? null;
    if (state === 'skipped') return skipped?.finishedAt ?? null;
    return addedAt === '' ? null : addedAt;
  }
}

const NO_RUN =
  'no run on record says when: it was marked by hand, or the history does not keep its run any more';

function outcomeOf(run: RunRecord, asset: string): AssetOutcome | undefined {
  return run.assets.find((outcome) => outcome.asset === asset);
}
