/** How runs went, counted and in words: all that a command executes, and each batch of them where it goes on. */
import type { RunRecord } from '../../model/run.ts';
import { counted, duration } from '../../model/text.ts';
import { steadyTime } from '../../model/time.ts';
import { type Counts, noRuns } from '../json-results-of-runs.ts';
import type { Output } from '../output.ts';
import { forKey, waitingInWords } from './process-words.ts';

/** So many canceled runs are named, of those that nothing else was said of. */
const MOST_NAMED = 3;

export class RunTally {
  readonly counts: Counts = noRuns();
  readonly #output: Output;
  readonly #tellsWarned: boolean;
  readonly #began: number;
  #lastFailed = '';
  /** Runs of which checks had something to say. */
  #warned = 0;
  /** Runs that were canceled and that nothing was said of, since a batch ended. */
  #untold: RunRecord[] = [];
  /** What was counted of batches that ended before. */
  #batch: { readonly began: number; readonly before: Counts } | null = null;

  /** @param tellsWarned whether it is told how many runs had warnings */
  constructor(output: Output, { tellsWarned }: { readonly tellsWarned: boolean }) {
    this.#output = output;
    this.#tellsWarned = tellsWarned;
    this.#began = steadyTime(output.clock);
  }

  /** A run begins, and with it a batch where none is under way. */
  runBegins(): void {
    this.#batch ??= { began: steadyTime(this.#output.clock), before: { ...this.counts } };
  }

  /** @param isTold whether it is said by itself what became of the run */
  count(run: RunRecord, isTold = false): void {
    this.counts.total++;
    if (run.status === 'CANCELED' && !isTold && this.#untold.length <= MOST_NAMED) this.#untold.push(run);
    if (isSkipped(run)) this.counts.skipped++;
    else if (run.status === 'SUCCESS') this.counts.succeeded++;
    else if (run.status === 'FAILURE') {
      this.counts.failed++;
      this.#lastFailed = run.id;
    } else this.counts.canceled++;
  }

  /** @returns how many runs had warnings until now */
  countWarned(): number {
    return ++this.#warned;
  }

  /** The commands that come next; of several failures there is no one ID to give. */
  afterFailures(): string {
    const run = this.counts.failed === 1 ? this.#lastFailed : 'RUN';
    return `to see what it printed: dynpart runs logs ${run}; to try again: dynpart runs retry ${run}`;
  }

  /** All of them. */
  inWords(): string {
    return this.#inWords(this.counts, this.#began);
  }

  /** Nothing is left of the batch. @returns what became of it; `null` where none was under way, or none of its runs ended here */
  batchEnds(): string | null {
    const batch = this.#batch;
    this.#batch = null;
    if (batch === null) return null;
    const now = { ...this.counts };
    for (const name of Object.keys(now) as (keyof Counts)[]) now[name] -= batch.before[name];
    if (now.total === 0) return null;
    const words = this.#inWords(now, batch.began);
    this.#untold = [];
    return words;
  }

  #inWords({ succeeded, failed, canceled, skipped, leftOut, waiting }: Counts, began: number): string {
    const paint = this.#output.paint.stderr;
    const parts = [
      ...(succeeded > 0 ? [paint.good(`${counted(succeeded, 'run')} succeeded`)] : []),
      ...(failed > 0 ? [paint.bad(`${counted(failed, 'run')} failed`)] : []),
      ...(canceled > 0
        ? [`${paint.warn(`${counted(canceled, 'run')} canceled`)}${this.#untoldInWords()}`]
        : []),
      ...(skipped > 0 ? [`${counted(skipped, 'run')} with nothing to make`] : []),
      ...(this.#warned > 0 && this.#tellsWarned ? [paint.warn(`${this.#warned} with warnings`)] : []),
      ...(leftOut > 0 ? [`${counted(leftOut, 'key')} left out, queued or started already`] : []),
      ...(waiting > 0 ? [waitingInWords(waiting)] : []),
    ];
    return `${parts.join(', ')} in ${duration(steadyTime(this.#output.clock) - began)}`;
  }

  #untoldInWords(): string {
    if (this.#untold.length === 0) return '';
    const named = this.#untold.slice(0, MOST_NAMED);
    const names = named.map(({ id, partitionKey }) => `${id}${forKey(partitionKey)}`);
    return ` (${[...names, ...(this.#untold.length > MOST_NAMED ? ['…'] : [])].join(', ')})`;
  }
}

/** Every asset of the run found nothing to make. */
function isSkipped({ status, assets }: RunRecord): boolean {
  return status === 'SUCCESS' && assets.length > 0 && assets.every((asset) => asset.status === 'SKIPPED');
}
