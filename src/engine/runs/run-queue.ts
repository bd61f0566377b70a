/** The runs that wait in this process, and which of them may begin now. Bookkeeping only: it starts nothing. */
import { inTurns } from './in-turns.ts';
import { Elsewhere } from './elsewhere.ts';
import { Line } from './line.ts';
import { Lanes, NO_POOLS, type PoolPlaces } from './lanes.ts';
import { runsHeldUp } from './runs-held-up.ts';
import { WorkHere, type WorkHereOptions } from './work-here.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import type { Lane } from '../plan/executors/pools.ts';
import type { WorkElsewhere } from '../plan/executors/ownership.ts';

export interface RunQueueOptions extends WorkHereOptions {
  /** Which pools a run uses, and where there is room. Default: none of them uses any. */
  readonly pools?: PoolPlaces;
}

export class RunQueue {
  readonly #pools: PoolPlaces;
  /** Runs that use pools. */
  readonly lanes: Lanes;
  /** Whether those have the next turn: they and the others begin in turn. */
  #isLanesTurn = false;
  #waiting = new Line();
  /** Runs that took their process down before: executed alone, after the others. */
  readonly #alone = new Line();
  /** Runs that had to be passed over; looked at again when something was let go of. */
  readonly #blocked = new Line();
  /** Runs that take many keys of an asset and wait for all that is made of it here: looked at again when that is over. */
  readonly #late = new Line();
  #aloneIsRunning = false;
  readonly #here: WorkHere;
  readonly #elsewhere: Elsewhere;

  constructor({ pools = NO_POOLS, ...work }: RunQueueOptions) {
    const here = new WorkHere(work);
    this.#here = here;
    this.#elsewhere = new Elsewhere((asset) => here.isLimited(asset));
    this.#pools = pools;
    this.lanes = new Lanes(pools.mayEnter);
  }

  get #lines(): readonly Line[] {
    return [this.#waiting, this.#alone, this.#blocked, this.#late];
  }

  get size(): number {
    return this.#waiting.size + this.#alone.size + this.#blocked.size + this.#late.size + this.lanes.size;
  }

  add(runs: readonly OwnedRun[]): void {
    for (const run of runs) {
      const pools = this.#pools.of(run);
      if (pools.length > 0 && !isAlone(run)) this.lanes.add(run, pools);
      else (isAlone(run) ? this.#alone : this.#waiting).push(run);
      this.#here.waits(run);
    }
    this.#waiting = new Line(inTurns([...this.#waiting]));
  }

  /** Who came first goes first: what a live process has owned for longer is not begun here before it has let go. */
  yieldTo(work: Iterable<WorkElsewhere>, ownedSince: (run: OwnedRun) => number): void {
    this.#elsewhere.see(work, ownedSince);
    this.lookAgain();
    // What waits for another process has no place in a pool meanwhile: that process may wait for this very place.
    if (this.yields)
      for (const run of this.lanes.takeWhere((one) => this.#isElsewhere(one))) this.#blocked.push(run);
  }

  /** Whether others have anything in hand that is to be made here, too. */
  get yields(): boolean {
    return this.#elsewhere.isAny((name) => this.#here.isToMake(name));
  }

  /** Whether any wait that use no pool, and for nothing but their turn. */
  get hasPlain(): boolean {
    return this.#waiting.size > 0;
  }

  /** The one that waits for longest. */
  get oldest(): OwnedRun | undefined {
    const first = this.#blocked.first ?? this.#waiting.first ?? this.#alone.first;
    return first ?? this.lanes.oldest ?? this.#late.first;
  }

  /**
   * What waits, for who shares the pools. What waits for another run asks for nothing: that run may need the very place. What is executed
   * alone, and a circle, ask when nothing else may go.
   */
  asked(): Lane[] {
    const mayGo = (run: OwnedRun): boolean => this.#isFreeButForPools(run) && !this.#here.isAwaited(run);
    const going = this.lanes.asked(mayGo);
    if (going.length > 0 || this.#waiting.some(mayGo)) return going;
    const left = [...this.#alone, ...this.#blocked, ...this.#late];
    const next = left.find(mayGo);
    const isCircle = next === undefined && this.runs().every((run) => this.#isFreeButForPools(run));
    if (isCircle && this.lanes.size > 0) return this.lanes.asked();
    const oldest = isCircle ? left[0] : next;
    const pools = oldest === undefined ? [] : this.#pools.of(oldest);
    return pools.length === 0 ? [] : [{ pools, waiting: 1 }];
  }

  hasNext(inFlight: number): boolean {
    if (this.#aloneIsRunning) return false;
    if (this.#waiting.size > 0 || (this.#alone.size > 0 && inFlight === 0)) return true;
    return this.lanes.isOpen;
  }

  /** Whether a run could begin if there were room and nothing else was under way. Else all wait for other processes. */
  isFree(): boolean {
    if (this.#lines.some((line) => line.some((run) => this.#mayBegin(run)))) return true;
    for (const run of this.lanes.runs(this.#pools.hasPlace)) if (this.#mayBegin(run)) return true;
    return this.runs().every((run) => this.#isFree(run));
  }

  /** The next run that may begin; it counts as begun from now. `undefined` when none may. */
  next(inFlight: number): OwnedRun | undefined {
    for (let run = this.#takeFirst(); run !== undefined; run = this.#takeFirst()) {
      if (this.#mayBegin(run)) return this.#begin(run);
      this.#passOver(run);
    }
    while (inFlight === 0 && this.#alone.size > 0) {
      const run = this.#alone.shift()!;
      if (this.#mayBegin(run)) return this.#begin(run);
      this.#passOver(run);
    }
    // Runs that wait for each other's assets, in a circle: the oldest goes first, and says what it misses. It is none while one of
    // them waits for another process, or for nothing but calls of its pools: that one lets go, or begins, in the end.
    const left = [...this.#blocked, ...this.#late];
    const isNext = inFlight === 0 && this.lanes.size === 0 && left.length > 0;
    const isCircle = isNext && left.every((run) => this.#isFree(run) && this.#here.isAwaited(run));
    if (!isCircle || !this.#pools.mayEnter(this.#pools.of(left[0]!))) return undefined;
    return this.#begin((this.#blocked.shift() ?? this.#late.shift())!);
  }

  /** The next one of those that wait for nothing here but their turn. */
  #takeFirst(): OwnedRun | undefined {
    this.#isLanesTurn = !this.#isLanesTurn;
    const ofLanes = this.#isLanesTurn || this.#waiting.size === 0 ? this.lanes.next() : undefined;
    return ofLanes ?? this.#waiting.shift();
  }

  /** Waiting runs that are to come after what they wait for: see `runsHeldUp`. */
  heldUp(): OwnedRun[] {
    return runsHeldUp(this.runs(), {
      awaits: (run) => this.#here.awaited(run),
      waitsForOthers: (run) => this.#isElsewhere(run),
      ownedSince: this.#elsewhere.ownedSince,
    });
  }

  /** The run has ended: its assets and key are free again. */
  letGo(run: OwnedRun): void {
    if (isAlone(run)) this.#aloneIsRunning = false;
    this.#pools.left(run);
    this.#here.ended(run);
    this.lookAgain();
  }

  /** All that wait. */
  runs(): OwnedRun[] {
    return [...this.#waiting, ...this.#alone, ...this.#blocked, ...this.lanes.runs(), ...this.#late];
  }

  /** Takes a waiting run out. */
  take(id: string): OwnedRun | undefined {
    let taken: OwnedRun | undefined;
    for (const line of [...this.#lines, this.lanes]) taken ??= line.take(id);
    if (taken !== undefined) this.#here.waitsNoMore(taken);
    return taken;
  }

  /** Takes those that pass out of the queue. */
  takeWhere(passes: (run: OwnedRun) => boolean): OwnedRun[] {
    const all = this.takeAll();
    this.add(all.filter((run) => !passes(run)));
    return all.filter(passes);
  }

  takeAll(): OwnedRun[] {
    const all = this.runs();
    for (const line of this.#lines) line.takeAll();
    this.lanes.clear();
    this.#here.noneWaits();
    return all;
  }

  #begin(run: OwnedRun): OwnedRun {
    if (isAlone(run)) this.#aloneIsRunning = true;
    this.#pools.entered(run);
    this.#here.begins(run);
    return run;
  }

  #mayBegin(run: OwnedRun): boolean {
    return this.#isFree(run) && !this.#here.isAwaited(run) && this.#pools.mayEnter(this.#pools.of(run));
  }

  /** Nobody else, here or elsewhere, has its assets and key in hand, and there is room. */
  #isFree(run: OwnedRun): boolean {
    return this.#pools.hasPlace(this.#pools.of(run)) && this.#isFreeButForPools(run);
  }

  #isFreeButForPools(run: OwnedRun): boolean {
    return run.assets.every(
      (asset) => this.#here.isFree(asset, run.partitionKey) && !this.#elsewhere.isAhead(asset, run),
    );
  }

  /** Another process has had something of it in hand for longer. */
  #isElsewhere(run: OwnedRun): boolean {
    return run.assets.some((asset) => this.#elsewhere.isAhead(asset, run));
  }

  #passOver(run: OwnedRun): void {
    (this.#here.isAwaitedWhole(run) ? this.#late : this.#blocked).push(run);
  }

  /** Those that were passed over are the oldest: they are looked at first. */
  lookAgain(): void {
    if (this.#late.size + this.#blocked.size === 0) return;
    for (const run of this.#late.takeAll()) this.#passOver(run);
    const alone: OwnedRun[] = [];
    const plain: OwnedRun[] = [];
    const pooled: OwnedRun[] = [];
    for (const run of this.#blocked.takeAll()) {
      const usesPools = this.#pools.of(run).length > 0;
      if (usesPools && this.#isElsewhere(run)) this.#blocked.push(run);
      else (isAlone(run) ? alone : usesPools ? pooled : plain).push(run);
    }
    this.#alone.putFirst(alone);
    this.#waiting.putFirst(plain);
    for (const run of pooled.toReversed()) this.lanes.add(run, this.#pools.of(run), true);
  }
}

function isAlone(run: OwnedRun): boolean {
  return run.interrupted > 0;
}
