/**
 * Puts on record what has ended in this process, and says what is on record then.
 *
 * The end of a run is not committed by itself. What ended in the last moments is committed together, values first:
 * killed before that, those runs are executed again, and an outcome is on record once.
 */
import type { SettledRun } from '../../definitions/staged-values.ts';
import type { AssetOutcome } from '../../model/run.ts';
import { steadyTime } from '../../model/time.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import { type EndsToRecord, needsOfEnds, planEnds, type RecordedEnds } from '../plan/ends/record-ends.ts';
import { leftOf, sayLeft } from './left-of.ts';
import type { OwnRuns } from './own-runs.ts';
import { removeSkipped } from './remove-skipped.ts';
import type { RunLoopOptions } from './run-loop-options.ts';

/** Commits are at least so far apart, and far enough for a tenth of the time at most to go into them. */
const COMMIT_EVERY_MS = 100;
const TIME_BETWEEN_COMMITS = 10;
const LONGEST_BETWEEN_COMMITS_MS = 5000;

/**
 * No more ends wait for a commit than it can take in so long, by the one before it, and so many in any case. Where the disk is slower
 * than user code, each commit would else have more to do than the one before it, and a kill would take the work of minutes.
 */
const LONGEST_COMMIT_MS = 5000;
const MAY_WAIT = 1000;

/** What a run has made on its way waits so long for the end of some run, to be committed together with it. */
const PROGRESS_AFTER_MS = 1000;

export class RunRecorder {
  readonly #options: RunLoopOptions;
  readonly #runs: OwnRuns;
  #endsDue = 0;
  #progressDue = 0;
  #mostWaiting = MAY_WAIT;
  /** What was skipped, and whose value is to go: another run of this process has the key in hand. */
  #skipped: Parameters<typeof removeSkipped>[2] = [];

  constructor(options: RunLoopOptions, runs: OwnRuns) {
    this.#options = options;
    this.#runs = runs;
  }

  /** The first runs come: their ends may wait for each other from now. */
  beginWaiting(): void {
    this.#endsDue = steadyTime(this.#options.clock) + COMMIT_EVERY_MS;
  }

  /** A run of several assets may take hours: what it has made is on record soon, and a process that dies loses only the rest. */
  noteMade(id: string, outcome: AssetOutcome): void {
    const { unrecorded } = this.#runs;
    if (!unrecorded.hasMade) this.#progressDue = steadyTime(this.#options.clock) + PROGRESS_AFTER_MS;
    unrecorded.noteMade(id, outcome);
  }

  /** Whether no run may begin before the next commit. */
  get isFull(): boolean {
    return this.#runs.unrecorded.waiting >= this.#mostWaiting;
  }

  /** When something has to be committed; `Infinity` where there is nothing. */
  get due(): number {
    if (this.isFull) return 0;
    const { hasEnds, hasMade } = this.#runs.unrecorded;
    return Math.min(hasEnds ? this.#endsDue : Infinity, hasMade ? this.#progressDue : Infinity);
  }

  /** Values first, then the outcomes of all runs that have ended until now. @param back runs that others may have from now */
  async commit(back: readonly OwnedRun[]): Promise<void> {
    const { clock, concurrency } = this.#options;
    const began = steadyTime(clock);
    const { waiting } = this.#runs.unrecorded;
    await this.record(back, () => ({ ...this.#runs.room, concurrency }));
    const took = steadyTime(clock) - began;
    this.#mostWaiting = Math.max(MAY_WAIT, (waiting * LONGEST_COMMIT_MS) / Math.max(1, took));
    this.#endsDue =
      steadyTime(clock) +
      Math.min(LONGEST_BETWEEN_COMMITS_MS, Math.max(COMMIT_EVERY_MS, took * TIME_BETWEEN_COMMITS));
  }

  /** Commits what has ended and what goes back to the queue, and says what is on record then: that, and nothing else. */
  async record(back: readonly OwnedRun[], goesOn: () => EndsToRecord['goesOn']): Promise<void> {
    const { store, ioManager, executor, emit, clock } = this.#options;
    const { unrecorded } = this.#runs;
    const ended = unrecorded.takeEnds();
    const made = unrecorded.takeMade();
    const released = back.map(({ id }) => id);
    const ids = [...ended.map(({ record }) => record.id), ...released, ...made.keys()];
    const partitions = [
      ...ended.map(({ set, record }) => ({ set, key: record.partitionKey })),
      ...back.map(({ runs: { set }, partitionKey }) => ({ set, key: partitionKey })),
      ...this.#runs.partitionsOf(made),
    ];
    const seenBy = (run: string, asset: string): number | undefined => unrecorded.seenBy(run, asset);
    let isRecorded = false;
    try {
      await ioManager.flush?.();
      const started = this.#runs.unrecordedStarts();
      for (const { record } of ended) started.delete(record.id);
      const now = clock.now();
      const needs = needsOfEnds(executor.id, [...ids, ...started.keys()], partitions);
      let shownFrom = 0;
      const recorded = await store.commit(needs, (view) => {
        const plan = planEnds(view, {
          executor: executor.id,
          ended,
          made,
          started,
          released,
          seenBy,
          goesOn: goesOn(),
          now,
        });
        shownFrom = view.serial + (plan.changes.length > 0 ? 1 : 0);
        return plan;
      });
      isRecorded = true;
      unrecorded.endsRecorded(ended, shownFrom);
      this.#runs.slots = recorded.slots;
      unrecorded.startsRecorded(started.keys());
      // On record is on record, also when the disk then refuses to put a value in place: the next process does it.
      let unsettled: { readonly error: unknown } | null = null;
      try {
        this.#settle(recorded, released);
        await this.#removeSkipped(recorded);
      } catch (error) {
        unsettled = { error };
      }
      this.#say(recorded);
      if (unsettled !== null) throw unsettled.error;
      await this.#runs.lookUp();
    } catch (error) {
      if (!isRecorded && ended.length > 0) emit({ type: 'runs-unrecorded', count: ended.length });
      throw error;
    }
  }

  #say({ finished, released, lost, gone }: RecordedEnds): void {
    const { emit } = this.#options;
    let left = leftOf(this.#runs) + lost.length + finished.length;
    for (const { record, canceledByOthers } of finished)
      emit({ type: 'run-finished', run: record, canceledByOthers, left: --left });
    for (const { record } of lost) {
      const { id, partitionKey } = record;
      emit({ type: 'run-let-go', id, partitionKey, why: 'lost', left: --left });
    }
    if (released > 0) emit({ type: 'runs-released', count: released });
    if (lost.length + gone > 0) this.#runs.sayLost(lost.length + gone);
    else if (released > 0) sayLeft(this.#runs, emit);
  }

  #removeSkipped({ finished }: RecordedEnds): Promise<void> {
    const { ioManager, store } = this.#options;
    // What was staged with the run goes with it.
    if (ioManager.skip !== undefined) return Promise.resolve();
    const skipped = finished.flatMap(({ record, set }) =>
      record.assets.flatMap(({ asset, skipReason }) =>
        skipReason === null ? [] : [{ asset, set, keys: [record.partitionKey] }],
      ),
    );
    // A run that makes it again may have kept its value by now: what comes of that run is seen first.
    const { underWay, unrecorded } = this.#runs;
    const all = [...this.#skipped, ...skipped];
    const isInHand = ({ asset, keys }: (typeof all)[number]): boolean =>
      keys.some((key) => underWay.makes(asset, key) || unrecorded.hasEndOf(asset, key));
    const inHand = new Set(all.filter(isInHand));
    this.#skipped = [...inHand];
    return removeSkipped(
      store,
      ioManager,
      all.filter((one) => !inHand.has(one)),
    );
  }

  /**
   * Values become visible with their record; what does not count is dropped. Each run is named once, in the order of the record: what
   * goes on began behind what has ended of the same asset and key.
   */
  #settle({ finished, lost, progressed }: RecordedEnds, released: readonly string[]): void {
    const over = [...lost.map(({ record }) => record.id), ...released];
    const isNamed = new Set([...progressed.keys(), ...finished.map(({ record }) => record.id)]);
    const isOver = new Set(over);
    this.#options.ioManager.settle?.([
      ...over.filter((run) => !isNamed.has(run)).map((run) => ({ run, ...settledBy([]), isOver: true })),
      ...finished.map(({ record: { id, assets } }) => ({ run: id, ...settledBy(assets), isOver: true })),
      ...[...progressed].map(([run, made]) => ({ run, ...settledBy(made), isOver: isOver.has(run) })),
    ]);
  }
}

function settledBy(outcomes: readonly AssetOutcome[]): Pick<SettledRun, 'assets' | 'skipped'> {
  const made = outcomes.filter(({ status }) => status === 'SUCCESS');
  return { assets: made.map(({ asset }) => asset), skipped: assetsSkipped(outcomes) };
}

function assetsSkipped(outcomes: readonly AssetOutcome[]): string[] {
  return outcomes.filter(({ skipReason }) => skipReason !== null).map(({ asset }) => asset);
}
