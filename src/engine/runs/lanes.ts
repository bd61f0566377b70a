/** Runs that wait for pools, a lane for each pool or group of pools: one that is full keeps nobody else, and each has its turn. */
import type { Lane, PoolUse } from '../plan/executors/pools.ts';
import type { OwnedRun } from '../plan/executors/claim-runs.ts';

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
  runs: OwnedRun[];
  /** Where the waiting ones begin: as in the queue. */
  first: number;
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
    const lane = this.#laneOf(pools);
    if (!inFront) lane.runs.push(run);
    else if (lane.first > 0) lane.runs[--lane.first] = run;
    else lane.runs.unshift(run);
    this.#size++;
  }

  /** Whether some run waits for pools that have room. */
  get isOpen(): boolean {
    return this.#turns.some((name) => this.#canGo(this.#lanes.get(name)!));
  }

  /** Whether some run waits for such pools. */
  isSome(passes: (pools: readonly PoolUse[]) => boolean): boolean {
    return this.#turns.some((name) => {
      const { pools, runs, first } = this.#lanes.get(name)!;
      return first < runs.length && passes(pools);
    });
  }

  /** The first run of the next lane whose pools have room. */
  next(): OwnedRun | undefined {
    for (let passed = 0; passed < this.#turns.length; passed++) {
      const lane = this.#lanes.get(this.#turns[this.#next % this.#turns.length]!)!;
      this.#next = (this.#next + 1) % this.#turns.length;
      if (!this.#canGo(lane)) continue;
      this.#size--;
      const run = lane.runs[lane.first++]!;
      if (lane.first === lane.runs.length) Object.assign(lane, { runs: [], first: 0 });
      return run;
    }
    return undefined;
  }

  /** Those that wait, lane by lane. @param passes of which lanes. Default: of all */
  *runs(passes: (pools: readonly PoolUse[]) => boolean = () => true): Generator<OwnedRun> {
    for (const { pools, runs, first } of this.#lanes.values())
      if (passes(pools)) for (let at = first; at < runs.length; at++) yield runs[at]!;
  }

  /** The one that waits for longest in a lane. */
  get oldest(): OwnedRun | undefined {
    for (const { runs, first } of this.#lanes.values()) if (first < runs.length) return runs[first];
    return undefined;
  }

  take(id: string): OwnedRun | undefined {
    for (const lane of this.#lanes.values()) {
      const at = lane.runs.findIndex((run, position) => position >= lane.first && run.id === id);
      if (at === -1) continue;
      this.#size--;
      return lane.runs.splice(at, 1)[0];
    }
    return undefined;
  }

  clear(): void {
    this.#lanes.clear();
    this.#turns = [];
    this.#next = 0;
    this.#size = 0;
  }

  /** What waits, for who shares the pools; a lane in which nobody waits is forgotten. */
  asked(): Lane[] {
    for (const [name, { runs, first }] of this.#lanes) if (first === runs.length) this.#lanes.delete(name);
    this.#turns = this.#turns.filter((name) => this.#lanes.has(name));
    return Array.from(this.#lanes.values(), ({ pools, runs, first }) => ({
      pools,
      waiting: runs.length - first,
    }));
  }

  #canGo({ pools, runs, first }: Waiting): boolean {
    return first < runs.length && this.#mayEnter(pools);
  }

  #laneOf(pools: readonly PoolUse[]): Waiting {
    const name = JSON.stringify(pools.map(({ pool, calls }) => [pool, calls]));
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { pools, runs: [], first: 0 };
      this.#lanes.set(name, lane);
      this.#turns.push(name);
    }
    return lane;
  }
}
