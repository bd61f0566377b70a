/** What happened in this process and is not on record yet: no view of the state shows it. */
import type { AssetOutcome } from '../../model/run.ts';
import type { FinishedRun } from '../../state/changes.ts';
import { FreshlyMade } from './freshly-made.ts';

export class Unrecorded {
  readonly #started = new Map<string, string>();
  readonly #fresh = new FreshlyMade();
  #ended: FinishedRun[] = [];
  #made = new Map<string, readonly AssetOutcome[]>();
  #count = 0;

  /** Runs whose end is not on record, those included that a commit has in hand. */
  get count(): number {
    return this.#count;
  }

  /** Whether there are ends that no commit has in hand. */
  get hasEnds(): boolean {
    return this.#ended.length > 0;
  }

  get ids(): string[] {
    return this.#ended.map(({ record }) => record.id);
  }

  noteStart(id: string, at: string): void {
    this.#started.set(id, at);
  }

  noteEnd(end: FinishedRun): void {
    this.#ended.push(end);
    this.#count++;
    this.#fresh.note(end.record);
  }

  /** The run is not this process's any more. */
  forgetStart(id: string): void {
    this.#started.delete(id);
    this.#made.delete(id);
  }

  /** An asset of a run is made, and the run goes on. */
  noteMade(id: string, outcome: AssetOutcome): void {
    this.#made.set(id, [...(this.#made.get(id) ?? []), outcome]);
  }

  get hasMade(): boolean {
    return this.#made.size > 0;
  }

  /** What runs have made on their way, for a commit to record. */
  takeMade(): ReadonlyMap<string, readonly AssetOutcome[]> {
    const made = this.#made;
    this.#made = new Map();
    return made;
  }

  /** The ends that have come up, for a commit to record. */
  takeEnds(): FinishedRun[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  /** When the runs that pass began, as far as the state does not show it. */
  startsOf(passes: (id: string) => boolean): Map<string, string> {
    return new Map([...this.#started].filter(([id]) => passes(id)));
  }

  /** A commit has recorded that these began. */
  startsRecorded(ids: Iterable<string>): void {
    for (const id of ids) this.#started.delete(id);
  }

  /** A commit has recorded these ends, or found that they are not this process's to record. */
  endsRecorded(ended: readonly FinishedRun[]): void {
    this.#count -= ended.length;
    for (const { record } of ended) this.#started.delete(record.id);
  }

  /** There is a view that shows them. */
  endsShown(ended: readonly FinishedRun[]): void {
    for (const { record } of ended) this.#fresh.forget(record);
  }

  /** Whether an asset was made here for a key, and no view shows it. */
  isFresh(asset: string, partitionKey: string | null): boolean {
    return this.#fresh.has(asset, partitionKey);
  }
}
