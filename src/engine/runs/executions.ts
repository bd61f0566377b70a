/** Executes the runs whose turn has come, and takes what becomes of each: an end, a way back to the queue, or a reason to stop. */
import { CANCELED_BY_HAND } from '../../model/failures/run.ts';
import { FailureError } from '../../model/failure.ts';
import type { RunLetGo } from '../event.ts';
import type { AssetOutcome } from '../../model/run.ts';
import { isoTime } from '../../model/time.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import { executeHere, type ExecuteRun, type MadeAsset, type RunEnding } from './execute-run.ts';
import type { Isolated } from './isolated.ts';
import type { InFlight } from './runs-under-way.ts';
import { leftOf } from './left-of.ts';
import type { OwnRuns } from './own-runs.ts';
import { batchesOf, contextOf } from './run-context.ts';
import type { RunLoopOptions } from './run-loop-options.ts';
import type { RunRecorder } from './run-recorder.ts';
import type { StopReason } from './stopping.ts';

/** What the loop is told. */
export interface ExecutionNews {
  /** An asset is made, and its run goes on. */
  readonly onMade: () => void;
  /** A run has ended here, or a call for many keys has: others may begin. */
  readonly onRoom: () => void;
  readonly onStop: (why: StopReason) => void;
}

export class Executions {
  readonly #options: RunLoopOptions;
  readonly #runs: OwnRuns;
  readonly #recorder: RunRecorder;
  readonly #news: ExecutionNews;
  readonly #executeRun: ExecuteRun;
  readonly #isolated: Isolated | undefined;
  #damaged: { readonly error: unknown } | null = null;

  constructor(options: RunLoopOptions, runs: OwnRuns, recorder: RunRecorder, news: ExecutionNews) {
    this.#options = options;
    this.#runs = runs;
    this.#recorder = recorder;
    this.#news = news;
    this.#isolated = options.isolate?.(options.executor.id);
    const isolated = this.#isolated;
    const context = contextOf(options, runs, (id, made) => this.#noteMade(id, made));
    const batches = batchesOf(options.pipeline, runs, { ...context, isolated }, news.onRoom);
    runs.underWay.batches = batches;
    this.#executeRun = (options.execute ?? executeHere)({
      ...context,
      batches,
      ...(isolated && { isolated }),
    });
  }

  async execute(run: OwnedRun): Promise<void> {
    const { clock, emit, executor } = this.#options;
    const flight = this.#runs.begin(run, isoTime(clock.now()));
    try {
      const { id, partitionKey, assets } = run;
      emit({ type: 'run-started', id, partitionKey, assets, left: leftOf(this.#runs) });
      const ending = await this.#executeRun(run, flight.interrupt).finally(() => executor.ended(id));
      this.#runs.underWay.landed(run);
      this.#takeEnding(flight, ending);
    } catch (error) {
      this.#notExecuted(flight, error);
    } finally {
      this.#runs.underWay.landed(run);
      if (flight.lost) this.#forsake(run);
      this.#runs.queue.letGo(run);
      this.#news.onRoom();
    }
  }

  #noteMade(id: string, { outcome, staged }: MadeAsset): void {
    if (!this.#runs.underWay.isOwn(id)) return;
    this.#options.ioManager.adopt?.(staged);
    this.#stageSkip(this.#runs.underWay.get(id).run, outcome);
    this.#recorder.noteMade(id, outcome);
    this.#news.onMade();
  }

  #takeEnding(flight: InFlight, ending: RunEnding): void {
    const { run, startedAt, lost, canceled } = flight;
    // Also where no outcome counts: whoever has the values drops them with the end of the run.
    if (ending.type === 'ended') this.#options.ioManager.adopt?.(ending.staged);
    if (lost) return this.#letGo(run, 'lost');
    if (canceled) return this.#runs.endCanceled(run, startedAt, CANCELED_BY_HAND);
    // Not an end: the run stays this process's until the process leaves, which gives the run back or cancels it.
    if (ending.type === 'interrupted') {
      this.#runs.underWay.noteInterrupted(flight);
      this.#runs.queue.add([run]);
      return this.#letGo(run, 'interrupted');
    }
    const { status, assets, error, asked } = ending;
    // Of the others it is said as they are made, also in an earlier execution.
    const [last] = assets.filter(({ asset }) => run.done.every((done) => done.asset !== asset)).slice(-1);
    if (last !== undefined) this.#stageSkip(run, last);
    const attempts = Math.max(0, ...assets.map((asset) => asset.attempts));
    this.#runs.end(run, startedAt, { status, assets, error, attempts }, asked);
    if (status === 'FAILURE' && this.#options.failFast) this.#news.onStop('fail-fast');
  }

  /** What is skipped ends what was made before: said before another run of the key can make anything. */
  #stageSkip({ id, partitionKey }: OwnedRun, { asset, skipReason }: AssetOutcome): void {
    if (skipReason !== null) this.#options.ioManager.skip?.(id, { asset, partitionKey });
  }

  /** Who looks is not to take it for being at work: nothing else may come of it here. */
  #letGo({ id, partitionKey }: OwnedRun, why: RunLetGo['why']): void {
    this.#options.emit({ type: 'run-let-go', id, partitionKey, why, left: leftOf(this.#runs) });
  }

  /** Whoever has the run now says what counts: what was saved of it here must not be taken for that. */
  #forsake({ id }: OwnedRun): void {
    try {
      this.#options.ioManager.settle?.([{ run: id, assets: [], isOver: true }]);
    } catch (error) {
      this.#news.onStop({ error });
    }
  }

  /** Not the run's doing: the run goes back to the queue. One damaged value keeps nobody else; a disk in trouble stops all. */
  #notExecuted({ run, lost }: InFlight, error: unknown): void {
    this.#runs.underWay.landed(run);
    if (lost) return this.#letGo(run, 'lost');
    this.#runs.unexecuted.push(run);
    this.#letGo(run, 'unexecuted');
    if (!(error instanceof FailureError) || error.failure.reason !== 'value-damaged')
      return this.#news.onStop({ error });
    if (this.#options.onDamaged === undefined) this.#damaged ??= { error };
    else this.#options.onDamaged(run.id, error.failure);
  }

  /** The first damaged value that kept a run from being executed, since this was asked last. */
  takeDamaged(): { readonly error: unknown } | null {
    const damaged = this.#damaged;
    this.#damaged = null;
    return damaged;
  }

  /** Nothing is executed here any more. */
  async leave(): Promise<void> {
    await this.#isolated?.end();
  }
}
