/**
 * The default I/O manager: values as files beside the state, one for each asset and key.
 *
 * A value becomes visible with the record of its materialization, or never. `save` stages it under the id of its run;
 * `flush`, called before materializations are recorded, makes all that is staged durable at once, so that ten thousand small
 * values do not wait for the disk one by one; `settle`, called after that commit, puts in place what is on record and drops
 * the rest. What a process that was killed in between has left is settled by the next one that executes runs.
 */
import path from 'node:path';
import { fail } from '../model/failure.ts';
import type { SaveContext, ValueContext } from '../definitions/io-manager.ts';
import type { SettledRun, StagedPurge, StagedValue, StagingIoManager } from '../definitions/staged-values.ts';
import { io, isThere, makeFolder, namesIn, removeIfThere, removeQuietly } from '../files/durable-files.ts';
import { fileNameOf } from '../files/file-name.ts';
import { isByHand, isRemoval, Journal, type LeftBehind, placeOf, stagedFileOf } from './journal.ts';
import { ENDINGS, GONE, placeIn } from './places.ts';
import { putInPlace } from './put-in-place.ts';
import { allStaged, dropPassing } from './all-staged.ts';
import { FilePurge, isPurge } from './staged-purge.ts';
import { assetsFor, dropOwn, isOf, StagedValues } from './staged-values.ts';
import { syncFiles, syncFolders } from './sync-files.ts';
import { encode, readIfThere } from './value-format.ts';
import { writeStaged } from './write-staged.ts';

/** The state, as far as it says which values go. */
export interface OnRecord {
  /** Which of these keys are skipped. */
  skippedOf(asset: string, keys: readonly (string | null)[]): Promise<ReadonlySet<string | null>>;
  /** No loss of power takes back what was read: a value goes for good. */
  makeLast(): Promise<void>;
}

const NOTHING_ON_RECORD: OnRecord = {
  skippedOf: () => Promise.resolve(new Set()),
  makeLast: () => Promise.resolve(),
};

/**
 * What is on record of a run: the assets that it has made, and whether it is over. Of values that were to be purged: whether nothing of them
 * is on record any more.
 */
export type MadeBy = (run: string, purged?: StagedValue) => Promise<Omit<SettledRun, 'run'>>;

const NOTHING_MADE: MadeBy = () => Promise.resolve({ assets: [], isOver: true });

/** The journal of a process that hands over what it stages may name so many that it has handed over. */
const CLEARED_EVERY = 100;

export class FileValues implements StagingIoManager {
  readonly #folder: string;
  readonly #madeBy: MadeBy;
  readonly #onRecord: OnRecord;
  readonly #journal: Journal;
  readonly #staged = new StagedValues();
  readonly #folders = new Set<string>();
  /** Where values were removed since the last flush. */
  readonly #purged = new Set<string>();

  #handedOver = 0;
  /** Of another process, for as long as it says so. */
  #lent: ReadonlyMap<string, StagedValue> = new Map();

  /** @param parent the tag of the process that adopts what is staged here, see `Journal` */
  constructor(
    stateFolder: string,
    madeBy: MadeBy = NOTHING_MADE,
    onRecord: OnRecord = NOTHING_ON_RECORD,
    parent?: string,
  ) {
    this.#folder = path.join(stateFolder, 'values');
    this.#madeBy = madeBy;
    this.#onRecord = onRecord;
    this.#journal = new Journal(this.#folder, parent);
  }

  save({ run, asset, partitionKey }: SaveContext, value: unknown): void {
    const { bytes, ending } = encode(value);
    this.#stage(run.id, { asset, partitionKey }, ending, bytes);
  }

  /** Mostly nothing was made before: then nothing is staged. */
  skip(run: string, context: ValueContext): void {
    const place = this.#placeFor(context);
    const isKept = ENDINGS.some((ending) => io('read', place, () => isThere(`${place}${ending}`)));
    if (isKept || this.#staged.newestOf(place) !== undefined) this.#stage(run, context, GONE, '');
  }

  async skipByHand(asset: string, keys: readonly (string | null)[]): Promise<void> {
    const kept = this.kept(asset, keys);
    const staged = new Set(this.#journal.ofOthers().flatMap((one) => (one.asset === asset ? [one.key] : [])));
    const removals = keys
      .filter((key) => kept.has(key) || staged.has(key))
      .map((key) => ({ asset, key, file: `${this.#placeFor({ asset, partitionKey: key })}${GONE}` }));
    if (removals.length > 0) await this.#journal.addRemovals(removals);
  }

  #stage(
    run: string,
    { asset, partitionKey: key }: ValueContext,
    ending: string,
    bytes: string | Uint8Array,
  ): void {
    const place = this.#placeFor({ asset, partitionKey: key });
    this.#makeFolderOf(place);
    this.#staged.replace(run, place);
    const value = { run, asset, key, file: `${place}${ending}` };
    const file = stagedFileOf(value);
    const mark = io('write', file, () => writeStaged(file, place, bytes));
    const staged = { ...value, mark };
    this.#journal.add(staged);
    this.#staged.add(staged);
  }

  purging(id: string): StagedPurge {
    return new FilePurge(this.#folder, id);
  }

  staged(run: string): readonly StagedValue[] {
    return this.#staged.of(run);
  }

  adopt(values: readonly StagedValue[]): void {
    for (const value of values) {
      if (this.#staged.has(value)) continue;
      const { run, asset, key, file } = value;
      const place = this.#placeFor({ asset, partitionKey: key });
      if (placeOf(value) !== place) throw new Error(`${file} is no place for a value of asset '${asset}'`);
      this.#staged.replace(run, place);
      this.#journal.add(value);
      this.#staged.add(value);
    }
  }

  /** What was made here of these, and waits for its place. */
  waiting(values: readonly ValueContext[]): readonly StagedValue[] {
    if (this.#staged.isEmpty) return [];
    return values.flatMap((value) => this.#staged.newestOf(this.#placeFor(value)) ?? []);
  }

  /** Another process has made these, and they wait: they are loaded from where they wait. Those that were lent before are given back. */
  lend(values: readonly StagedValue[]): void {
    this.#lent = new Map(values.map((value) => [placeOf(value), value]));
  }

  /** All that was staged here is another process's by now, and in its journal. To write that down each time would take as long as the value. */
  handedOver({ isLast }: { readonly isLast: boolean }): void {
    this.#staged.forgetAll();
    this.#handedOver++;
    if (isLast || this.#handedOver % CLEARED_EVERY === 0) this.#journal.clear();
  }

  async load(context: ValueContext): Promise<unknown> {
    const place = this.#placeFor(context);
    const staged =
      this.#lent.get(place) ?? this.#staged.newestOf(place) ?? (await this.#madeByOthers(context));
    if (staged !== undefined && !isRemoval(staged)) {
      const found = readIfThere(stagedFileOf(staged), staged.file, context);
      if (found !== null) return found.value;
    }
    for (const ending of ENDINGS) {
      const found = readIfThere(`${place}${ending}`, `${place}${ending}`, context);
      if (found !== null) return found.value;
    }
    const { asset, partitionKey: key } = context;
    return fail({ reason: 'value-damaged', file: `${place}.json`, asset, key, cause: 'the file is gone' });
  }

  /** Also what any process has staged: a value that was purged must not come back. */
  remove(context: ValueContext): void {
    const place = this.#placeFor(context);
    this.#staged.purge(place, context);
    for (const staged of this.#journal.ofOthers().filter((value) => isOf(value, context)))
      io('remove', staged.file, () => removeIfThere(stagedFileOf(staged)));
    for (const ending of ENDINGS) io('remove', `${place}${ending}`, () => removeIfThere(`${place}${ending}`));
    if (isThere(path.dirname(place))) this.#purged.add(path.dirname(place));
  }

  /** Of which of these keys there is a value in its place. */
  kept(asset: string, keys: readonly (string | null)[]): ReadonlySet<string | null> {
    const files = new Set(namesIn(path.dirname(this.#placeFor({ asset, partitionKey: null }))));
    return new Set(
      keys.filter((partitionKey) => {
        const name = path.basename(this.#placeFor({ asset, partitionKey }));
        return ENDINGS.some((ending) => files.has(`${name}${ending}`));
      }),
    );
  }

  async flush(): Promise<void> {
    const batch = this.#staged.takeUnsynced();
    const folders = new Set(this.#purged);
    this.#purged.clear();
    await syncFiles(batch.map(stagedFileOf));
    for (const { file } of batch) folders.add(path.dirname(file));
    syncFolders(folders);
  }

  settle(runs: readonly SettledRun[]): void {
    this.#staged.settle(runs, putInPlace);
    if (this.#staged.isEmpty) this.#journal.clear();
  }

  async recover(): Promise<void> {
    const left = this.#journal.ofTheDead();
    for (const one of left) await this.#settleLeft(one);
    // After all that was made, which one of the others may have put into place.
    await this.#removeByHand(left.flatMap(({ values }) => values.filter(isByHand)));
    for (const { settled } of left) settled();
    if (!this.#journal.isFirstOfBoot || !io('read', this.#folder, () => isThere(this.#folder))) return;
    await this.#settleLeft({ values: allStaged(this.#folder, this.#journal.ofOthers()), isNobodys: false });
    dropPassing(this.#folder, () => this.#journal.ofOthers());
    this.#journal.lookedThrough();
  }

  /** Where the process was killed before its commit, or the key was made again since, the value stays. */
  async #removeByHand(removals: readonly StagedValue[]): Promise<void> {
    const keys = new Map<string, Set<string | null>>();
    for (const { asset, key } of removals) keys.set(asset, (keys.get(asset) ?? new Set()).add(key));
    for (const [asset, ofAsset] of keys) {
      const skipped = await this.#onRecord.skippedOf(asset, [...ofAsset]);
      await this.#onRecord.makeLast();
      for (const partitionKey of skipped) this.remove({ asset, partitionKey });
    }
    if (this.#purged.size > 0) await this.flush();
  }

  /** What somebody left: newest first, so that no older value takes the place of a newer one. */
  async #settleLeft({ values, isNobodys }: Omit<LeftBehind, 'settled'>): Promise<void> {
    const newest = new Map<string, StagedValue>();
    const dropped: StagedValue[] = [];
    for (const value of values.filter((one) => !isByHand(one))) {
      const purged = isPurge(value.run) ? value : undefined;
      const { isOver, ...settled } = await this.#madeBy(value.run, purged);
      const folder = path.basename(path.dirname(value.file));
      const counts = assetsFor(value, settled).some((asset) => folder === fileNameOf(asset));
      // Whoever executes the run again may make less of it, and its key may go: nobody would know of this any more.
      if (!counts && !isOver && isNobodys && value.mark !== undefined) dropOwn(value);
      if (!counts && !isOver) continue;
      if (counts && !newest.has(placeOf(value))) newest.set(placeOf(value), value);
      else dropped.push(value);
    }
    const inPlace = [...newest.values()];
    if (inPlace.some(isRemoval)) await this.#onRecord.makeLast();
    putInPlace(inPlace);
    for (const value of dropped) removeQuietly(stagedFileOf(value));
  }

  async #madeByOthers(context: ValueContext): Promise<StagedValue | undefined> {
    for (const staged of this.#journal.ofOthers()) {
      if (!isOf(staged, context) || isRemoval(staged)) continue;
      if ((await this.#madeBy(staged.run)).assets.includes(staged.asset)) return staged;
    }
    return undefined;
  }

  #placeFor(context: ValueContext): string {
    return placeIn(this.#folder, context);
  }

  #makeFolderOf(place: string): void {
    const folder = path.dirname(place);
    if (this.#folders.has(folder)) return;
    makeFolder(folder);
    this.#folders.add(folder);
  }
}
