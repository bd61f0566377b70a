/** What this process makes, and is about to make: whether a run may begin beside it, and whether a run has to wait for it. */
import type { PartitionRef } from '../../model/partition-status.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import { anyWorkName, workName } from '../plan/queue/work-name.ts';

export interface WorkHereOptions {
  /** How many keys of an asset may be materialized at once, for assets that say so. */
  readonly limits: ReadonlyMap<string, number>;
  /** What must be there before an asset. */
  readonly upstreamsOf: (asset: string, partitionKey: string | null) => readonly PartitionRef[];
  /** Assets of which many keys must be there before an asset. Default: none. */
  readonly gatheredBy?: (asset: string) => readonly string[];
}

export class WorkHere {
  readonly #options: WorkHereOptions;
  /** What waiting runs are about to materialize, and how many of them. */
  readonly #planned = new Map<string, number>();
  readonly #busy = new Set<string>();
  /** How many keys of an asset are under way. */
  readonly #busyAssets = new Map<string, number>();

  constructor(options: WorkHereOptions) {
    this.#options = options;
  }

  /** The run waits here. */
  waits(run: OwnedRun): void {
    this.#count(run, 1);
  }

  /** The run does not wait here any more. */
  waitsNoMore(run: OwnedRun): void {
    this.#count(run, -1);
  }

  /** No run waits here any more. */
  noneWaits(): void {
    this.#planned.clear();
  }

  /** The run waits no more: it is under way. */
  begins(run: OwnedRun): void {
    this.#count(run, -1);
    for (const asset of run.assets) {
      this.#busy.add(workName(asset, run.partitionKey));
      this.#busyAssets.set(asset, (this.#busyAssets.get(asset) ?? 0) + 1);
    }
  }

  ended(run: OwnedRun): void {
    for (const asset of run.assets) {
      this.#busy.delete(workName(asset, run.partitionKey));
      this.#busyAssets.set(asset, this.#busyAssets.get(asset)! - 1);
    }
  }

  /** Whether only so many keys of the asset may be made at once. */
  isLimited(asset: string): boolean {
    return this.#options.limits.has(asset);
  }

  /** Whether a run that waits here is about to do this work, or some of an asset with a limit. */
  isToMake(name: string): boolean {
    return this.#planned.has(name) || this.isLimited(name);
  }

  /** Whether nobody here has the asset and key in hand, and there is room for one more key. */
  isFree(asset: string, partitionKey: string | null): boolean {
    const most = this.#options.limits.get(asset) ?? Infinity;
    return this.#busyOf(asset) < most && !this.#busy.has(workName(asset, partitionKey));
  }

  /** Whether another run of this process makes, or is about to make, what this one needs. */
  isAwaited(run: OwnedRun): boolean {
    return (
      this.isAwaitedWhole(run) ||
      this.awaited(run).some((name) => this.#planned.has(name) || this.#busy.has(name))
    );
  }

  /** Whether any key of an asset of which the run takes many is made here, or about to be. */
  isAwaitedWhole(run: OwnedRun): boolean {
    return this.#gathered(run).some(
      (asset) => this.#planned.has(anyWorkName(asset)) || this.#busyOf(asset) > 0,
    );
  }

  /** What a run needs and does not make itself, by its work name. */
  awaited(run: OwnedRun): string[] {
    const gathered = this.#gathered(run).map(anyWorkName);
    const upstreams = run.assets
      .flatMap((asset) => this.#options.upstreamsOf(asset, run.partitionKey))
      .filter((upstream) => !run.assets.includes(upstream.asset))
      .map((upstream) => workName(upstream.asset, upstream.key));
    return [...upstreams, ...gathered];
  }

  /** Assets of which it takes many keys. */
  #gathered({ assets }: OwnedRun): string[] {
    const { gatheredBy = () => [] } = this.#options;
    return assets.flatMap((asset) => gatheredBy(asset)).filter((name) => !assets.includes(name));
  }

  #busyOf(asset: string): number {
    return this.#busyAssets.get(asset) ?? 0;
  }

  #count(run: OwnedRun, by: 1 | -1): void {
    for (const asset of run.assets)
      for (const name of [workName(asset, run.partitionKey), anyWorkName(asset)]) {
        const count = (this.#planned.get(name) ?? 0) + by;
        if (count > 0) this.#planned.set(name, count);
        else this.#planned.delete(name);
      }
  }
}
