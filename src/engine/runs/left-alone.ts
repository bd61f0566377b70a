/** Says which queued runs a worker leaves to others, since its pipeline does not have their assets: of each asset once. */
import { runsIn } from '../../model/pending-run.ts';
import { type Clock, steadyTime } from '../../model/time.ts';
import type { StateStore } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import type { RunLoopOptions } from './run-loop-options.ts';

/** A queue may be of any length: so many are counted. */
const MOST_COUNTED = 10_000;

/** The look goes through all groups of the queue. */
const LOOK_EVERY_MS = 5000;

export class LeftAloneSayer {
  readonly #store: StateStore;
  readonly #emit: Emit;
  readonly #known: readonly string[];
  readonly #clock: Clock;
  #due = -Infinity;
  readonly #said = new Set<string>();

  constructor({
    store,
    pipeline,
    clock,
    emit,
  }: Pick<RunLoopOptions, 'store' | 'pipeline' | 'clock' | 'emit'>) {
    this.#store = store;
    this.#emit = emit;
    this.#clock = clock;
    this.#known = [...pipeline.assets.keys()];
  }

  /** Where there is nothing new to be said, one run is asked for, and not at each call. */
  async say(): Promise<void> {
    if (steadyTime(this.#clock) < this.#due) return;
    this.#due = steadyTime(this.#clock) + LOOK_EVERY_MS;
    const known = [...this.#known, ...this.#said];
    const found = await this.#store.read({ runs: [{ besides: known, most: 1 }] });
    if (found.runs().length === 0) return;
    const view = await this.#store.read({ runs: [{ besides: known, most: MOST_COUNTED + 1 }] });
    const has = new Set(known);
    const assets = new Set<string>();
    let count = 0;
    for (const runs of view.runs()) {
      if (runs.owner !== null) continue;
      for (const asset of runs.assets) if (!has.has(asset)) assets.add(asset);
      for (const _ of runsIn(runs)) count++;
    }
    // Somebody else has taken them meanwhile.
    if (assets.size === 0) return;
    for (const asset of assets) this.#said.add(asset);
    this.#emit({
      type: 'runs-left-alone',
      count: Math.min(count, MOST_COUNTED),
      isAtLeast: count > MOST_COUNTED,
      assets: [...assets].sort(),
    });
  }
}
