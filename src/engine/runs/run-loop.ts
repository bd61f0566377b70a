/**
 * Executes the runs that this process owns: so many at the same time as it has slots, and with few commits.
 *
 * `own-runs` is what is known of the runs, `executions` executes each, `run-recorder` puts their ends on record, `lookout` sees what
 * others did, `stopping` says whether anything may begin. Here is only when each of them has its turn.
 */
import { steadyTime } from '../../model/time.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import type { KeepTo } from '../plan/executors/slots.ts';
import { Executions } from './executions.ts';
import { giveUp } from './give-up.ts';
import { leftOf } from './left-of.ts';
import { Lookout } from './lookout.ts';
import type { LookAhead } from './newest-view.ts';
import { OwnRuns } from './own-runs.ts';
import type { RunLoopOptions } from './run-loop-options.ts';
import { RunRecorder } from './run-recorder.ts';
import { abortsWhatRuns, Stopping, type StopReason } from './stopping.ts';

/** Without a pause for the event loop no timer fires and no file is synced, however many runs end. */
const YIELD_EVERY_MS = 10;

export class RunLoop {
  readonly #options: RunLoopOptions;
  readonly #runs: OwnRuns;
  readonly #recorder: RunRecorder;
  readonly #lookout: Lookout;
  readonly #executions: Executions;
  readonly #stopping = new Stopping();
  #committing: Promise<void> | null = null;
  #wake: () => void = () => undefined;
  /** Something has come since runs were started last. */
  #hasChanged = false;

  constructor(options: RunLoopOptions) {
    this.#options = options;
    this.#runs = new OwnRuns(options);
    this.#recorder = new RunRecorder(options, this.#runs);
    this.#lookout = new Lookout(options, this.#runs);
    this.#executions = new Executions(options, this.#runs, this.#recorder, {
      onMade: () => this.#changed(),
      onRoom: () => this.#changed(),
      onStop: (why) => this.#stop(why),
    });
  }

  /** Runs that this process took on and that have not ended. */
  get left(): number {
    return this.#runs.left;
  }

  /** And those whose end is not on record. */
  get unfinished(): number {
    return leftOf(this.#runs);
  }

  /** How many of them wait for a pool that is full. */
  get waitingForPools(): number {
    return this.#runs.waitingForPools;
  }

  /** Whether anything is left to execute or to record: a run may have ended before its execution began. */
  get hasWork(): boolean {
    return this.#runs.left > 0 || this.#runs.unrecorded.hasEnds;
  }

  /**
   * To be given to the commit that makes runs this executor's, and `ahead` to `adopt`. `keepTo`: no more than its share begins at a time
   * from then on; it answers with how many slots are in use, which may be more.
   */
  taking(): { readonly ahead: LookAhead; readonly keepTo: KeepTo } {
    const keepTo = (share: number): number => {
      this.#runs.slots = Math.min(this.#runs.slots, share);
      return this.#runs.underWay.used;
    };
    return { ahead: this.#runs.ahead(), keepTo };
  }

  /** Takes on runs that a commit made this executor's; also while others are being executed. */
  async adopt(runs: readonly OwnedRun[], ahead?: LookAhead): Promise<void> {
    const beginWaiting = (): void => {
      if (this.left > 0) return;
      this.#recorder.beginWaiting();
      this.#lookout.beginWaiting();
    };
    await this.#runs.adopt(runs, beginWaiting, ahead);
    this.#changed();
  }

  /** Executes until every run has ended and is on record, or until the loop is stopped. */
  async finish(): Promise<void> {
    const { clock, interrupt, handsOver } = this.#options;
    const onInterrupt = (): void => this.#interrupted();
    const onHandOver = (): void => this.#stop(handsOver!.reason as StopReason);
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
        if (this.#stopping.othersMayAct)
          await this.#lookout.lookIfDue().catch((error: unknown) => this.#stop({ error }));
      }
      await this.#giveBack();
    } finally {
      interrupt.removeEventListener('abort', onInterrupt);
      handsOver?.removeEventListener('abort', onHandOver);
    }
    const damaged = this.#executions.takeDamaged();
    const failure = this.#stopping.failure ?? damaged;
    if (failure !== null) throw failure.error;
  }

  /** Nothing is executed here any more. */
  async leave(): Promise<void> {
    await this.#executions.leave();
  }

  #changed(): void {
    this.#hasChanged = true;
    this.#wake();
  }

  #interrupted(): void {
    const { emit, onInterrupt } = this.#options;
    this.#stop('interrupted');
    const waitsFor = Array.from(this.#runs.underWay, ({ run: { id, partitionKey } }) => ({
      id,
      partitionKey,
    }));
    const unfinished = onInterrupt === 'cancel' ? 'canceled' : 'released';
    if (waitsFor.length > 0) emit({ type: 'stopping', waitsFor, unfinished });
  }

  #stop(why: StopReason): void {
    this.#stopping.stop(why);
    if (abortsWhatRuns(why)) for (const { interrupt } of this.#runs.underWay) interrupt.abort();
    this.#changed();
  }

  /** The time in which runs may begin is over, and some have not. */
  #stopWhenOver(): void {
    const { startsUntil = Infinity, clock, emit } = this.#options;
    if (!this.#stopping.goesOn || this.#runs.queue.size === 0 || steadyTime(clock) < startsUntil) return;
    emit({ type: 'time-over', left: this.#runs.queue.size });
    this.#stop('time-over');
  }

  #isDone(): boolean {
    if (!this.#stopping.goesOn) return this.#runs.underWay.isIdle;
    return !this.hasWork && this.#committing === null;
  }

  #canStart(): boolean {
    return this.#stopping.goesOn && !this.#recorder.isFull && this.#runs.hasNext;
  }

  #start(): void {
    const { batches } = this.#runs.underWay;
    this.#hasChanged = false;
    batches?.goOn();
    while (this.#canStart()) {
      const run = this.#runs.next();
      if (run !== undefined) void this.#executions.execute(run);
    }
    if (this.#stopping.goesOn) batches?.call();
    else batches?.stop();
  }

  /** Waits for the end of a run or a commit, for a new run, an interrupt, or the next look at the state. */
  async #somethingHappens(): Promise<void> {
    if (this.left === 0 && this.#committing === null) return;
    const { clock, startsUntil = Infinity } = this.#options;
    const commitDue = this.#committing === null ? this.#recorder.due : Infinity;
    // Nobody looks any more once the loop is stopped: then only an end is waited for.
    const lookDue = this.#stopping.othersMayAct ? this.#lookout.due : Infinity;
    const { queue, underWay } = this.#runs;
    // Only runs that have not begun are given back when the time is over.
    const overDue = queue.size > 0 ? startsUntil : Infinity;
    const startDue = this.#stopping.goesOn ? Math.min(overDue, underWay.batches!.due) : Infinity;
    const due = Math.min(lookDue, commitDue, startDue);
    const waking = new AbortController();
    // With a reason, since an error would be made without one.
    this.#wake = () => waking.abort('woken');
    await clock.sleep(Math.max(0, due - steadyTime(clock)), waking.signal);
    this.#wake = () => undefined;
  }

  #commitIfDue(): void {
    if (this.#committing !== null) return;
    const isIdle = this.#runs.underWay.isIdle && !this.#canStart();
    const back = this.#stopping.isGentle ? this.#runs.queue.takeAll() : [];
    // Others may wait for what is set aside here, and all that is left here for those.
    if (isIdle && this.left > 0 && this.#stopping.goesOn) back.push(...this.#runs.unexecuted.splice(0));
    const isLast = this.left === 0 || isIdle;
    const isDue = steadyTime(this.#options.clock) >= this.#recorder.due;
    if (back.length === 0 && !isDue && !(isLast && this.#runs.unrecorded.hasEnds)) return;
    this.#committing = this.#recorder
      .commit(back)
      .catch((error: unknown) => this.#stop({ error }))
      .finally(() => {
        this.#committing = null;
        this.#changed();
      });
  }

  /** The last commit: outcomes, and what becomes of the runs that were not executed. */
  async #giveBack(): Promise<void> {
    if (this.#stopping.goesOn && this.#runs.unexecuted.length === 0 && !this.#runs.hasLost) return;
    this.#runs.hasLost = false;
    const { onInterrupt, interrupt } = this.#options;
    await this.#committing;
    const isCanceled = interrupt.aborted ? onInterrupt === 'cancel' : this.#stopping.isFailFast;
    const back = giveUp(this.#runs, {
      waiting: !this.#stopping.goesOn,
      why: interrupt.aborted ? 'the command was interrupted' : 'a run before it failed (--fail-fast)',
      isCanceled: isCanceled && this.#stopping.failure === null,
    });
    try {
      await this.#recorder.record(back, () => null);
    } catch (error) {
      // The first failure is the one to report. What could not be given back is taken up as a dead process's.
      this.#stop({ error });
    }
  }
}
