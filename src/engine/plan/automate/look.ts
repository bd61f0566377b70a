/** Whether automation makes an asset for a key, and why, or why not. Pure. */
import { isMappedAsset } from '../../../definitions/mapped-keys.ts';
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import { hasChangedSince, isThere, type PartitionStatus, whyStale } from '../../../model/partition-status.ts';
import type { RunReason } from '../../../model/run.ts';
import { type GatherWait, gatherWaits, type WaitsAround } from '../gather/waits.ts';
import type { PendingWork } from '../queue/pending-work.ts';
import type { Due } from './in-turn.ts';

/** Why automation makes an asset for a key, or does not. */
export type Verdict =
  | { readonly is: 'due'; readonly reason: RunReason }
  /** Upstreams that are neither there nor made by the same plan, or are on their way. */
  | {
      readonly is: 'waiting';
      readonly upstreams: readonly string[];
      /** Keys of which it takes many. */
      readonly gathered: readonly GatherWait[];
    }
  | { readonly is: 'in-progress' }
  /** It is as it should be, or waits for a person or a change. */
  | { readonly is: 'settled' };

const SETTLED: Verdict = { is: 'settled' };
const IN_PROGRESS: Verdict = { is: 'in-progress' };

/**
 * Why an automated asset is to be made for a key; `null`: it is as it should be, or waits for a person or a change.
 * @param isDue whether it failed, and is to be tried again by now
 */
export function reasonToAutomate(
  { automate }: AssetDefinition,
  status: PartitionStatus,
  isDue = false,
): Exclude<RunReason, 'asked'> | null {
  if (automate === null) return null;
  if (isDue) return 'failed';
  if (status === 'missing' || (status === 'backlog' && automate.takesBacklog)) return 'missing';
  if (automate.when === 'missing') return !isThere(status) && hasChangedSince(status) ? 'failed' : null;
  return hasChangedSince(status) ? 'failed' : whyStale(status);
}

interface Surroundings extends WaitsAround {
  readonly pipeline: Pipeline;
  readonly pending: PendingWork;
  /** What is on record of assets without a set. */
  readonly alone: ReadonlyMap<string, PartitionStatus>;
  /** Assets that wait for their next period, except with keys that failed and are to be tried again. */
  readonly resting: ReadonlySet<string>;
}

/** What is on record of assets for one key. */
export interface OnRecord {
  readonly statusOf: (asset: string) => PartitionStatus;
  /** Whether it failed, and is to be tried again by now. */
  readonly isDue: (asset: string) => boolean;
}

/** What there is to be said of keys, one after the other. */
export class Look {
  readonly #around: Surroundings;
  /** By asset: they are the same for all of its keys. */
  readonly #waits = new Map<string, readonly GatherWait[]>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  dueOf(key: string | null, assets: readonly AssetDefinition[], onRecord: OnRecord): Due {
    const taken = new Map<AssetDefinition, RunReason>();
    for (const [asset, verdict] of this.verdicts(key, assets, onRecord))
      if (verdict.is === 'due') taken.set(asset, verdict.reason);
    return { key, assets: [...taken.keys()], reasons: [...taken.values()] };
  }

  /** What is said of each asset for a key, in dependency order: what is made of it, or why nothing is. */
  *verdicts(
    key: string | null,
    assets: readonly AssetDefinition[],
    { statusOf: statusInSet, isDue }: OnRecord,
  ): Generator<readonly [AssetDefinition, Verdict]> {
    const { alone } = this.#around;
    const statusOf = (name: string): PartitionStatus => alone.get(name) ?? statusInSet(name);
    const taken = new Set<string>();
    for (const asset of assets) {
      const reason = this.#reason(asset, key, { statusOf, isDue }, taken);
      if (reason === null) yield [asset, SETTLED];
      else if (this.#isPending(asset, key)) yield [asset, IN_PROGRESS];
      else {
        const upstreams = asset.upstream.filter((name) => !this.#isReady(name, key, statusOf, taken));
        const gathered = this.#gathered(asset, key);
        if (upstreams.length + gathered.length === 0) {
          taken.add(asset.name);
          yield [asset, { is: 'due', reason }];
        } else {
          if (this.#isSoon(key, upstreams, gathered)) this.#around.requested.expect(asset.name, key);
          yield [asset, { is: 'waiting', upstreams, gathered }];
        }
      }
    }
  }

  #gathered(asset: AssetDefinition, key: string | null): readonly GatherWait[] {
    if (asset.gathers.length === 0) return [];
    if (isMappedAsset(asset)) return gatherWaits(asset, key, this.#around);
    const known = this.#waits.get(asset.name) ?? gatherWaits(asset, key, this.#around);
    this.#waits.set(asset.name, known);
    return known;
  }

  /** Whether all that it waits for is on its way. */
  #isSoon(key: string | null, upstreams: readonly string[], gathered: readonly GatherWait[]): boolean {
    const { pipeline, requested } = this.#around;
    return (
      gathered.every(({ because }) => because === 'in-progress') &&
      upstreams.every((name) => {
        const upstream = pipeline.assets.get(name);
        if (upstream === undefined) return false;
        const at = upstream.set === null ? null : key;
        return requested.isExpected(name, at) || this.#isPending(upstream, at);
      })
    );
  }

  /** What this plan makes again makes stale what depends on it. */
  #reason(
    asset: AssetDefinition,
    key: string | null,
    { statusOf, isDue }: OnRecord,
    taken: ReadonlySet<string>,
  ): RunReason | null {
    if (this.#around.resting.has(asset.name)) return isDue(asset.name) ? 'failed' : null;
    const reason = reasonToAutomate(asset, statusOf(asset.name), isDue(asset.name));
    if (reason !== null || asset.automate!.when === 'missing') return reason;
    // What has an earlier stage is requested before, in a run of its own.
    const { pipeline, requested } = this.#around;
    const isMadeAgain = asset.upstream.some(
      (upstream) =>
        taken.has(upstream) ||
        (pipeline.assets.get(upstream)?.set === asset.set && requested.has(upstream, key)),
    );
    return isMadeAgain && statusOf(asset.name) === 'materialized' ? 'upstream' : null;
  }

  #isReady(
    name: string,
    key: string | null,
    statusOf: (asset: string) => PartitionStatus,
    taken: ReadonlySet<string>,
  ): boolean {
    const { pipeline, requested } = this.#around;
    const upstream = pipeline.assets.get(name);
    if (upstream === undefined) return false;
    const at = upstream.set === null ? null : key;
    if (taken.has(name) || requested.has(name, at)) return true;
    const status = statusOf(name);
    return (isThere(status) || status === 'skipped') && !this.#isPending(upstream, at);
  }

  #isPending(asset: AssetDefinition, key: string | null): boolean {
    return this.#around.pending.of([asset], key).length > 0;
  }
}
