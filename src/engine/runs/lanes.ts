/** Runs that wait for pools, a lane for each pool or group of pools: one that is full keeps nobody else, and each has its turn. */
import type { Lane, PoolUse } from '../plan/executors/pools.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import { Line } from './line.ts';

/** See `PoolRoom`. */
export interface PoolPlaces {
  readonly of: (run: OwnedRun) => readonly PoolUse[];
  readonly hasPlace: (pools: readonly PoolUse[]) => boolean;
  readonly mayEnter: (pools: readonly PoolUse[]) => boolean;
  readonly entered: (run: OwnedRun) => void;
  readonly left: (run: OwnedRun) => void;
}

export const NO_POOLS: PoolPlaces = {
  of: () => [],
  hasPlace: () => true,
  mayEnter: () => true,
  entered: () => undefined,
  left: () => undefined,
};

interface Waiting {
  readonly pools: readonly PoolUse[];
  readonly runs: Line;
}

export class Lanes {
  readonly #lanes = new Map<string, Waiting>();
  readonly #mayEnter: (pools: readonly PoolUse[]) => boolean;
  /** The names of the lanes, in the order of their turns. */
  #turns: string[] = [];
  #next = 0;
  #size = 0;

  /** @param mayEnter whether there is room in all of these pools now */
  constructor(mayEnter: (pools: readonly PoolUse[]) => boolean) {
    this.#mayEnter = mayEnter;
  }

  get size(): number {
    return this.#size;
  }

  /** @param inFront those that were taken out before and could not begin are the oldest */
  add(run: OwnedRun, pools: readonly PoolUse[], inFront = false): void {
    const { runs } = this.#laneOf(pools);
    if (inFront) runs.putFirst([run]);
    else runs.push(run);
    this.#size++;
  }

  /** Whether some run waits for pools that have room. */
  get isOpen(): boolean {
    return this.#turns.some((name) => this.#canGo(this.#lanes.get(name)!));
  }

  /** The first run of the next lane whose pools have room. */
  next(): OwnedRun | undefined {
    for (let passed = 0; passed < this.#turns.length; passed++) {
      const lane = this.#lanes.get(this.#turns[this.#next % this.#turns.length]!)!;
      this.#next = (this.#next + 1) % this.#turns.length;
      if (!this.#canGo(lane)) continue;
      this.#size--;
      return lane.runs.shift();
    }
    return undefined;
  }

  /** Those that wait, lane by lane. @param passes of which lanes. Default: of all */
  *runs(passes: (pools: readonly PoolUse[]) => boolean = () => true): Generator<OwnedRun> {
    for (const { pools, runs } of this.#lanes.values()) if (passes(pools)) yield* runs;
  }

  /** How many wait for such pools. */
  count(passes: (pools: readonly PoolUse[]) => boolean): number {
    let count = 0;
    for (const { pools, runs } of this.#lanes.values()) if (passes(pools)) count += runs.size;
    return count;
  }

  /** The one that waits for longest in a lane. */
  get oldest(): OwnedRun | undefined {
    for (const { runs } of this.#lanes.values()) if (runs.size > 0) return runs.first;
    return undefined;
  }

  take(id: string): OwnedRun | undefined {
    for (const { runs } of this.#lanes.values()) {
      const taken = runs.take(id);
      if (taken === undefined) continue;
      this.#size--;
      return taken;
    }
    return undefined;
  }

  takeWhere(passes: (run: OwnedRun) => boolean): OwnedRun[] {
    return Array.from(this.#lanes.values()).flatMap(({ runs }) => {
      if (!runs.some(passes)) return [];
      const all = runs.takeAll();
      for (const run of all) if (!passes(run)) runs.push(run);
      this.#size += runs.size - all.length;
      return all.filter(passes);
    });
  }

  clear(): void {
    this.#lanes.clear();
    this.#turns = [];
    this.#next = 0;
    this.#size = 0;
  }

  /** What waits, for who shares the pools; a lane in which nobody waits is forgotten. @param mayGo of which lanes: those with such a run. Default: all */
  asked(mayGo: (run: OwnedRun) => boolean = () => true): Lane[] {
    for (const [name, { runs }] of this.#lanes) if (runs.size === 0) this.#lanes.delete(name);
    this.#turns = this.#turns.filter((name) => this.#lanes.has(name));
    return Array.from(this.#lanes.values()).flatMap(({ pools, runs }) =>
      runs.some(mayGo) ? [{ pools, waiting: runs.size }] : [],
    );
  }

  #canGo({ pools, runs }: Waiting): boolean {
    return runs.size > 0 && this.#mayEnter(pools);
  }

  #laneOf(pools: readonly PoolUse[]): Waiting {
    const name = JSON.stringify(pools.map(({ pool, calls }) => [pool, calls]));
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { pools, runs: new Line() };
      this.#lanes.set(name, lane);
      this.#turns.push(name);
    }
    return lane;
  }
}
