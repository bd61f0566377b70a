/**
 * The default I/O manager: values as files beside the state, one for each asset and key.
 *
 * A value becomes visible with the record of its materialization, or never. `save` stages it under the id of its run;
 * `flush`, called before materializations are recorded, makes all that is staged durable at once, so that ten thousand small
 * values do not wait for the disk one by one; `settle`, called after that commit, puts in place what is on record and drops
 * the rest. What a process that was killed in between has left is settled by the next one that executes runs.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import type { IoManager, SaveContext, ValueContext } from '../definitions/io-manager.ts';
import {
  bytesIfThere,
  causeOf,
  errno,
  io,
  isThere,
  likeNew,
  makeFolder,
  namesIn,
  removeIfThere,
  removeQuietly,
  syncFolder,
  takeOn,
  writeAll,
} from '../files/durable-files.ts';
import { fileNameOf } from '../files/file-name.ts';
import { ENDINGS, placeIn } from './places.ts';
import { asStaged, Journal, stagedFileOf, type StagedValue } from './staging.ts';

/** What is on record of a run: the assets whose values count. One that is over has no others. */
export interface SettledRun {
  readonly run: string;
  readonly assets: readonly string[];
  readonly isOver: boolean;
}

/** An I/O manager whose values become durable together, and visible with the record of their materialization. */
export interface BatchingIoManager extends IoManager {
  /** Settles what processes that were killed have left behind. */
  recover(): Promise<void>;
  /** Makes durable what was saved and removed so far. */
  flush(): Promise<void>;
  /** Puts in place the values of these runs that are on record, and drops the others of those that are over. */
  settle(runs: readonly SettledRun[]): void;
}

/** What is on record of a run: the assets that it has made, and whether it is over. */
export type MadeBy = (run: string) => Promise<Pick<SettledRun, 'assets' | 'isOver'>>;

const NOTHING_MADE: MadeBy = () => Promise.resolve({ assets: [], isOver: true });

export class FileValues implements BatchingIoManager {
  readonly #folder: string;
  readonly #madeBy: MadeBy;
  readonly #journal: Journal;
  /** By run, and in it by the place without its ending. */
  readonly #byRun = new Map<string, Map<string, StagedValue>>();
  /** The newest of each place: what other runs of this process are given. */
  readonly #newest = new Map<string, StagedValue>();
  readonly #unsynced = new Set<StagedValue>();
  /** On record, and not in place yet: what the disk refuses is tried again, and left in the journal for the next process. */
  #recorded: StagedValue[] = [];
  readonly #folders = new Set<string>();
  /** Where values were removed since the last flush. */
  readonly #purged = new Set<string>();

  constructor(stateFolder: string, madeBy: MadeBy = NOTHING_MADE) {
    this.#folder = path.join(stateFolder, 'values');
    this.#madeBy = madeBy;
    this.#journal = new Journal(this.#folder);
  }

  save({ run, asset, partitionKey }: SaveContext, value: unknown): void {
    const base = this.#base({ asset, partitionKey });
    this.#makeFolderOf(base);
    const { bytes, ending } = encode(value);
    const ofRun = this.#byRun.get(run.id) ?? new Map<string, StagedValue>();
    this.#byRun.set(run.id, ofRun);
    const earlier = ofRun.get(base);
    if (earlier !== undefined) this.#drop(earlier);
    const staged = { run: run.id, asset, key: partitionKey, file: `${base}${ending}` };
    const file = stagedFileOf(staged);
    io('write', file, () => {
      // An interrupted execution of the same run may have left one; and nothing is written through a link.
      removeIfThere(file);
      const like = inPlace(base);
      const fd = fs.openSync(file, 'wx', likeNew(like));
      try {
        if (like !== undefined) takeOn(fd, like);
        writeAll(fd, bytes);
      } finally {
        fs.closeSync(fd);
      }
    });
    this.#journal.add(staged);
    ofRun.set(base, staged);
    this.#newest.set(base, staged);
    this.#unsynced.add(staged);
  }

  async load(context: ValueContext): Promise<unknown> {
    const base = this.#base(context);
    const own = this.#newest.get(base);
    const staged = own ?? (await this.#madeByOthers(context));
    if (staged !== undefined) {
      const found = readIfThere(stagedFileOf(staged), staged.file, context);
      if (found !== null) return found.value;
    }
    for (const ending of ENDINGS) {
      const found = readIfThere(`${base}${ending}`, `${base}${ending}`, context);
      if (found !== null) return found.value;
    }
    const { asset, partitionKey: key } = context;
    return fail({ reason: 'value-damaged', file: `${base}.json`, asset, key, cause: 'the file is gone' });
  }

  /** Also what any process has staged: a value that was purged must not come back. */
  remove(context: ValueContext): void {
    const base = this.#base(context);
    for (const ofRun of this.#byRun.values()) {
      const staged = ofRun.get(base);
      if (staged !== undefined) this.#drop(staged);
      ofRun.delete(base);
    }
    this.#newest.delete(base);
    for (const staged of this.#recorded.filter((value) => isOf(value, context))) this.#drop(staged);
    for (const staged of this.#journal.ofOthers().filter((value) => isOf(value, context)))
      io('remove', staged.file, () => removeIfThere(stagedFileOf(staged)));
    for (const ending of ENDINGS) io('remove', `${base}${ending}`, () => removeIfThere(`${base}${ending}`));
    if (fs.existsSync(path.dirname(base))) this.#purged.add(path.dirname(base));
  }

  async flush(): Promise<void> {
    // Runs go on meanwhile, and may save more: that is the next flush's.
    const batch = [...this.#unsynced];
    this.#unsynced.clear();
    const folders = new Set(this.#purged);
    this.#purged.clear();
    await syncFiles(batch.map(stagedFileOf));
    for (const { file } of batch) folders.add(path.dirname(file));
    syncFolders(folders);
  }

  settle(runs: readonly SettledRun[]): void {
    for (const { run, assets, isOver } of runs) {
      const ofRun = this.#byRun.get(run) ?? new Map<string, StagedValue>();
      for (const [base, staged] of ofRun) {
        const counts = assets.includes(staged.asset);
        if (!counts && !isOver) continue;
        ofRun.delete(base);
        if (counts) this.#recorded.push(staged);
        else this.#drop(staged);
      }
      if (ofRun.size === 0) this.#byRun.delete(run);
    }
    putInPlace(this.#recorded);
    for (const staged of this.#recorded) this.#forget(staged);
    this.#recorded = [];
    if (this.#byRun.size === 0) this.#journal.clear();
  }

  async recover(): Promise<void> {
    for (const { values, settled } of this.#journal.ofTheDead()) {
      await this.#settleLeft(values);
      settled();
    }
    if (!this.#journal.isFirstOfBoot || !fs.existsSync(this.#folder)) return;
    await this.#settleLeft(this.#allStaged());
    this.#journal.lookedThrough();
  }

  /** What somebody left: newest first, so that no older value takes the place of a newer one. */
  async #settleLeft(values: readonly StagedValue[]): Promise<void> {
    const newest = new Map<string, StagedValue>();
    const dropped: StagedValue[] = [];
    for (const value of values) {
      const { assets, isOver } = await this.#madeBy(value.run);
      const counts = assets.some((asset) => path.basename(path.dirname(value.file)) === fileNameOf(asset));
      // Whoever executes the run again overwrites what it makes again.
      if (!counts && !isOver) continue;
      if (counts && !newest.has(placeOf(value))) newest.set(placeOf(value), value);
      else dropped.push(value);
    }
    putInPlace([...newest.values()]);
    for (const value of dropped) removeQuietly(stagedFileOf(value));
  }

  /** Every staged value in any folder, also of processes that live. Without its asset and key: only its name is known. */
  #allStaged(): StagedValue[] {
    return namesIn(this.#folder)
      .filter((name) => name !== '.tmp')
      .flatMap((name) => {
        const folder = path.join(this.#folder, name);
        return io('read the folder', folder, () => namesIn(folder)).flatMap((file) => {
          const staged = asStaged(file);
          if (staged === null) return [];
          return [{ run: staged.run, asset: '', key: null, file: path.join(folder, staged.becomes) }];
        });
      })
      .sort((one, other) => (one.run < other.run ? 1 : -1));
  }

  async #madeByOthers(context: ValueContext): Promise<StagedValue | undefined> {
    for (const staged of this.#journal.ofOthers()) {
      if (!isOf(staged, context)) continue;
      if ((await this.#madeBy(staged.run)).assets.includes(staged.asset)) return staged;
    }
    return undefined;
  }

  #drop(staged: StagedValue): void {
    this.#unsynced.delete(staged);
    this.#forget(staged);
    removeQuietly(stagedFileOf(staged));
  }

  #forget(staged: StagedValue): void {
    if (this.#newest.get(placeOf(staged)) === staged) this.#newest.delete(placeOf(staged));
  }

  #base(context: ValueContext): string {
    return placeIn(this.#folder, context);
  }

  #makeFolderOf(base: string): void {
    const folder = path.dirname(base);
    if (this.#folders.has(folder)) return;
    makeFolder(folder);
    this.#folders.add(folder);
  }
}

/** Where a value belongs, however it is kept. */
function placeOf({ file }: StagedValue): string {
  return file.replace(/\.\w+$/, '');
}

/**
 * A loss of power may take back each name by itself. So a value keeps the name under which it waits until its place is safe,
 * and until a value of another kind, which might be found instead, is gone for good.
 */
function putInPlace(values: readonly StagedValue[]): void {
  // One that is not there any more was purged.
  const there = values.filter((staged) => fs.existsSync(stagedFileOf(staged)));
  for (const staged of there) io('write', staged.file, () => linkOver(stagedFileOf(staged), staged.file));
  syncFolders(foldersOf(there));
  const older = there.flatMap((staged) =>
    ENDINGS.map((ending) => `${placeOf(staged)}${ending}`).filter(
      (file) => file !== staged.file && io('read', file, () => isThere(file)),
    ),
  );
  for (const file of older) io('remove', file, () => removeIfThere(file));
  syncFolders(new Set(older.map((file) => path.dirname(file))));
  for (const staged of there) removeQuietly(stagedFileOf(staged));
}

/** The value that is going to be replaced, however it is kept: somebody may have narrowed or shared its file. */
function inPlace(base: string): fs.Stats | undefined {
  for (const ending of ENDINGS) {
    const like = fs.lstatSync(`${base}${ending}`, { throwIfNoEntry: false });
    if (like?.isFile() === true) return like;
  }
  return undefined;
}

function foldersOf(values: readonly StagedValue[]): Set<string> {
  return new Set(values.map(({ file }) => path.dirname(file)));
}

/** Gives a file a further name, whatever has that name now. Where there are no hard links, the name is all that it has. */
function linkOver(from: string, to: string): void {
  const between = `${from}~`;
  removeIfThere(between);
  try {
    fs.linkSync(from, between);
  } catch (error) {
    // Purged in the meantime.
    if (errno(error) === 'ENOENT') return;
    if (!hasNoLinks(error)) throw error;
    fs.renameSync(from, to);
    return;
  }
  fs.renameSync(between, to);
  // Two names of one file are left as they are: it was in its place already.
  removeIfThere(between);
}

function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errno(error) ?? '');
}

function isOf(staged: StagedValue, { asset, partitionKey }: ValueContext): boolean {
  return staged.asset === asset && staged.key === partitionKey;
}

/** `becomes` says by its ending how the value is kept. */
function readIfThere(
  file: string,
  becomes: string,
  { asset, partitionKey: key }: ValueContext,
): { readonly value: unknown } | null {
  const bytes = io('read', file, () => bytesIfThere(file));
  if (bytes === null) return null;
  if (becomes.endsWith('.none')) return { value: undefined };
  if (becomes.endsWith('.bin'))
    return { value: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
  try {
    return { value: JSON.parse(bytes.toString('utf8')) as unknown };
  } catch (error) {
    return fail({ reason: 'value-damaged', file, asset, key, cause: (error as Error).message });
  }
}

function encode(value: unknown): { bytes: string | Uint8Array; ending: (typeof ENDINGS)[number] } {
  if (value === undefined) return { bytes: '', ending: '.none' };
  if (value instanceof Uint8Array) return { bytes: value, ending: '.bin' };
  return { bytes: `${JSON.stringify(value)}\n`, ending: '.json' };
}

/** So many files wait for the disk at the same time: as many as there are threads, and far below the limit of open files. */
const SYNCS = 64;

/** A few are synced at once: starting the threads would take longer. */
const FEW = 8;

async function syncFiles(files: readonly string[]): Promise<void> {
  if (files.length <= FEW) {
    for (const file of files) io('sync', file, () => syncNow(file));
    return;
  }
  const left = files.values();
  const worker = async (): Promise<void> => {
    for (const file of left) await syncFile(file);
  };
  await Promise.all(Array.from({ length: Math.min(SYNCS, files.length) }, worker));
}

function syncFolders(folders: ReadonlySet<string>): void {
  for (const folder of folders) io('sync the folder', folder, () => syncFolder(folder));
}

/** A value that is not there any more was purged. */
function syncNow(file: string): void {
  if (!fs.existsSync(file)) return;
  const fd = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

async function syncFile(file: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null | undefined): void => (error ? reject(error) : resolve());
      fs.open(file, 'r', (openError, fd) => {
        if (openError?.code === 'ENOENT') return resolve();
        if (openError !== null) return reject(openError);
        fs.fsync(fd, (syncError) => fs.close(fd, (closeError) => settle(syncError ?? closeError)));
      });
    });
  } catch (error) {
    if (errno(error) === undefined) throw error;
    fail({ reason: 'state-io', file, action: 'sync', cause: causeOf(error) });
  }
}
