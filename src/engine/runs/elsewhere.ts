/** What other live processes have in hand that is to be made here, too: who came first goes first. */
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import type { WorkElsewhere } from '../plan/executors/ownership.ts';
import { workName } from '../plan/queue/work-name.ts';

export class Elsewhere {
  /** Assets with a limit: of these each key counts. */
  readonly #isLimited: (asset: string) => boolean;
  /** Since which serial it is in the hands of others, by the name of the work, or of an asset with a limit. */
  #since = new Map<string, number>();
  #ownedSince: (run: OwnedRun) => number = () => 0;

  constructor(isLimited: (asset: string) => boolean) {
    this.#isLimited = isLimited;
  }

  see(work: Iterable<WorkElsewhere>, ownedSince: (run: OwnedRun) => number): void {
    this.#since = new Map();
    for (const { asset, partitionKey, ownedSince: since } of work)
      for (const name of this.#names(asset, partitionKey))
        this.#since.set(name, Math.min(since, this.#since.get(name) ?? Infinity));
    this.#ownedSince = ownedSince;
  }

  /** Whether any of it has a name that passes. */
  isAny(passes: (name: string) => boolean): boolean {
    return [...this.#since.keys()].some(passes);
  }

  /** Another process has had the asset and key, or an asset with a limit, in hand for longer. */
  isAhead(asset: string, run: OwnedRun): boolean {
    if (this.#since.size === 0) return false;
    const since = this.#names(asset, run.partitionKey).map((name) => this.#since.get(name) ?? Infinity);
    return Math.min(...since) < this.#ownedSince(run);
  }

  readonly ownedSince = (run: OwnedRun): number => this.#ownedSince(run);

  #names(asset: string, partitionKey: string | null): string[] {
    const name = workName(asset, partitionKey);
    return this.#isLimited(asset) ? [name, asset] : [name];
  }
}
