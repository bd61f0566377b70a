/** Queued and started runs by what they are about to materialize. */
import type { AssetDefinition } from '../../../definitions/pipeline.ts';
import { type PendingRun, type PendingRuns, runsIn } from '../../../model/pending-run.ts';
import type { StateView } from '../../../state/state-view.ts';
import { workName } from './work-name.ts';
import { living } from '../executors/ownership.ts';

export interface Work {
  readonly runs: PendingRuns;
  readonly run: PendingRun;
  /** A live process owns it. */
  readonly alive: boolean;
}

export class PendingWork {
  readonly #byWork = new Map<string, Work[]>();
  readonly #keys = new Map<string, Set<string>>();

  constructor(view: StateView) {
    const alive = living(view);
    for (const runs of view.runs()) {
      const owned = runs.owner !== null && alive.has(runs.owner);
      for (const run of runsIn(runs)) {
        // One that is being canceled without a live owner will not be executed: it covers nothing.
        if (run.canceling && !owned) continue;
        for (const asset of runs.assets) {
          const name = workName(asset, run.partitionKey);
          this.#byWork.set(name, [...(this.#byWork.get(name) ?? []), { runs, run, alive: owned }]);
          if (run.partitionKey !== null && !run.canceling) this.#noteKey(asset, run.partitionKey);
        }
      }
    }
  }

  #noteKey(asset: string, key: string): void {
    const keys = this.#keys.get(asset);
    if (keys === undefined) this.#keys.set(asset, new Set([key]));
    else keys.add(key);
  }

  /** The keys for which an asset is about to be made. */
  keysOf(asset: string): string[] {
    return [...(this.#keys.get(asset) ?? [])];
  }

  of(assets: readonly Pick<AssetDefinition, 'name'>[], key: string | null): Work[] {
    if (this.#byWork.size === 0) return [];
    const found = assets.flatMap(({ name }) => this.#byWork.get(workName(name, key)) ?? []);
    return [...new Map(found.map((work) => [work.run.id, work])).values()];
  }
}
