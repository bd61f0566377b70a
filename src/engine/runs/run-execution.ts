/**
 * Executes the runs that this process owns: so many at the same time as it has slots, and with few commits.
 *
 * The end of a run is not committed by itself. What ended in the last moments is committed together, values first:
 * killed before that, those runs are executed again, and an outcome is on record once.
 */
import { describe } from '../../model/failure-words.ts';
import { FailureError } from '../../model/failure.ts';
import type { IoManager } from '../../definitions/io-manager.ts';
import type { Pipeline } from '../../definitions/pipeline.ts';
import { type Clock, isoTime, steadyTime } from '../../model/time.ts';
import type { FinishedRun, StateChange } from '../../state/changes.ts';
import type { PartitionStatus, ProgramNote, StateView } from '../../state/slice.ts';
import type { Executor, StateStore } from '../../state/store.ts';
import type { OwnedRun } from '../plan/claim-runs.ts';
import type { Emit } from '../event.ts';
import { executeRun, type ExecutionContext, type RunEnding } from './execute-run.ts';
import { FreshStatuses } from './fresh-statuses.ts';
import { heldByBlocked, isRoomBlocked } from '../plan/blocked.ts';
import { isListed, ownedBy, workElsewhere } from '../plan/ownership.ts';
import { endedAs, endOf, endOfAll } from '../plan/run-records.ts';
import { RunQueue } from './run-queue.ts';
import { slotsFor } from '../plan/slots.ts';
import { type Processes, Programs } from '../user-code/programs.ts';

export interface RunExecutionOptions {
  readonly store: StateStore;
  readonly executor: Executor;
  readonly pipeline: Pipeline;
  /** Its `flush`, where it has one, makes all saved values durable at once. */
  readonly ioManager: IoManager & { flush?(): Promise<void> };
  readonly clock: Clock;
  readonly emit: Emit;
  readonly concurrency: number;
  /** After a failure nothing new is started, and what was not started is canceled. */
  readonly failFast: boolean;
  /** What becomes of runs that are interrupted: back to the queue, or canceled. */
  readonly onInterrupt: 'release' | 'cancel';
  readonly interrupt: AbortSignal;
  /** What the system can do with programs that user code starts. */
  readonly processes: () => Promise<Processes>;
}

/** Commits are at least so far apart, and far enough for a tenth of the time at most to go into them. */
const COMMIT_EVERY_MS = 100;
const TIME_BETWEEN_COMMITS = 10;
const LONGEST_BETWEEN_COMMITS_MS = 5000;

/** How often the state is looked at for what others did: cancellations, room for more, keys let go of. */
const LOOK_EVERY_MS = 500;

/** Without a pause for the event loop no timer fires and no file is synced, however many runs end. */
const YIELD_EVERY_MS = 10;

interface InFlight {
  readonly run: OwnedRun;
  readonly startedAt: string | null;
  readonly abort: AbortController;
  canceled: boolean;
  /** It is not this process's any more: whoever takes it up will say what became of it. */
  lost: boolean;
}

export class RunExecution {
  readonly #options: RunExecutionOptions;
  readonly #context: ExecutionContext;
  readonly #queue: RunQueue;
  readonly #inFlight = new Map<string, InFlight>();
  /** Started runs that the state does not show as started yet. */
  readonly #unmarked = new Map<string, string>();
  readonly #fresh = new FreshStatuses();
  #ended: FinishedRun[] = [];
  #view: StateView;
  /** Runs that ended and whose end is not on record yet. */
  #unrecorded = 0;
  #lost = false;
  #slots = 0;
  /** How many programs this executor has started. */
  #programs = 0;
  #committing: Promise<void> | null = null;
  #commitDue = 0;
  #lookDue = 0;
  #failFast = false;
  /** Runs that could not be executed for want of one of dynpart's own files. */
  #aside: OwnedRun[] = [];
  #damaged: { readonly error: unknown } | null = null;
  #fatal: { readonly error: unknown } | null = null;
  #wake: () => void = () => undefined;

  constructor(options: RunExecutionOptions, view: StateView) {
    const { pipeline, store, executor } = options;
    this.#options = options;
    this.#view = view;
    this.#context = {
      ...options,
      statusOf: this.#statusOf,
      appendLog: (id, lines) => store.appendLog(id, lines),
      closeLog: (id) => store.closeLog(id),
      begun: (id, mayBlockMs) => executor.begun(id, mayBlockMs),
      programsOf: (id) => {
        const note = (program: ProgramNote): void => executor.started(program);
        const count = (): number => ++this.#programs;
        return new Programs({
          processes: options.processes,
          run: { id, executor: executor.id, count, note },
        });
      },
    };
    const limits = [...pipeline.assets.values()].flatMap(({ name, concurrency }) =>
      concurrency === null ? [] : [[name, concurrency] as const],
    );
    const upstreamOf = (asset: string): readonly string[] => pipeline.assets.get(asset)?.upstream ?? [];
    this.#queue = new RunQueue({ limits: new Map(limits), upstreamOf });
  }

  /** Runs that this process owns and that have not ended. */
  get left(): number {
    return this.#queue.size + this.#inFlight.size;
  }

  /** Those of them that are still this process's. */
  get #wanted(): number {
    if (!this.#lost) return this.left;
    return this.left - [...this.#inFlight.values()].filter(({ lost }) => lost).length;
  }

  /**
   * How many of them there could be room for. A process that waits for what others own leaves its room to them: they may
   * be waiting for just that.
   */
  get #usable(): number {
    return this.#inFlight.size > 0 || this.#queue.isFree() ? this.#wanted : 0;
  }

  /** Takes on runs that a commit made this executor's; also while others are being executed. */
  adopt(runs: readonly OwnedRun[], view: StateView, slots: number): void {
    const now = steadyTime(this.#options.clock);
    if (this.left === 0) {
      this.#commitDue = now + COMMIT_EVERY_MS;
      this.#lookDue = now + LOOK_EVERY_MS;
    }
    // Released, and taken up again by this very process before it noticed: then they are here already.
    const here = new Set([...this.#queue.ids(), ...this.#ended.map(({ record }) => record.id)]);
    for (const [id, { lost }] of this.#inFlight) if (!lost) here.add(id);
    this.#queue.add(here.size === 0 ? runs : runs.filter(({ id }) => !here.has(id)));
    this.#slots = slots;
    this.#takeIn(view);
    this.#wake();
  }

  /** Executes until every run has ended and is on record, or until it is stopped. */
  async finish(): Promise<void> {
    const { clock, interrupt } = this.#options;
    const onInterrupt = (): void => this.#abortAll();
    interrupt.addEventListener('abort', onInterrupt);
    let yielded = steadyTime(clock);
    try {
      while (!this.#isDone()) {
        this.#start();
        this.#commitIfDue();
        if (steadyTime(clock) - yielded >= YIELD_EVERY_MS) {
          await new Promise((resolve) => setImmediate(resolve));
          yielded = steadyTime(clock);
        }
        if (!this.#canStart() && !this.#isDone()) await this.#somethingHappens();
        // Between a wait and a start: a process that was paused for long may have been taken for dead.
        if (!this.#isStopped()) await this.#lookIfDue().catch((error: unknown) => this.#stopFor(error));
      }
      await this.#leave();
    } finally {
      interrupt.removeEventListener('abort', onInterrupt);
    }
    const failure = this.#fatal ?? this.#damaged;
    this.#damaged = null;
    if (failure !== null) throw failure.error;
  }

  #isStopped(): boolean {
    return this.#options.interrupt.aborted || this.#failFast || this.#fatal !== null;
  }

  #isDone(): boolean {
    if (this.#isStopped()) return this.#inFlight.size === 0;
    return this.left === 0 && this.#ended.length === 0 && this.#committing === null;
  }

  #canStart(): boolean {
    return !this.#isStopped() && this.#inFlight.size < this.#slots && this.#queue.hasNext(this.#unsettled);
  }

  /** Runs that would be executed again if this process died now: none may be when one begins that took its process down before. */
  get #unsettled(): number {
    return this.#inFlight.size + this.#unrecorded;
  }

  #start(): void {
    while (this.#canStart()) {
      const run = this.#queue.next(this.#unsettled);
      if (run !== undefined) void this.#execute(run);
    }
  }

  async #execute(run: OwnedRun): Promise<void> {
    const { clock, emit, executor } = this.#options;
    const flight: InFlight = {
      run,
      startedAt: isoTime(clock.now()),
      abort: new AbortController(),
      canceled: false,
      lost: false,
    };
    this.#inFlight.set(run.id, flight);
    this.#unmarked.set(run.id, flight.startedAt!);
    try {
      emit({ type: 'run-started', id: run.id, partitionKey: run.partitionKey, assets: run.assets });
      const ending = await executeRun(run, this.#context, flight.abort.signal);
      executor.ended(run.id);
      this.#inFlight.delete(run.id);
      this.#takeEnding(flight, ending);
    } catch (error) {
      this.#setAside(run, error);
    } finally {
      this.#inFlight.delete(run.id);
      this.#queue.letGo(run);
      this.#wake();
    }
  }

  #takeEnding(flight: InFlight, ending: RunEnding): void {
    if (flight.lost) return;
    if (flight.canceled) return this.#cancelled(flight, 'it was canceled');
    // Not an end: the run stays this process's until it leaves, which gives it back or cancels it.
    if (ending.type === 'interrupted') return this.#queue.add([flight.run]);
    const { status, assets, error } = ending;
    const attempts = Math.max(0, ...assets.map((asset) => asset.attempts));
    this.#push(flight, { status, assets, error, attempts }, true);
    if (status === 'FAILURE' && this.#options.failFast) this.#failFast = true;
  }

  #cancelled(flight: Pick<InFlight, 'run' | 'startedAt'>, why: string): void {
    this.#push(flight, endOfAll(flight.run.assets, 'CANCELED', { reason: 'canceled', why }), false);
  }

  #push(
    { run, startedAt }: Pick<InFlight, 'run' | 'startedAt'>,
    end: ReturnType<typeof endOfAll>,
    counts: boolean,
  ): void {
    const { id, partitionKey, runKey, interrupted } = run;
    const pending = {
      id,
      partitionKey,
      runKey,
      interrupted,
      status: 'STARTED' as const,
      canceling: false,
      startedAt,
    };
    const record = endOf(run.runs, pending, end, this.#options.clock.now());
    this.#ended.push({ record, set: run.runs.set, counts });
    this.#unrecorded++;
    if (counts) this.#fresh.note(record);
    this.#options.emit({ type: 'run-finished', run: record, left: this.left });
  }

  readonly #statusOf = (asset: string, partitionKey: string | null): PartitionStatus => {
    const fresh = this.#fresh.get(asset, partitionKey);
    if (fresh !== undefined) return fresh;
    const set = this.#options.pipeline.assets.get(asset)?.set ?? null;
    return this.#view.statusOf(asset, set, [partitionKey])[0]!;
  };

  /** Not the run's doing: it goes back to the queue. One damaged value keeps nobody else; a disk in trouble stops all. */
  #setAside(run: OwnedRun, error: unknown): void {
    if (this.#inFlight.get(run.id)?.lost) return;
    this.#aside.push(run);
    if (error instanceof FailureError && error.failure.reason === 'value-damaged')
      this.#damaged ??= { error };
    else this.#stopFor(error);
  }

  /** Nothing can go on as one of dynpart's own files failed, or dynpart itself. */
  #stopFor(error: unknown): void {
    this.#fatal ??= { error };
    this.#abortAll();
  }

  #abortAll(): void {
    for (const { abort } of this.#inFlight.values()) abort.abort();
    this.#wake();
  }

  /** Waits for the end of a run or a commit, for a new run, an interrupt, or the next look at the state. */
  async #somethingHappens(): Promise<void> {
    if (this.left === 0 && this.#committing === null) return;
    const { clock } = this.#options;
    const commitDue = this.#ended.length > 0 && this.#committing === null ? this.#commitDue : Infinity;
    // Nobody looks any more once it is stopped: then only an end is waited for.
    const due = Math.min(this.#isStopped() ? Infinity : this.#lookDue, commitDue);
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    await clock.sleep(Math.max(0, due - steadyTime(clock)), waking.signal);
    this.#wake = () => undefined;
  }

  #commitIfDue(): void {
    if (this.#committing !== null || this.#ended.length === 0) return;
    const waits = this.left > 0 && (this.#inFlight.size > 0 || this.#canStart());
    if (waits && steadyTime(this.#options.clock) < this.#commitDue) return;
    this.#committing = this.#commit()
      .catch((error: unknown) => this.#stopFor(error))
      .finally(() => {
        this.#committing = null;
        this.#wake();
      });
  }

  /** Values first, then the outcomes of all runs that have ended until now. */
  async #commit(): Promise<void> {
    const { clock, store, ioManager, executor, concurrency } = this.#options;
    const began = steadyTime(clock);
    const ended = this.#ended;
    this.#ended = [];
    await ioManager.flush?.();
    const wanted = this.#wanted;
    const started = new Map(this.#unmarked);
    for (const { record } of ended) started.delete(record.id);
    const after = await store.commit((view) => {
      const finished = this.#stillMine(view, ended);
      const slots = slotsFor(view, executor.id, wanted, concurrency);
      const changes: StateChange[] = [];
      if (finished.length > 0) changes.push({ type: 'runs-finished', runs: finished });
      changes.push(...this.#startedIn(view, started));
      // Runs may have become ours by a commit whose adoption is still on its way: then this executor stays.
      if (ownedBy(view, executor.id) > finished.length) changes.push(this.#entry(slots, wanted));
      else if (isListed(view, executor.id)) changes.push({ type: 'executor-left', id: executor.id });
      return { changes, outcome: { slots, finished: finished.length } };
    });
    this.#unrecorded -= ended.length;
    this.#slots = after.slots;
    if (after.finished < ended.length) this.#sayLost(ended.length - after.finished);
    for (const id of started.keys()) this.#unmarked.delete(id);
    this.#takeIn(await store.read());
    for (const { record } of ended) {
      this.#unmarked.delete(record.id);
      this.#fresh.forget(record);
    }
    const took = steadyTime(clock) - began;
    this.#commitDue =
      steadyTime(clock) +
      Math.min(LONGEST_BETWEEN_COMMITS_MS, Math.max(COMMIT_EVERY_MS, took * TIME_BETWEEN_COMMITS));
  }

  /** What has begun here, less what was taken away meanwhile (released, or replaced by a restore): nobody's run is not started. */
  #startedIn(view: StateView, started: ReadonlyMap<string, string>): StateChange[] {
    const runs = new Map([...started].filter(([id]) => this.#isMine(view, id)));
    return runs.size === 0 ? [] : [{ type: 'runs-started', runs }];
  }

  #isMine(view: StateView, id: string): boolean {
    return view.run(id)?.runs.owner === this.#options.executor.id;
  }

  /** No outcome counts for a run that was canceled meanwhile; and a run that is not here any more has had its end. */
  #stillMine(view: StateView, ended: readonly FinishedRun[]): FinishedRun[] {
    return ended.flatMap((finished) => {
      const pending = view.run(finished.record.id);
      if (pending === undefined || pending.runs.owner !== this.#options.executor.id) return [];
      if (!pending.run.canceling || !finished.counts) return [finished];
      const error = describe({ reason: 'canceled', why: 'it was canceled' });
      return [
        { ...finished, counts: false, record: { ...finished.record, status: 'CANCELED' as const, error } },
      ];
    });
  }

  /** Sees what others did, and says what this process has started and how much room it takes. */
  async #lookIfDue(): Promise<void> {
    const { clock, store, executor, concurrency, emit } = this.#options;
    const now = steadyTime(clock);
    if (now < this.#lookDue) return;
    this.#lookDue = now + LOOK_EVERY_MS;
    const view = await store.read();
    // The death of those it waits for changes no serial.
    if (view.serial !== this.#view.serial || this.#usable === 0) this.#takeIn(view);
    this.#giveUpHeld(view);
    const wanted = this.#wanted;
    if (wanted === 0) return;
    const usable = this.#usable;
    const started = new Map([...this.#unmarked].filter(([id]) => this.#inFlight.has(id)));
    const current = view.executors().find(({ id }) => id === executor.id);
    const room = slotsFor(view, executor.id, usable, concurrency);
    if (started.size > 0 || current?.slots !== Math.max(room, this.#inFlight.size)) {
      // Less room is left before it is said, more room is said before it is used.
      this.#slots = Math.min(this.#slots, room);
      this.#slots = await store.commit((now) => {
        const slots = slotsFor(now, executor.id, usable, concurrency);
        return { changes: [this.#entry(slots, wanted), ...this.#startedIn(now, started)], outcome: slots };
      });
      for (const id of started.keys()) this.#unmarked.delete(id);
      this.#takeIn(await store.read());
    }
    if (this.#inFlight.size > 0) return;
    if (usable === 0) emit({ type: 'waiting', why: 'another process executes the same asset and key' });
    else if (this.#slots === 0)
      emit({ type: 'waiting', why: 'other processes execute as many runs as the concurrency allows' });
  }

  /** What waits for a blocked process would wait until somebody ends that one. */
  #giveUpHeld(view: StateView): void {
    const { executor, concurrency, onInterrupt } = this.#options;
    const isHeld = heldByBlocked(view);
    if (isHeld === null) return;
    const hasNoRoom = this.#inFlight.size === 0 && isRoomBlocked(view, executor.id, concurrency);
    const held = this.#queue.takeWhere((run) => hasNoRoom || isHeld(run.assets, run.partitionKey));
    for (const run of held) {
      if (onInterrupt === 'release' || run.runs.sensor !== null) this.#aside.push(run);
      else this.#cancelled({ run, startedAt: null }, 'it waited for a process that is blocked');
    }
  }

  /** This process in the state. What it has started takes its room until it has ended, also when its share is less by now. */
  #entry(slots: number, wanted: number): StateChange {
    const taken = Math.max(slots, this.#inFlight.size);
    return {
      type: 'executor',
      id: this.#options.executor.id,
      slots: taken,
      wants: Math.max(0, wanted - taken),
    };
  }

  #takeIn(view: StateView): void {
    // Read before runs were taken on that this process has by now.
    if (view.serial < this.#view.serial) return;
    this.#view = view;
    const { executor } = this.#options;
    this.#letGoOfLost(view);
    for (const runs of view.runs()) {
      if (runs.owner === executor.id) for (const { id } of runs.canceling()) this.#cancel(id);
    }
    this.#queue.yieldTo(workElsewhere(view, executor.id), (run) => view.run(run.id)?.runs.ownedSince ?? 0);
  }

  /** Others took this process for dead, or an operator said that it is: what is not its own any more ends here, unrecorded. */
  #letGoOfLost(view: StateView): void {
    // Counting costs nothing, looking at each of a hundred thousand runs does.
    const expected = this.#wanted + this.#unrecorded + this.#aside.length;
    if (ownedBy(view, this.#options.executor.id) >= expected) return;
    let count = this.#queue.takeWhere(({ id }) => !this.#isMine(view, id)).length;
    for (const flight of this.#inFlight.values()) {
      if (flight.lost || this.#isMine(view, flight.run.id)) continue;
      flight.lost = true;
      this.#unmarked.delete(flight.run.id);
      flight.abort.abort();
      count++;
    }
    if (count > 0) this.#sayLost(count);
  }

  #sayLost(count: number): void {
    this.#lost = true;
    this.#options.emit({ type: 'runs-lost', count });
  }

  #cancel(id: string): void {
    const flight = this.#inFlight.get(id);
    if (flight === undefined) {
      const run = this.#queue.take(id);
      if (run !== undefined) this.#cancelled({ run, startedAt: null }, 'it was canceled');
    } else if (!flight.canceled) {
      flight.canceled = true;
      flight.abort.abort();
    }
  }

  /** The last commit: outcomes, and what becomes of the runs that were not executed. */
  async #leave(): Promise<void> {
    if (!this.#isStopped() && this.#aside.length === 0 && !this.#lost) return;
    this.#lost = false;
    const { store, executor, onInterrupt, interrupt, ioManager, emit, clock } = this.#options;
    await this.#committing;
    const aside = this.#aside;
    this.#aside = [];
    const rest = this.#isStopped() ? this.#queue.takeAll() : [];
    // What a sensor requested is not lost with the command that happened to execute it: the cursor is past it.
    const cancels = this.#fatal === null && (onInterrupt === 'cancel' || !interrupt.aborted);
    const isCanceled = ({ runs }: OwnedRun): boolean => cancels && runs.sensor === null;
    const why = interrupt.aborted ? 'the command was interrupted' : 'a run before it failed (--fail-fast)';
    for (const run of rest) if (isCanceled(run)) this.#cancelled({ run, startedAt: null }, why);
    const released = [...aside, ...rest.filter((run) => !isCanceled(run))].map(({ id }) => id);
    const ended = this.#ended;
    this.#ended = [];
    try {
      await ioManager.flush?.();
      const { given, lost } = await store.commit((view) => {
        const recorded = this.#stillMine(view, ended);
        const mine = released.filter((id) => this.#isMine(view, id)).map((id) => view.run(id)!);
        // Canceled at the last moment: nobody is left who could abort them, so they end here and not in the queue.
        const failure = { reason: 'canceled', why: 'it was canceled' } as const;
        const end = { status: 'CANCELED', failure, now: clock.now(), counts: false } as const;
        const canceled = mine
          .filter(({ run }) => run.canceling)
          .map(({ runs, run }) => endedAs(runs, run, end));
        const finished = [...recorded, ...canceled];
        const back = mine.filter(({ run }) => !run.canceling).map(({ run }) => run.id);
        const changes: StateChange[] = [];
        if (finished.length > 0) changes.push({ type: 'runs-finished', runs: finished });
        if (back.length > 0) changes.push({ type: 'runs-released', ids: back });
        const owned = ownedBy(view, executor.id);
        if (isListed(view, executor.id) && owned === finished.length + back.length)
          changes.push({ type: 'executor-left', id: executor.id });
        return { changes, outcome: { given: back.length, lost: ended.length - recorded.length } };
      });
      this.#unrecorded -= ended.length;
      if (given > 0) emit({ type: 'runs-released', count: given });
      if (lost > 0) emit({ type: 'runs-lost', count: lost });
    } catch (error) {
      // The first failure is the one to report. What could not be given back is taken up as a dead process's.
      this.#fatal ??= { error };
    }
  }
}
