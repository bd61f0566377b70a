/** What this process has of pools: asks the state for a share, and keeps count of what is under way. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import { poolNamed, poolOf } from '../../definitions/pool.ts';
import { steadyTime } from '../../model/time.ts';
import type { Carried } from '../../model/carried.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Plan } from '../../state/store.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import {
  callsValidMs,
  type Lane,
  planPools,
  type PoolsGranted,
  type PoolUse,
} from '../plan/executors/pools.ts';
import type { RunLoopOptions } from './run-loop-options.ts';

const NONE: readonly PoolUse[] = [];

export class PoolRoom {
  readonly #options: Pick<RunLoopOptions, 'pipeline' | 'store' | 'executor' | 'clock'>;
  /** Whether any asset has a pool: else nothing of this costs anything. */
  readonly isUsed: boolean;
  readonly #poolsOf = new WeakMap<OwnedRun, readonly PoolUse[]>();
  #held: ReadonlyMap<string, number> = new Map();
  readonly #busy = new Map<string, number>();
  /** Pools of which a share was asked for. */
  #asked: ReadonlySet<string> = new Set();
  readonly #calls = new Map<string, { left: number; readonly until: number }>();
  /** Steady time; `Infinity`: no rate keeps anybody. */
  #nextCallsAt = Infinity;
  /** Something has changed since it was looked at last what there is to ask for. */
  #isDue = false;
  /** Views that are older than this do not show what was asked for last. */
  #serial = 0;

  constructor(options: Pick<RunLoopOptions, 'pipeline' | 'store' | 'executor' | 'clock'>) {
    this.#options = options;
    this.isUsed = [...options.pipeline.assets.values()].some(({ pool }) => pool !== null);
  }

  /** Names the pools of runs that are taken on. What cannot be named fails when the run begins, and waits for nothing. */
  name(runs: readonly OwnedRun[], carriedBy: (run: OwnedRun) => Carried): void {
    if (!this.isUsed) return;
    const { pipeline } = this.#options;
    for (const run of runs) {
      const uses = new Map<string, number>();
      for (const asset of poolAssets(pipeline, run)) {
        const found = poolOf(pipeline.pools, asset, {
          partitionKey: run.partitionKey,
          item: carriedBy(run).item,
        });
        if ('pool' in found && found.pool !== null) uses.set(found.pool, (uses.get(found.pool) ?? 0) + 1);
      }
      if (uses.size > 0) this.#poolsOf.set(run, usesIn(uses));
    }
    this.#isDue = true;
  }

  of(run: OwnedRun): readonly PoolUse[] {
    return this.isUsed ? (this.#poolsOf.get(run) ?? NONE) : NONE;
  }

  /** Whether this process has a place in all of these pools, whatever their rates say. */
  readonly hasPlace = (pools: readonly PoolUse[]): boolean =>
    pools.every(({ pool }) => (this.#busy.get(pool) ?? 0) < (this.#held.get(pool) ?? 0));

  /** Whether one of these pools gave this process no further place. Of one that was not asked yet nobody knows. */
  readonly isFull = (pools: readonly PoolUse[]): boolean =>
    pools.some(
      ({ pool }) => this.#asked.has(pool) && (this.#busy.get(pool) ?? 0) >= (this.#held.get(pool) ?? 0),
    );

  readonly mayEnter = (pools: readonly PoolUse[]): boolean =>
    this.hasPlace(pools) &&
    pools.every(({ pool, calls }) => this.#callsLeft(pool) >= this.#needed(pool, calls));

  entered(run: OwnedRun): void {
    for (const { pool, calls } of this.of(run)) {
      this.#busy.set(pool, (this.#busy.get(pool) ?? 0) + 1);
      const granted = this.#calls.get(pool);
      if (granted !== undefined) granted.left -= this.#needed(pool, calls);
      this.#isDue ||= this.#hasRate(pool);
    }
  }

  left(run: OwnedRun): void {
    for (const { pool } of this.of(run)) {
      const busy = this.#busy.get(pool)! - 1;
      if (busy > 0) this.#busy.set(pool, busy);
      else this.#busy.delete(pool);
      this.#isDue ||= this.#hasRate(pool);
    }
  }

  /** Whether more of the state's pools is wanted or less is needed than this process has; as far as this view shows. */
  hasNews(view: StateView, lanes: readonly Lane[]): boolean {
    if (!this.isUsed || view.serial < this.#serial) return false;
    this.#isDue = false;
    const { changes, outcome } = this.#plan(view, lanes);
    // Calls may be asked for when the clock says so: a view is not needed for that.
    this.#nextCallsAt = this.#steadyAt(outcome.nextAt);
    if (changes.length === 0) this.#held = outcome.held;
    return changes.length > 0;
  }

  /** What is not in the state any more is not this process's: it left, and has come back. */
  see(view: StateView): void {
    if (!this.isUsed || view.serial < this.#serial) return;
    const own = view.executors().find(({ id }) => id === this.#options.executor.id);
    const said = new Map(Object.entries(own?.pools ?? {}).map(([pool, [taken]]) => [pool, taken]));
    this.#held = lessOf(this.#held, said);
  }

  /** When calls may be asked for next (steady, milliseconds). */
  get due(): number {
    return this.#isDue ? -Infinity : this.#nextCallsAt;
  }

  /** Takes what the state has room for. */
  async ask(lanes: () => readonly Lane[]): Promise<void> {
    const { store, clock } = this.#options;
    const asked = steadyTime(clock);
    // What is given up is not used from here on, whatever becomes of the commit.
    const granted = await store.commit({ executors: true }, (view) => {
      const plan = this.#plan(view, lanes());
      this.#held = lessOf(this.#held, plan.outcome.held);
      this.#serial = view.serial + (plan.changes.length > 0 ? 1 : 0);
      return plan;
    });
    this.#held = granted.held;
    for (const [pool, left] of granted.calls) {
      const { windowMs } = poolNamed(this.#options.pipeline.pools, pool)!.rate!;
      this.#calls.set(pool, { left, until: asked + callsValidMs(windowMs) });
    }
    this.#nextCallsAt = this.#steadyAt(granted.nextAt);
  }

  #plan(view: StateView, lanes: readonly Lane[]): Plan<PoolsGranted> {
    const { executor, clock, pipeline } = this.#options;
    const granted = new Map(Array.from(this.#calls.keys(), (pool) => [pool, this.#callsLeft(pool)]));
    const limitOf = (pool: string) => poolNamed(pipeline.pools, pool);
    this.#asked = new Set(lanes.flatMap(({ pools }) => pools.map(({ pool }) => pool)));
    return planPools(view, {
      executor: executor.id,
      lanes,
      busy: this.#busy,
      granted,
      limitOf,
      now: clock.now(),
    });
  }

  #steadyAt(at: number | null): number {
    const { clock } = this.#options;
    return at === null ? Infinity : steadyTime(clock) + Math.max(0, at - clock.now());
  }

  /** No more than the rate allows at all: a run with more calls takes all of them. */
  #needed(pool: string, calls: number): number {
    return Math.min(calls, poolNamed(this.#options.pipeline.pools, pool)?.rate?.calls ?? calls);
  }

  #hasRate(pool: string): boolean {
    return (poolNamed(this.#options.pipeline.pools, pool)?.rate ?? null) !== null;
  }

  #callsLeft(pool: string): number {
    if (!this.#hasRate(pool)) return Infinity;
    const granted = this.#calls.get(pool);
    return granted === undefined || steadyTime(this.#options.clock) >= granted.until ? 0 : granted.left;
  }
}

function* poolAssets(pipeline: Pipeline, run: OwnedRun) {
  for (const name of run.assets) {
    const asset = pipeline.assets.get(name);
    if (asset !== undefined && asset.pool !== null) yield asset;
  }
}

function usesIn(uses: ReadonlyMap<string, number>): PoolUse[] {
  return Array.from(uses, ([pool, calls]) => ({ pool, calls })).sort((one, other) =>
    one.pool < other.pool ? -1 : 1,
  );
}

function lessOf(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): Map<string, number> {
  return new Map(Array.from(one, ([pool, count]) => [pool, Math.min(count, other.get(pool) ?? 0)]));
}
