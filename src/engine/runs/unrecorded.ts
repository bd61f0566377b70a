/** What happened in this process and is not on record yet: no view of the state shows it. */
import type { AssetOutcome } from '../../model/run.ts';
import type { FinishedRun } from '../../state/changes.ts';
import { FreshlyMade } from './freshly-made.ts';

export class Unrecorded {
  readonly #started = new Map<string, string>();
  readonly #fresh = new FreshlyMade();
  readonly #seen = new Map<string, Map<string, number>>();
  #ended: FinishedRun[] = [];
  #made = new Map<string, readonly AssetOutcome[]>();
  #count = 0;
  /** Ends that no view shows yet. */
  readonly #unseen = new Map<string, FinishedRun>();
  #onShown: (() => void)[] = [];
  /** Those of them that are on record, with the serial from which on a view shows them. */
  #recorded: { readonly from: number; readonly ended: readonly FinishedRun[] }[] = [];

  /** Runs whose end is not on record, those included that a commit has in hand. */
  get count(): number {
    return this.#count;
  }

  /** Whether there are ends that no commit has in hand. */
  get hasEnds(): boolean {
    return this.#ended.length > 0;
  }

  /** How many ends no commit has in hand. */
  get waiting(): number {
    return this.#ended.length;
  }

  /** Ends that no commit has in hand. */
  get ended(): readonly FinishedRun[] {
    return this.#ended;
  }

  /** Whether any of these ends is that of a run which was to make this. */
  hasEndOf(asset: string, partitionKey: string | null): boolean {
    const isIt = ({ record }: FinishedRun): boolean => record.assets.some((one) => one.asset === asset);
    return this.#ended.some((end) => end.record.partitionKey === partitionKey && isIt(end));
  }

  noteStart(id: string, at: string): void {
    this.#started.set(id, at);
  }

  noteEnd(end: FinishedRun): void {
    this.#ended.push(end);
    this.#count++;
    this.#fresh.note(end.record);
    this.#unseen.set(end.record.id, end);
  }

  /** The run is not this process's any more. */
  forgetStart(id: string): void {
    this.#started.delete(id);
    this.#made.delete(id);
    this.#seen.delete(id);
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

  /** A commit has recorded these ends, or found that they are not this process's to record. @param from the serial of views that show it */
  endsRecorded(ended: readonly FinishedRun[], from: number): void {
    this.#count -= ended.length;
    this.#recorded.push({ from, ended });
    for (const { record } of ended) {
      this.#started.delete(record.id);
      this.#seen.delete(record.id);
    }
  }

  /** There is a view with this serial. */
  seen(serial: number): void {
    const shown = this.#recorded.filter(({ from }) => from <= serial);
    if (shown.length === 0) return;
    this.#recorded = this.#recorded.filter(({ from }) => from > serial);
    for (const { record } of shown.flatMap(({ ended }) => ended)) {
      this.#fresh.forget(record);
      this.#unseen.delete(record.id);
    }
    const callbacks = this.#onShown;
    this.#onShown = [];
    for (const callback of callbacks) callback();
  }

  /** Waits until there is a view that shows what has ended here of these assets until now. */
  async shown(assets: ReadonlySet<string>): Promise<void> {
    const isOne = ({ record }: FinishedRun): boolean => record.assets.some(({ asset }) => assets.has(asset));
    const waited = [...this.#unseen.values()].filter(isOne).map(({ record }) => record.id);
    while (waited.some((id) => this.#unseen.has(id)))
      await new Promise<void>((resolve) => this.#onShown.push(resolve));
  }

  /** What an asset has come to here for a key, as long as no view shows it. */
  freshOf(asset: string, partitionKey: string | null): ReturnType<FreshlyMade['statusOf']> {
    return this.#fresh.statusOf(asset, partitionKey);
  }

  /** An asset of a run begins, from what a view of this serial shows. */
  noteSeen(id: string, asset: string, serial: number): void {
    const seen = this.#seen.get(id) ?? new Map<string, number>();
    this.#seen.set(id, seen);
    seen.set(asset, serial);
  }

  /** What an asset of a run was made from: the state with this serial. `undefined`: it was not made here. */
  seenBy(id: string, asset: string): number | undefined {
    return this.#seen.get(id)?.get(asset);
  }
}
