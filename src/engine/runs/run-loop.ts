/**
 * Executes the runs that this process owns: so many at the same time as it has slots, and with few commits.
 *
 * `own-runs` is what is known of the runs, `run-recorder` puts their ends on record, `lookout` sees what others did.
 * Here is only when each of them has its turn.
 */
import { CANCELED_BY_HAND } from '../../model/failures/run.ts';
import { FailureError } from '../../model/failure.ts';
import { isoTime, steadyTime } from '../../model/time.ts';
import { executeHere, type ExecuteRun, type MadeAsset, type RunEnding } from './execute-run.ts';
import type { OwnedRun } from '../plan/executors/claim-runs.ts';
import { giveUp } from './give-up.ts';
import type { Isolated } from './isolated.ts';
import { Lookout } from './lookout.ts';
import { type InFlight, OwnRuns } from './own-runs.ts';
import { batchesOf, contextOf } from './run-context.ts';
import type { RunLoopOptions } from './run-loop-options.ts';
import { RunRecorder } from './run-recorder.ts';

/** Without a pause for the event loop no timer fires and no file is synced, however many runs end. */
const YIELD_EVERY_MS = 10;

/**
 * ```
 *            nothing left, and all on record
 *  RUNNING ──────────────────────────────► DONE
 *     │ interrupt · time over · handed over · a failure with --fail-fast · a file of dynpart's own fails
 *     ▼                                    all that runs has ended, the rest is given back
 *  STOPPING: nothing starts, what runs is aborted or waited for ──────────────────────► DONE
 * ```
 */
type Stopping = 'interrupted' | 'time-over' | 'handed-over' | 'fail-fast' | { readonly error: unknown };

export class RunLoop {
  readonly #options: RunLoopOptions;
  readonly #executeRun: ExecuteRun;
  readonly #isolated: Isolated | undefined;
  readonly #runs: OwnRuns;
  readonly #recorder: RunRecorder;
  readonly #lookout: Lookout;
  /** Why nothing new is started; `null` while the loop goes on. */
  #stopping: Stopping | null = null;
  #damaged: { readonly error: unknown } | null = null;
  #committing: Promise<void> | null = null;
  #wake: () => void = () => undefined;
  /** Something has come since runs were started last. */
  #hasChanged = false;

  constructor(options: RunLoopOptions) {
    this.#options = options;
    this.#runs = new OwnRuns(options);
    this.#recorder = new RunRecorder(options, this.#runs);
    this.#lookout = new Lookout(options, this.#runs);
    const made = (id: string, asset: MadeAsset): void => this.#noteMade(id, asset);
    this.#isolated = options.isolate?.(options.executor.id);
    const isolated = this.#isolated;
    const context = contextOf(options, this.#runs, made);
    const batches = batchesOf(options.pipeline, this.#runs, { ...context, isolated }, () => this.#changed());
    this.#runs.batches = batches;
    this.#executeRun = (options.execute ?? executeHere)({
      ...context,
      batches,
      ...(isolated && { isolated }),
    });
  }

  /** Runs that this process took on and that have not ended. */
  get left(): number {
    return this.#runs.left;
  }

  /** How many of them wait for a pool that is full. */
  get waitingForPools(): number {
    return this.#runs.waitingForPools;
  }

  /** Whether anything is left to execute or to record: a run may have ended before its execution began. */
  get hasWork(): boolean {
    return this.#runs.left > 0 || this.#runs.unrecorded.hasEnds;
  }

  /** Takes on runs that a commit made this executor's; also while others are being executed. */
  async adopt(runs: readonly OwnedRun[]): Promise<void> {
    await this.#runs.adopt(runs, () => {
      if (this.left > 0) return;
      this.#recorder.beginWaiting();
      this.#lookout.beginWaiting();
    });
    this.#wake();
  }

  /** Executes until every run has ended and is on record, or until the loop is stopped. */
  async finish(): Promise<void> {
    const { clock, interrupt, handsOver } = this.#options;
    const onInterrupt = (): void => this.#interrupted();
    const onHandOver = (): void => this.#stop('handed-over');
    interrupt.addEventListener('abort', onInterrupt);
    handsOver?.addEventListener('abort', onHandOver);
    if (interrupt.aborted) onInterrupt();
    if (handsOver?.aborted) onHandOver();
    let yielded = steadyTime(clock);
    try {
      while (!this.#isDone()) {
        this.#stopWhenOver();
        this.#start();
        this.#commitIfDue();
        if (steadyTime(clock) - yielded >= YIELD_EVERY_MS) {
          await new Promise((resolve) => setImmediate(resolve));
          yielded = steadyTime(clock);
        }
        if (!this.#canStart() && !this.#isDone() && !this.#hasChanged) await this.#somethingHappens();
        // Between a wait and a start: a process that was paused for long may have been taken for dead.
        if (this.#looks) await this.#lookout.lookIfDue().catch((error: unknown) => this.#stop({ error }));
      }
      await this.#giveBack();
    } finally {
      interrupt.removeEventListener('abort', onInterrupt);
      handsOver?.removeEventListener('abort', onHandOver);
    }
    const failure = this.#failure ?? this.#damaged;
    this.#damaged = null;
    if (failure !== null) throw failure.error;
  }

  /** Nothing is executed here any more. */
  async leave(): Promise<void> {
    await this.#isolated?.end();
  }

  #changed(): void {
    this.#hasChanged = true;
    this.#wake();
  }

  /** The failure of one of dynpart's own files, or of dynpart itself, that nothing can go on after. */
  get #failure(): { readonly error: unknown } | null {
    return typeof this.#stopping === 'object' ? this.#stopping : null;
  }

  /** Nothing is wrong: what runs takes the time that it takes, and others have the rest at once. */
  get #endsGently(): boolean {
    return this.#stopping === 'time-over' || this.#stopping === 'handed-over';
  }

  /** Whether others may still cancel what runs here, or take it over. */
  get #looks(): boolean {
    return this.#stopping === null || this.#endsGently;
  }

  #interrupted(): void {
    const { emit, onInterrupt } = this.#options;
    this.#stop('interrupted');
    const waitsFor = this.#runs.underWay().map(({ run: { id, partitionKey } }) => ({ id, partitionKey }));
    const unfinished = onInterrupt === 'cancel' ? 'canceled' : 'released';
    if (waitsFor.length > 0) emit({ type: 'stopping', waitsFor, unfinished });
  }

  /** The first reason stands, but for a gentle end; a failure takes the place of the others, since the failure is what has to be said. */
  #stop(why: Stopping): void {
    if (this.#looks || (typeof why === 'object' && this.#failure === null)) this.#stopping = why;
    // What runs beside the first failure, when the time is over or another session goes on, may end.
    if (why === 'interrupted' || typeof why === 'object')
      for (const { abort } of this.#runs.underWay()) abort.abort();
    this.#wake();
  }

  /** The time in which runs may begin is over, and some have not. */
  #stopWhenOver(): void {
    const { startsUntil = Infinity, clock, emit } = this.#options;
    if (this.#stopping !== null || this.#runs.queue.size === 0 || steadyTime(clock) < startsUntil) return;
    emit({ type: 'time-over', left: this.#runs.queue.size });
    this.#stop('time-over');
  }

  #isDone(): boolean {
    if (this.#stopping !== null) return this.#runs.isIdle;
    return !this.hasWork && this.#committing === null;
  }

  #canStart(): boolean {
    return this.#stopping === null && !this.#recorder.isFull && this.#runs.hasNext;
  }

  #start(): void {
    const { batches } = this.#runs;
    this.#hasChanged = false;
    batches?.goOn();
    while (this.#canStart()) {
      const run = this.#runs.next();
      if (run !== undefined) void this.#execute(run);
    }
    if (this.#stopping === null) batches?.call();
    else batches?.stop();
  }

  async #execute(run: OwnedRun): Promise<void> {
    const { clock, emit, executor } = this.#options;
    const flight = this.#runs.begin(run, isoTime(clock.now()));
    try {
      const { id, partitionKey, assets } = run;
      const left = this.left + this.#runs.unrecorded.count;
      emit({ type: 'run-started', id, partitionKey, assets, left });
      const ending = await this.#executeRun(run, flight.abort.signal);
      executor.ended(id);
      this.#runs.landed(run);
      this.#takeEnding(flight, ending);
    } catch (error) {
      this.#notExecuted(flight, error);
    } finally {
      this.#runs.landed(run);
      this.#runs.queue.letGo(run);
      this.#changed();
    }
  }

  #noteMade(id: string, { outcome, staged }: MadeAsset): void {
    if (!this.#runs.isUnderWay(id)) return;
    this.#options.ioManager.adopt?.(staged);
    this.#recorder.noteMade(id, outcome);
    this.#wake();
  }

  #takeEnding(flight: InFlight, ending: RunEnding): void {
    const { run, startedAt, lost, canceled } = flight;
    if (lost) return;
    // Also where no outcome counts: whoever has the values drops them with the end of the run.
    if (ending.type === 'ended') this.#options.ioManager.adopt?.(ending.staged);
    if (canceled) return this.#runs.endCanceled(run, startedAt, CANCELED_BY_HAND);
    // Not an end: the run stays this process's until the process leaves, which gives the run back or cancels it.
    if (ending.type === 'interrupted') return this.#runs.queue.add([run]);
    const { status, assets, error, asked } = ending;
    const attempts = Math.max(0, ...assets.map((asset) => asset.attempts));
    this.#runs.end(run, startedAt, { status, assets, error, attempts }, asked);
    if (status === 'FAILURE' && this.#options.failFast) this.#stop('fail-fast');
  }

  /** Not the run's doing: the run goes back to the queue. One damaged value keeps nobody else; a disk in trouble stops all. */
  #notExecuted({ run, lost }: InFlight, error: unknown): void {
    if (lost) return;
    this.#runs.unexecuted.push(run);
    if (error instanceof FailureError && error.failure.reason === 'value-damaged')
      this.#damaged ??= { error };
    else this.#stop({ error });
  }

  /** Waits for the end of a run or a commit, for a new run, an interrupt, or the next look at the state. */
  async #somethingHappens(): Promise<void> {
    if (this.left === 0 && this.#committing === null) return;
    const { clock, startsUntil = Infinity } = this.#options;
    const commitDue = this.#committing === null ? this.#recorder.due : Infinity;
    // Nobody looks any more once the loop is stopped: then only an end is waited for.
    const lookDue = this.#looks ? this.#lookout.due : Infinity;
    const { due: callDue } = this.#runs.batches!;
    const due = Math.min(
      lookDue,
      commitDue,
      this.#stopping === null ? Math.min(startsUntil, callDue) : Infinity,
    );
    const waking = new AbortController();
    // With a reason, since an error would be made without one.
    this.#wake = () => waking.abort('woken');
    await clock.sleep(Math.max(0, due - steadyTime(clock)), waking.signal);
    this.#wake = () => undefined;
  }

  #commitIfDue(): void {
    if (this.#committing !== null) return;
    const back = this.#endsGently ? this.#runs.queue.takeAll() : [];
    const isLast = this.left === 0 || (this.#runs.isIdle && !this.#canStart());
    const isDue = steadyTime(this.#options.clock) >= this.#recorder.due;
    if (back.length === 0 && !isDue && !(isLast && this.#runs.unrecorded.hasEnds)) return;
    this.#committing = this.#recorder
      .commit(back)
      .catch((error: unknown) => this.#stop({ error }))
      .finally(() => {
        this.#committing = null;
        this.#wake();
      });
  }

  /** The last commit: outcomes, and what becomes of the runs that were not executed. */
  async #giveBack(): Promise<void> {
    if (this.#stopping === null && this.#runs.unexecuted.length === 0 && !this.#runs.hasLost) return;
    this.#runs.hasLost = false;
    const { onInterrupt, interrupt } = this.#options;
    await this.#committing;
    const isCanceled = interrupt.aborted ? onInterrupt === 'cancel' : this.#stopping === 'fail-fast';
    const back = giveUp(this.#runs, {
      waiting: this.#stopping !== null,
      why: interrupt.aborted ? 'the command was interrupted' : 'a run before it failed (--fail-fast)',
      isCanceled: isCanceled && this.#failure === null,
    });
    try {
      await this.#recorder.record(back, () => null);
    } catch (error) {
      // The first failure is the one to report. What could not be given back is taken up as a dead process's.
      this.#stop({ error });
    }
  }
}
