/** The life of one key: per asset where it stands, since when, and by which run. */
import type { MetadataValue } from '../model/json-value.ts';
import { isThere, type PartitionStatus } from '../model/partition-status.ts';
import type { Problem } from '../model/problem.ts';
import type { AssetOutcome, RunRecord } from '../model/run.ts';
import type { KeyState } from '../state/slice.ts';

export interface KeyReport {
  readonly state: KeyState;
  /** Why it is so, where there is more to say than the state does. */
  readonly reason: string | null;
  /** `null`: the history does not keep the run any more. */
  readonly since: string | null;
  /** Of the last run that failed, where the state is `failed`. */
  readonly error: Problem | null;
  /** Of what is on record. */
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  /** The last one that was to make the asset, whatever came of it. */
  readonly run: RunRecord | null;
}

export interface KeyFacts {
  readonly asset: string;
  readonly addedAt: string;
  readonly state: KeyState;
  readonly status: PartitionStatus;
  /** Those of the key, newest first. */
  readonly runs: readonly RunRecord[];
}

export function keyReport({ asset, addedAt, state, status, runs }: KeyFacts): KeyReport {
  // Runs of an earlier life of the key do not count for this one.
  const its = runs.filter((run) => outcomeOf(run, asset) !== undefined && run.createdAt >= addedAt);
  const made = isThere(status) ? its.find((run) => outcomeOf(run, asset)?.status === 'SUCCESS') : undefined;
  const failed = its.find((run) => outcomeOf(run, asset)?.status === 'FAILURE');
  return {
    state,
    reason: null,
    since: since(),
    error: state === 'failed' ? ((failed && outcomeOf(failed, asset)?.error) ?? null) : null,
    metadata: (made && outcomeOf(made, asset)?.metadata) ?? {},
    run: its[0] ?? null,
  };

  function since(): string | null {
    if (state === 'in progress') return its[0]?.startedAt ?? its[0]?.createdAt ?? null;
    if (state === 'materialized') return made?.finishedAt ?? null;
    return state === 'failed' ? (failed?.finishedAt ?? null) : addedAt;
  }
}

function outcomeOf(run: RunRecord, asset: string): AssetOutcome | undefined {
  return run.assets.find((outcome) => outcome.asset === asset);
}
