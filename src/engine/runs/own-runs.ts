/** The runs of this process: which wait, which are under way, what became of them, and what a newer view of the state says of them. */
import { CANCELED_BY_HAND } from '../../model/failures/run.ts';
import { NOTHING_CARRIED } from '../../model/carried.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import { isOwnedBy } from '../plan/ends/record-ends.ts';
import { endOf, endOfAll } from '../plan/ends/run-records.ts';
import { shareTaken } from '../plan/executors/slots.ts';
import { looksUp, needsOfExecution } from '../plan/executors/needs-of-execution.ts';
import { workElsewhere } from '../plan/executors/ownership.ts';
import type { RunLoopOptions } from './run-loop-options.ts';
import { sayLeft } from './left-of.ts';
import { type LookAhead, NewestView } from './newest-view.ts';
import { PoolRoom } from './pool-room.ts';
import { queueFor } from './queue-for.ts';
import type { RunQueue } from './run-queue.ts';
import { type InFlight, RunsUnderWay } from './runs-under-way.ts';
import { Unrecorded } from './unrecorded.ts';

export class OwnRuns {
  readonly #options: RunLoopOptions;
  readonly queue: RunQueue;
  readonly pools: PoolRoom;
  readonly underWay = new RunsUnderWay();
  readonly unrecorded = new Unrecorded();
  /** Runs that are not to be executed here, for a damaged value or a blocked process: they go back to the queue. */
  readonly unexecuted: OwnedRun[] = [];
  readonly needs: Needs;
  /** How many may be under way at once. */
  slots = 0;
  readonly newest: NewestView;
  /** Others have taken over some since the last giving back. */
  hasLost = false;

  constructor(options: RunLoopOptions) {
    this.#options = options;
    this.newest = new NewestView(options);
    this.pools = new PoolRoom(options);
    this.queue = queueFor(options.pipeline, this.pools);
    this.needs = needsOfExecution(options, () => this.#all());
  }

  /** Runs that have not ended. */
  get left(): number {
    return this.queue.size + this.underWay.size;
  }

  /** Runs left that this process still owns. */
  get wanted(): number {
    return this.hasLost ? this.left - this.underWay.lost : this.left;
  }

  /** What this process takes and wants, and what stands in the state as its own beside that. */
  get room(): { readonly wanted: number; readonly setAside: number; readonly inFlight: number } {
    const setAside = this.unexecuted.length + this.unrecorded.waiting;
    return { wanted: this.wanted, setAside, inFlight: this.underWay.used };
  }

  /** How many slots can be used. While all runs here wait for another process none is claimed: that process may wait for the slots. */
  get usable(): number {
    return !this.underWay.isIdle || this.queue.isFree() ? this.wanted : 0;
  }

  /** How many wait for a pool that is full. */
  get waitingForPools(): number {
    return this.pools.isUsed ? this.queue.lanes.count(this.pools.isFull) : 0;
  }

  /** The newest that was seen of the state, once anything is owned. */
  get view(): StateView {
    return this.newest.seen!;
  }

  get hasNext(): boolean {
    return this.free > 0 && this.queue.hasNext(this.#unsettled);
  }

  /** How many runs may begin now. */
  get free(): number {
    return this.slots - this.underWay.used;
  }

  /** The next run that may begin. */
  next(): OwnedRun | undefined {
    return this.queue.next(this.#unsettled);
  }

  /** Runs that a crash now would repeat. A run that crashed its process before starts only when this is 0. */
  get #unsettled(): number {
    return this.underWay.size + this.unrecorded.count;
  }

  *#all(): Generator<OwnedRun> {
    yield* [...this.queue.runs(), ...this.unexecuted];
    for (const { run } of this.underWay) yield run;
  }

  /** For a store that looks at the state on its way, when runs have become this process's. */
  ahead(): LookAhead {
    return this.newest.ahead((runs) => this.#needsToAdopt(runs));
  }

  #needsToAdopt(runs: readonly OwnedRun[]): Needs {
    return needsOfExecution(this.#options, () => [...this.#all(), ...runs]);
  }

  /** Takes on runs that the state shows as this process's. @param before is called when they are to come @param ahead shows them */
  async adopt(runs: readonly OwnedRun[], before: () => void, ahead?: LookAhead): Promise<void> {
    const take = (view: StateView): boolean => {
      // The runs may be canceled by now.
      if (this.newest.isOlder(view)) return false;
      before();
      this.#takeOn(runs, view);
      return true;
    };
    if (ahead === undefined || !this.newest.takeAhead(ahead, take))
      await this.newest.read(this.#needsToAdopt(runs), take);
  }

  /** Looks at the state anew. @param always says whether also where nothing has changed in it */
  async look({ always }: { readonly always: boolean }): Promise<StateView> {
    let seen: StateView | null = null;
    await this.newest.read(this.needs, (view) => {
      seen = view;
      // The death of a process that something waits for changes no serial.
      if (always || view.serial !== this.newest.seen?.serial || this.queue.yields) this.see(view);
      return true;
    });
    return seen!;
  }

  /** What has ended here is on record: runs that rest on others are to see it. The others are shown it with the next look. */
  async lookUp(): Promise<void> {
    const { pipeline } = this.#options;
    if ([...this.#all()].some((run) => looksUp(pipeline, run))) await this.look({ always: true });
    else if (this.newest.seen !== null) this.unrecorded.seen(this.newest.seen.serial);
  }

  #takeOn(runs: readonly OwnedRun[], view: StateView): void {
    this.newest.noteAdoption();
    // Released, and taken up again by this very process before it noticed: then they are here already, those that wait at their old place.
    takeOut(this.queue, runs);
    const here = new Set(this.unrecorded.ended.map(({ record }) => record.id));
    for (const { run, lost } of this.underWay) if (!lost) here.add(run.id);
    for (const { id } of runs) if (here.has(id)) this.#options.ioManager.begins?.(id, view.serial);
    this.pools.name(runs, ({ runs: { set }, partitionKey: key }) =>
      set === null || key === null ? NOTHING_CARRIED : (view.carried(set, [key]).get(key) ?? NOTHING_CARRIED),
    );
    this.queue.add(here.size === 0 ? runs : runs.filter(({ id }) => !here.has(id)));
    sayLeft(this, this.#options.emit);
    this.slots = shareTaken(view, this.#options, this.wanted);
    this.see(view);
  }

  begin(run: OwnedRun, startedAt: string): InFlight {
    // It may have waited for long: what has become stale meanwhile is done no more.
    if (run.done.length > 0) run.done = this.view.run(run.id)?.run.done ?? run.done;
    this.unrecorded.noteStart(run.id, startedAt);
    return this.underWay.begin(run, startedAt);
  }

  /** When the runs that are under way began, as far as the state does not show it. */
  unrecordedStarts(): Map<string, string> {
    return this.unrecorded.startsOf((id) => this.underWay.has(id));
  }

  endCanceled(run: OwnedRun, startedAt: string | null, why: string): void {
    const begun = startedAt ?? this.underWay.interruptedSince(run.id);
    this.end(run, begun, endOfAll(run.assets, 'CANCELED', { reason: 'canceled', why }));
  }

  /** What is said of the end is what a commit records of it: see `RunRecorder`. */
  end(
    run: OwnedRun,
    startedAt: string | null,
    end: ReturnType<typeof endOfAll>,
    asked: ReadonlyMap<string, number> = new Map(),
  ): void {
    const { id, partitionKey, runKey, interrupted, done } = run;
    const place = { id, partitionKey, runKey, interrupted, startedAt, done };
    const begun = { ...place, status: 'STARTED', canceling: false, canceledWhy: null, touched: {} } as const;
    const record = endOf(run.runs, begun, end, this.#options.clock.now());
    this.unrecorded.noteEnd({ record, set: run.runs.set, ...(asked.size > 0 && { asked }) });
    this.#options.emit({ type: 'run-ended', run: record });
  }

  /** Where these runs are. */
  partitionsOf(
    ids: ReadonlyMap<string, unknown>,
  ): { readonly id: string; readonly set: string | null; readonly key: string | null }[] {
    if (ids.size === 0) return [];
    return [...this.#all()].flatMap(({ id, runs: { set }, partitionKey: key }) =>
      ids.has(id) ? [{ id, set, key }] : [],
    );
  }

  /** Takes over what a newer view shows: runs that are not ours any more, runs to be aborted, work of others. */
  see(view: StateView): void {
    // Read before runs were taken on that this process has by now.
    if (this.newest.isOlder(view)) return;
    this.newest.see(view);
    this.unrecorded.seen(view.serial);
    const { executor } = this.#options;
    this.pools.see(view);
    this.#dropLost(view);
    for (const runs of view.runs()) {
      if (runs.owner === executor.id) for (const { id } of runs.canceling()) this.#cancel(id);
    }
    this.queue.yieldTo(workElsewhere(view, executor.id), (run) => view.run(run.id)?.runs.ownedSince ?? 0);
  }

  /** Others took this process for dead, or an operator said that it is: what is not its own any more ends here, unrecorded. */
  #dropLost(view: StateView): void {
    const { id: executor } = this.#options.executor;
    // Counting costs nothing, looking at each of a hundred thousand runs does.
    const expected = this.wanted + this.unrecorded.count + this.unexecuted.length;
    if (view.ownedBy(executor) >= expected) return;
    const isOwn = (id: string): boolean => isOwnedBy(view, executor, id);
    const waiting = this.queue.takeWhere(({ id }) => !isOwn(id));
    const begun = this.underWay.lose(isOwn);
    const gone = [...begun, ...waiting.map(({ id }) => id)];
    for (const id of gone) this.unrecorded.forgetStart(id);
    // One that was interrupted here may have made something.
    this.#options.ioManager.settle?.(waiting.map(({ id: run }) => ({ run, assets: [], isOver: true })));
    if (gone.length > 0) this.sayLost(gone.length);
  }

  sayLost(count: number): void {
    this.hasLost = true;
    this.#options.emit({ type: 'runs-lost', count });
    sayLeft(this, this.#options.emit);
  }

  #cancel(id: string): void {
    const run = this.underWay.cancel(id) ? undefined : this.queue.take(id);
    if (run !== undefined) this.endCanceled(run, null, CANCELED_BY_HAND);
  }
}

function takeOut(queue: RunQueue, runs: readonly OwnedRun[]): void {
  const waiting = new Set(queue.runs().map(({ id }) => id));
  for (const { id } of runs) if (waiting.has(id)) queue.take(id);
}
