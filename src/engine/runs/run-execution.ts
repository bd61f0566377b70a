/**
 * Executes the runs that this process owns: so many at the same time as it has slots, and with few commits.
 *
 * The end of a run is not committed by itself. What ended in the last moments is committed together, values first:
 * killed before that, those runs are executed again, and an outcome is on record once.
 */
import { FailureError } from '../../model/failure.ts';
import type { IoManager } from '../../definitions/io-manager.ts';
import { upstreamsOf } from '../../definitions/mapping.ts';
import type { Pipeline } from '../../definitions/pipeline.ts';
import { isThere, type PartitionRef } from '../../model/partition-status.ts';
import type { AssetOutcome } from '../../model/run.ts';
import { type Clock, isoTime, steadyTime } from '../../model/time.ts';
import type { Needs } from '../../state/needs.ts';
import type { ProgramNote, StateView } from '../../state/slice.ts';
import type { Executor, StateStore } from '../../state/store.ts';
import { type OwnedRun, takenOnAnew } from '../plan/executors/claim-runs.ts';
import type { Emit } from '../event.ts';
import { executeHere, type ExecuteRun, type ExecutionContext, type RunEnding } from './execute-run.ts';
import { heldByBlocked, isRoomBlocked } from '../plan/executors/blocked.ts';
import { needsOfExecution, ownedBy, workElsewhere } from '../plan/executors/ownership.ts';
import {
  type EndsToRecord,
  executorEntry,
  isOwnedBy,
  needsOfEnds,
  planEnds,
  type RecordedEnds,
  startedBy,
} from '../plan/ends/record-ends.ts';
import { endOf, endOfAll } from '../plan/ends/run-records.ts';
import { RunQueue } from './run-queue.ts';
import { needsOfRoom, slotsFor } from '../plan/executors/slots.ts';
import { hasWorkOf, takesRoom } from '../plan/executors/waits-for.ts';
import { Unrecorded } from './unrecorded.ts';
import { type Processes, Programs } from '../user-code/programs.ts';

/** What is on record of a run: assets whose values count. One that is over has made no others. */
export interface SettledRun {
  readonly run: string;
  readonly assets: readonly string[];
  readonly isOver: boolean;
}

/** An I/O manager that may make saved values durable at once, and visible when they are on record. */
export type RunValues = IoManager & {
  recover?(): Promise<void>;
  flush?(): Promise<void>;
  settle?(runs: readonly SettledRun[]): void;
};

export interface RunExecutionOptions {
  readonly store: StateStore;
  readonly executor: Executor;
  readonly pipeline: Pipeline;
  readonly ioManager: RunValues;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly concurrency: number;
  /** After a failure nothing new is started, and what was not started is canceled. */
  readonly failFast: boolean;
  /** What becomes of runs that are interrupted: back to the queue, or canceled. */
  readonly onInterrupt: 'release' | 'cancel';
  readonly interrupt: AbortSignal;
  /** Where user code is executed. Default: here. */
  readonly execute?: (context: ExecutionContext) => ExecuteRun;
  /** What the system can do with programs that user code starts. */
  readonly processes: () => Promise<Processes>;
}

/** Commits are at least so far apart, and far enough for a tenth of the time at most to go into them. */
const COMMIT_EVERY_MS = 100;
const TIME_BETWEEN_COMMITS = 10;
const LONGEST_BETWEEN_COMMITS_MS = 5000;

/** What a run has made on its way waits so long for the end of some run, to be committed together with it. */
const PROGRESS_AFTER_MS = 1000;

/** How often the state is looked at for what others did: cancellations, room for more, keys let go of. */
const LOOK_EVERY_MS = 500;

/** Without a pause for the event loop no timer fires and no file is synced, however many runs end. */
const YIELD_EVERY_MS = 10;

interface InFlight {
  readonly run: OwnedRun;
  readonly startedAt: string | null;
  readonly abort: AbortController;
  /** Others canceled it: no outcome of it counts. */
  canceled: boolean;
  /** It is not this process's any more: whoever takes it up will say what became of it. */
  lost: boolean;
}

/**
 * ```
 *            left === 0 and all on record
 *  RUNNING ──────────────────────────────► DONE
 *     │ interrupt · a failure with --fail-fast · a file of dynpart's own fails
 *     ▼                                    all that runs has ended, the rest is given back
 *  STOPPING: nothing starts, what runs is aborted ────────────────────────────────────► DONE
 * ```
 */
type Stopping = 'interrupted' | 'fail-fast' | { readonly error: unknown };

export class RunExecution {
  readonly #options: RunExecutionOptions;
  readonly #executeRun: ExecuteRun;
  readonly #queue: RunQueue;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #unrecorded = new Unrecorded();
  /** Why nothing new is started; `null` while it goes on. */
  #stopping: Stopping | null = null;
  /** Runs that a damaged value keeps from being executed: they go back to the queue, and nobody else waits for them. */
  readonly #unexecuted: OwnedRun[] = [];
  #damaged: { readonly error: unknown } | null = null;
  /** `null` before it owned anything. */
  #view: StateView | null = null;
  readonly #needs: Needs;
  #hasLost = false;
  #slots = 0;
  /** How many programs this executor has started. */
  #programs = 0;
  #committing: Promise<void> | null = null;
  #commitDue = 0;
  #progressDue = 0;
  #lookDue = 0;
  #wake: () => void = () => undefined;

  constructor(options: RunExecutionOptions) {
    const { pipeline, store, executor } = options;
    this.#options = options;
    const context: ExecutionContext = {
      ...options,
      isMade: this.#isMade,
      made: (id, outcome) => this.#noteMade(id, outcome),
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
    this.#executeRun = (options.execute ?? executeHere)(context);
    const limits = [...pipeline.assets.values()].flatMap(({ name, concurrency }) =>
      concurrency === null ? [] : [[name, concurrency] as const],
    );
    this.#queue = new RunQueue({
      limits: new Map(limits),
      upstreamsOf: (asset, key) => upstreamsOf(pipeline, asset, key),
    });
    this.#needs = needsOfExecution(pipeline, () => this.#runs());
  }

  /** Runs that this process took on and that have not ended. */
  get left(): number {
    return this.#queue.size + this.#inFlight.size;
  }

  /** Whether anything is left to execute or to record: a run may have ended before its execution began. */
  get hasWork(): boolean {
    return this.left > 0 || this.#unrecorded.hasEnds;
  }

  /** Runs left that this process still owns. */
  get #wanted(): number {
    if (!this.#hasLost) return this.left;
    return this.left - [...this.#inFlight.values()].filter(({ lost }) => lost).length;
  }

  /** How many slots we can use. While all our runs wait for another process we claim none: it may wait for our slots. */
  get #usable(): number {
    return this.#inFlight.size > 0 || this.#queue.isFree() ? this.#wanted : 0;
  }

  *#runs(): Generator<OwnedRun> {
    yield* this.#queue.runs();
    for (const { run } of this.#inFlight.values()) yield run;
  }

  /** Takes on runs that a commit made this executor's; also while others are being executed. */
  async adopt(runs: readonly OwnedRun[]): Promise<void> {
    const { clock, store, executor } = this.#options;
    const view = await store.read(this.#needs);
    const now = steadyTime(clock);
    if (this.left === 0) {
      this.#commitDue = now + COMMIT_EVERY_MS;
      this.#lookDue = now + LOOK_EVERY_MS;
    }
    // Released, and taken up again by this very process before it noticed: then they are here already.
    const here = new Set([...this.#queue.runs().map(({ id }) => id), ...this.#unrecorded.ids]);
    for (const [id, { lost }] of this.#inFlight) if (!lost) here.add(id);
    this.#queue.add(here.size === 0 ? runs : runs.filter(({ id }) => !here.has(id)));
    this.#slots = view.executors().find(({ id }) => id === executor.id)?.slots ?? 0;
    // What was read may be older than what is known: the runs may be canceled by now.
    this.#see(this.#view !== null && view.serial < this.#view.serial ? this.#view : view);
    this.#wake();
  }

  /** Executes until every run has ended and is on record, or until it is stopped. */
  async finish(): Promise<void> {
    const { clock, interrupt } = this.#options;
    const onInterrupt = (): void => this.#interrupted();
    interrupt.addEventListener('abort', onInterrupt);
    if (interrupt.aborted) onInterrupt();
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
        if (this.#stopping === null) await this.#lookIfDue().catch((error: unknown) => this.#stop({ error }));
      }
      await this.#giveBack();
    } finally {
      interrupt.removeEventListener('abort', onInterrupt);
    }
    const failure = this.#failure ?? this.#damaged;
    this.#damaged = null;
    if (failure !== null) throw failure.error;
  }

  /** The failure of one of dynpart's own files, or of dynpart itself, that nothing can go on after. */
  get #failure(): { readonly error: unknown } | null {
    return typeof this.#stopping === 'object' ? this.#stopping : null;
  }

  #interrupted(): void {
    const { emit, onInterrupt } = this.#options;
    this.#stop('interrupted');
    const waitsFor = [...this.#inFlight.values()].map(({ run: { id, partitionKey } }) => ({
      id,
      partitionKey,
    }));
    const unfinished = onInterrupt === 'cancel' ? 'canceled' : 'released';
    if (waitsFor.length > 0) emit({ type: 'stopping', waitsFor, unfinished });
  }

  /** The first reason stands; a failure takes the place of the others, since it is what has to be said. */
  #stop(why: Stopping): void {
    if (this.#stopping === null || (typeof why === 'object' && this.#failure === null)) this.#stopping = why;
    // After the first failure of a run, the runs beside it may end.
    if (why !== 'fail-fast') for (const { abort } of this.#inFlight.values()) abort.abort();
    this.#wake();
  }

  #isDone(): boolean {
    if (this.#stopping !== null) return this.#inFlight.size === 0;
    return !this.hasWork && this.#committing === null;
  }

  #canStart(): boolean {
    return (
      this.#stopping === null && this.#inFlight.size < this.#slots && this.#queue.hasNext(this.#unsettled)
    );
  }

  /** Runs that a crash now would repeat. A run that crashed its process before starts only when this is 0. */
  get #unsettled(): number {
    return this.#inFlight.size + this.#unrecorded.count;
  }

  #start(): void {
    while (this.#canStart()) {
      const run = this.#queue.next(this.#unsettled);
      if (run !== undefined) void this.#execute(run);
    }
  }

  async #execute(run: OwnedRun): Promise<void> {
    const { clock, emit, executor } = this.#options;
    const startedAt = isoTime(clock.now());
    const flight: InFlight = { run, startedAt, abort: new AbortController(), canceled: false, lost: false };
    this.#inFlight.set(run.id, flight);
    this.#unrecorded.noteStart(run.id, startedAt);
    try {
      const { id, partitionKey, assets } = run;
      const left = this.left + this.#unrecorded.count;
      emit({ type: 'run-started', id, partitionKey, assets, left });
      const ending = await this.#executeRun(run, flight.abort.signal);
      executor.ended(run.id);
      this.#inFlight.delete(run.id);
      this.#takeEnding(flight, ending);
    } catch (error) {
      this.#notExecuted(flight, error);
    } finally {
      this.#inFlight.delete(run.id);
      this.#queue.letGo(run);
      this.#wake();
    }
  }

  /** A run of several assets may take hours: what it has made is on record soon, and a process that dies loses only the rest. */
  #noteMade(id: string, outcome: AssetOutcome): void {
    if (this.#inFlight.get(id)?.lost !== false) return;
    if (!this.#unrecorded.hasMade) this.#progressDue = steadyTime(this.#options.clock) + PROGRESS_AFTER_MS;
    this.#unrecorded.noteMade(id, outcome);
    this.#wake();
  }

  #takeEnding(flight: InFlight, ending: RunEnding): void {
    if (flight.lost) return;
    if (flight.canceled) return this.#endCanceled(flight, 'it was canceled');
    // Not an end: the run stays this process's until it leaves, which gives it back or cancels it.
    if (ending.type === 'interrupted') return this.#queue.add([flight.run]);
    const { status, assets, error } = ending;
    const attempts = Math.max(0, ...assets.map((asset) => asset.attempts));
    this.#end(flight, { status, assets, error, attempts });
    if (status === 'FAILURE' && this.#options.failFast) this.#stop('fail-fast');
  }

  #endCanceled(flight: Pick<InFlight, 'run' | 'startedAt'>, why: string): void {
    this.#end(flight, endOfAll(flight.run.assets, 'CANCELED', { reason: 'canceled', why }));
  }

  /** What is said of the end is what the commit records of it: see `#commit`. */
  #end({ run, startedAt }: Pick<InFlight, 'run' | 'startedAt'>, end: ReturnType<typeof endOfAll>): void {
    const { id, partitionKey, runKey, interrupted, done } = run;
    const status = 'STARTED' as const;
    const pending = { id, partitionKey, runKey, interrupted, status, canceling: false, startedAt, done };
    const record = endOf(run.runs, pending, end, this.#options.clock.now());
    this.#unrecorded.noteEnd({ record, set: run.runs.set });
    this.#options.emit({ type: 'run-ended', run: record });
  }

  readonly #isMade = ({ asset, set, key }: PartitionRef): boolean =>
    this.#unrecorded.isFresh(asset, key) || isThere(this.#view!.statusOf(asset, set, [key])[0]!);

  /** Not the run's doing: it goes back to the queue. One damaged value keeps nobody else; a disk in trouble stops all. */
  #notExecuted({ run, lost }: InFlight, error: unknown): void {
    if (lost) return;
    this.#unexecuted.push(run);
    if (error instanceof FailureError && error.failure.reason === 'value-damaged')
      this.#damaged ??= { error };
    else this.#stop({ error });
  }

  /** Waits for the end of a run or a commit, for a new run, an interrupt, or the next look at the state. */
  async #somethingHappens(): Promise<void> {
    if (this.left === 0 && this.#committing === null) return;
    const { clock } = this.#options;
    const commitDue = this.#committing === null ? this.#nextCommit : Infinity;
    // Nobody looks any more once it is stopped: then only an end is waited for.
    const due = Math.min(this.#stopping !== null ? Infinity : this.#lookDue, commitDue);
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    await clock.sleep(Math.max(0, due - steadyTime(clock)), waking.signal);
    this.#wake = () => undefined;
  }

  /** When something has to be committed; `Infinity` where there is nothing. */
  get #nextCommit(): number {
    const ends = this.#unrecorded.hasEnds ? this.#commitDue : Infinity;
    return Math.min(ends, this.#unrecorded.hasMade ? this.#progressDue : Infinity);
  }

  #commitIfDue(): void {
    if (this.#committing !== null) return;
    const isLast = this.left === 0 || (this.#inFlight.size === 0 && !this.#canStart());
    const isDue = steadyTime(this.#options.clock) >= this.#nextCommit;
    if (!isDue && !(isLast && this.#unrecorded.hasEnds)) return;
    this.#committing = this.#commit()
      .catch((error: unknown) => this.#stop({ error }))
      .finally(() => {
        this.#committing = null;
        this.#wake();
      });
  }

  /** Values first, then the outcomes of all runs that have ended until now. */
  async #commit(): Promise<void> {
    const { clock, concurrency } = this.#options;
    const began = steadyTime(clock);
    const wanted = this.#wanted;
    await this.#record([], () => ({ wanted, inFlight: this.#inFlight.size, concurrency }));
    const took = steadyTime(clock) - began;
    this.#commitDue =
      steadyTime(clock) +
      Math.min(LONGEST_BETWEEN_COMMITS_MS, Math.max(COMMIT_EVERY_MS, took * TIME_BETWEEN_COMMITS));
  }

  /** Commits what has ended and what goes back to the queue, and says what is on record then: that, and nothing else. */
  async #record(back: readonly OwnedRun[], goesOn: () => EndsToRecord['goesOn']): Promise<void> {
    const { store, ioManager, executor, emit, clock } = this.#options;
    const ended = this.#unrecorded.takeEnds();
    const made = this.#unrecorded.takeMade();
    const released = back.map(({ id }) => id);
    const needs = needsOfEnds(executor.id, [
      ...ended.map(({ set, record }) => ({ set, key: record.partitionKey })),
      ...back.map(({ runs: { set }, partitionKey }) => ({ set, key: partitionKey })),
    ]);
    let isRecorded = false;
    try {
      await ioManager.flush?.();
      const ends = new Set(ended.map(({ record }) => record.id));
      const started = this.#unrecorded.startsOf((id) => !ends.has(id) && this.#inFlight.has(id));
      const now = clock.now();
      const recorded = await store.commit(needs, (view) =>
        planEnds(view, { executor: executor.id, ended, made, started, released, goesOn: goesOn(), now }),
      );
      isRecorded = true;
      this.#unrecorded.endsRecorded(ended);
      this.#slots = recorded.slots;
      this.#unrecorded.startsRecorded(started.keys());
      // On record is on record, also when the disk then refuses to put a value in place: the next process does it.
      let unsettled: { readonly error: unknown } | null = null;
      try {
        this.#settle(recorded, released);
      } catch (error) {
        unsettled = { error };
      }
      let left = this.left + recorded.finished.length;
      for (const { record, canceledByOthers } of recorded.finished)
        emit({ type: 'run-finished', run: record, canceledByOthers, left: --left });
      if (recorded.released > 0) emit({ type: 'runs-released', count: recorded.released });
      if (recorded.lost.length > 0) this.#sayLost(recorded.lost.length);
      if (unsettled !== null) throw unsettled.error;
      this.#see(await store.read(this.#needs));
      this.#unrecorded.endsShown(ended);
    } catch (error) {
      if (!isRecorded && ended.length > 0) emit({ type: 'runs-unrecorded', count: ended.length });
      throw error;
    }
  }

  /** Values become visible with their record; what does not count is dropped. */
  #settle({ finished, lost, progressed }: RecordedEnds, released: readonly string[]): void {
    const isOver = true;
    this.#options.ioManager.settle?.([
      ...[...progressed].map(([run, made]) => ({ run, assets: assetsIn(made), isOver: false })),
      ...finished.map(({ record: { id, assets } }) => ({ run: id, assets: assetsIn(assets), isOver })),
      ...[...lost.map(({ record }) => record.id), ...released].map((run) => ({ run, assets: [], isOver })),
    ]);
  }

  /** Sees what others did, and says what this process has started and how much room it takes. */
  async #lookIfDue(): Promise<void> {
    const { clock, store, executor, concurrency, emit } = this.#options;
    const now = steadyTime(clock);
    if (now < this.#lookDue) return;
    this.#lookDue = now + LOOK_EVERY_MS;
    const view = await store.read(this.#needs);
    // The death of those that something waits for changes no serial.
    if (view.serial !== this.#view?.serial || this.#queue.yields) this.#see(view);
    this.#giveUpHeld(view);
    const wanted = this.#wanted;
    if (wanted === 0) return;
    const usable = this.#usable;
    const started = this.#unrecorded.startsOf((id) => this.#inFlight.has(id));
    const current = view.executors().find(({ id }) => id === executor.id);
    const room = slotsFor(view, executor.id, usable, concurrency);
    const heldUp = this.#queue.yields ? this.#queue.heldUp() : [];
    if (started.size + heldUp.length > 0 || current?.slots !== Math.max(room, this.#inFlight.size)) {
      // Less room is left before it is said, more room is said before it is used.
      this.#slots = Math.min(this.#slots, room);
      this.#slots = await store.commit(needsOfRoom(executor.id), (latest) => {
        const slots = slotsFor(latest, executor.id, usable, concurrency);
        const entry = executorEntry(executor.id, slots, { wanted, inFlight: this.#inFlight.size });
        const runs = startedBy(latest, { executor: executor.id, started });
        return {
          changes: [
            entry,
            ...(runs.size === 0 ? [] : [{ type: 'runs-started', runs } as const]),
            ...takenOnAnew(latest, executor.id, heldUp),
          ],
          outcome: slots,
        };
      });
      this.#unrecorded.startsRecorded(started.keys());
      this.#see(await store.read(this.#needs));
    }
    if (this.#inFlight.size > 0) return;
    const waiting = this.#queue.oldest;
    if (usable === 0 && waiting !== undefined)
      emit({ type: 'waiting', waitsFor: hasWorkOf(view, executor.id, waiting) });
    else if (this.#slots === 0) emit({ type: 'waiting', waitsFor: takesRoom(view, executor.id) });
  }

  /** What waits for a blocked process would wait until somebody ends that one. */
  #giveUpHeld(view: StateView): void {
    const { executor, concurrency, onInterrupt } = this.#options;
    const isHeld = heldByBlocked(view);
    if (isHeld === null) return;
    const hasNoRoom = this.#inFlight.size === 0 && isRoomBlocked(view, executor.id, concurrency);
    const held = this.#queue.takeWhere((run) => hasNoRoom || isHeld(run.assets, run.partitionKey));
    for (const run of held) {
      if (onInterrupt === 'release' || isOfSensor(run)) this.#unexecuted.push(run);
      else this.#endCanceled({ run, startedAt: null }, 'it waited for a process that is blocked');
    }
  }

  /** Takes over what a newer view shows: runs that are not ours any more, runs to be aborted, work of others. */
  #see(view: StateView): void {
    // Read before runs were taken on that this process has by now.
    if (this.#view !== null && view.serial < this.#view.serial) return;
    this.#view = view;
    const { executor } = this.#options;
    this.#dropLost(view);
    for (const runs of view.runs()) {
      if (runs.owner === executor.id) for (const { id } of runs.canceling()) this.#cancel(id);
    }
    this.#queue.yieldTo(workElsewhere(view, executor.id), (run) => view.run(run.id)?.runs.ownedSince ?? 0);
  }

  /** Others took this process for dead, or an operator said that it is: what is not its own any more ends here, unrecorded. */
  #dropLost(view: StateView): void {
    const { id: executor } = this.#options.executor;
    // Counting costs nothing, looking at each of a hundred thousand runs does.
    const expected = this.#wanted + this.#unrecorded.count + this.#unexecuted.length;
    if (ownedBy(view, executor) >= expected) return;
    let count = this.#queue.takeWhere(({ id }) => !isOwnedBy(view, executor, id)).length;
    for (const flight of this.#inFlight.values()) {
      if (flight.lost || isOwnedBy(view, executor, flight.run.id)) continue;
      flight.lost = true;
      this.#unrecorded.forgetStart(flight.run.id);
      flight.abort.abort();
      count++;
    }
    if (count > 0) this.#sayLost(count);
  }

  #sayLost(count: number): void {
    this.#hasLost = true;
    this.#options.emit({ type: 'runs-lost', count });
  }

  #cancel(id: string): void {
    const flight = this.#inFlight.get(id);
    if (flight === undefined) {
      const run = this.#queue.take(id);
      if (run !== undefined) this.#endCanceled({ run, startedAt: null }, 'it was canceled');
    } else if (!flight.canceled) {
      flight.canceled = true;
      flight.abort.abort();
    }
  }

  /** The last commit: outcomes, and what becomes of the runs that were not executed. */
  async #giveBack(): Promise<void> {
    if (this.#stopping === null && this.#unexecuted.length === 0 && !this.#hasLost) return;
    this.#hasLost = false;
    const { onInterrupt, interrupt } = this.#options;
    await this.#committing;
    const unexecuted = this.#unexecuted.splice(0);
    const rest = this.#stopping === null ? [] : this.#queue.takeAll();
    // What a sensor requested is not lost with the command that happened to execute it: the cursor is past it.
    const cancels = this.#failure === null && (onInterrupt === 'cancel' || !interrupt.aborted);
    const isCanceled = (run: OwnedRun): boolean => cancels && !isOfSensor(run);
    const why = interrupt.aborted ? 'the command was interrupted' : 'a run before it failed (--fail-fast)';
    for (const run of rest) if (isCanceled(run)) this.#endCanceled({ run, startedAt: null }, why);
    const back = [...unexecuted, ...rest.filter((run) => !isCanceled(run))];
    try {
      await this.#record(back, () => null);
    } catch (error) {
      // The first failure is the one to report. What could not be given back is taken up as a dead process's.
      this.#stop({ error });
    }
  }
}

/** Those that were made. */
function assetsIn(outcomes: readonly AssetOutcome[]): string[] {
  return outcomes.filter(({ status }) => status === 'SUCCESS').map(({ asset }) => asset);
}

/** Whether a sensor asked for this very run. A retry of such a run was asked for by hand. */
function isOfSensor({ runs }: OwnedRun): boolean {
  return runs.sensor !== null && runs.retryOf === null;
}
