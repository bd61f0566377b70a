/** The values that this process has staged, or adopted: which of them wait for what. */
import type { ValueContext } from '../definitions/io-manager.ts';
import type { SettledRun, StagedValue } from '../definitions/staged-values.ts';
import { removeQuietly } from '../files/durable-files.ts';
import { isRemoval, placeOf, stagedFileOf } from './journal.ts';
import { isAnothers } from './write-staged.ts';

export class StagedValues {
  /** By run, and in it by place. */
  readonly #byRun = new Map<string, Map<string, StagedValue>>();
  /** The newest of each place: what other runs of this process are given. */
  readonly #newest = new Map<string, StagedValue>();
  #unsynced = new Set<StagedValue>();
  /** On record, and not in place yet, by place: what the disk refuses is tried again, and left in the journal for the next process. */
  readonly #recorded = new Map<string, StagedValue>();

  /** Whether no run has any. */
  get isEmpty(): boolean {
    return this.#byRun.size === 0;
  }

  /** They are another process's to settle. */
  forgetAll(): void {
    this.#byRun.clear();
    this.#newest.clear();
    this.#unsynced.clear();
  }

  of(run: string): StagedValue[] {
    return [...(this.#byRun.get(run)?.values() ?? [])];
  }

  has({ run, file }: StagedValue): boolean {
    return this.#byRun.get(run)?.get(placeOf({ file }))?.file === file;
  }

  newestOf(place: string): StagedValue | undefined {
    return this.#newest.get(place);
  }

  /** Drops what the run has staged for a place before. */
  replace(run: string, place: string): void {
    const earlier = this.#byRun.get(run)?.get(place);
    if (earlier !== undefined) this.#drop(earlier);
  }

  add(staged: StagedValue): void {
    const place = placeOf(staged);
    const ofRun = this.#byRun.get(staged.run) ?? new Map<string, StagedValue>();
    this.#byRun.set(staged.run, ofRun.set(place, staged));
    this.#newest.set(place, staged);
    this.#unsynced.add(staged);
  }

  /** Drops what all runs have staged for a place. */
  purge(place: string, context: ValueContext): void {
    for (const ofRun of this.#byRun.values()) {
      const staged = ofRun.get(place);
      if (staged !== undefined) this.#drop(staged);
      ofRun.delete(place);
    }
    this.#newest.delete(place);
    for (const staged of this.#recorded.values()) if (isOf(staged, context)) this.#drop(staged);
  }

  /** What has to be synced. Runs go on meanwhile, and may save more: that is for the next time. */
  takeUnsynced(): readonly StagedValue[] {
    const batch = [...this.#unsynced];
    this.#unsynced = new Set();
    return batch;
  }

  /** Sorts what these runs have staged into what is on record and what is dropped, and puts the first in place. */
  settle(runs: readonly SettledRun[], putInPlace: (recorded: readonly StagedValue[]) => void): void {
    for (const { run, isOver, ...settled } of runs) {
      const ofRun = this.#byRun.get(run) ?? new Map<string, StagedValue>();
      for (const [place, staged] of ofRun) {
        const counts = assetsFor(staged, settled).includes(staged.asset);
        if (!counts && !isOver) continue;
        ofRun.delete(place);
        if (counts) this.#record(place, staged);
        else this.#drop(staged);
      }
      if (ofRun.size === 0) this.#byRun.delete(run);
    }
    const recorded = [...this.#recorded.values()];
    putInPlace(recorded);
    for (const staged of recorded) this.#forget(staged);
    this.#recorded.clear();
  }

  /** Of a place that two runs have settled, the later one counts. */
  #record(place: string, staged: StagedValue): void {
    const earlier = this.#recorded.get(place);
    if (earlier !== undefined) this.#drop(earlier);
    this.#recorded.delete(place);
    this.#recorded.set(place, staged);
  }

  #drop(staged: StagedValue): void {
    this.#unsynced.delete(staged);
    this.#forget(staged);
    dropOwn(staged);
  }

  #forget(staged: StagedValue): void {
    const place = placeOf(staged);
    if (this.#newest.get(place) === staged) this.#newest.delete(place);
  }
}

/** Whoever has the run by now may have staged its own value under this name. */
export function dropOwn(staged: StagedValue): void {
  const file = stagedFileOf(staged);
  if (staged.mark === undefined || !isAnothers(file, staged.mark)) removeQuietly(file);
}

/** The assets of a run of which such a value counts. */
export function assetsFor(
  staged: Pick<StagedValue, 'file'>,
  { assets, skipped = [] }: Pick<SettledRun, 'assets' | 'skipped'>,
): readonly string[] {
  return isRemoval(staged) ? skipped : assets;
}

export function isOf(staged: StagedValue, { asset, partitionKey }: ValueContext): boolean {
  return staged.asset === asset && staged.key === partitionKey;
}
