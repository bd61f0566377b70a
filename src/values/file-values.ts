/**
 * The default I/O manager: values as files beside the state, one for each asset and key.
 *
 * A value is written in two steps. `save` writes it under a temporary name; `flush`, called before materializations are
 * recorded, syncs all that were saved at once and then gives them their names. So a value on record is whole, and ten
 * thousand small values do not wait for the disk one by one.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import type { IoManager, ValueContext } from '../definitions/io-manager.ts';
import {
  causeOf,
  errno,
  io,
  isThere,
  makeFolder,
  makePassingFolder,
  namesIn,
  removeIfThere,
  removeQuietly,
  syncFolder,
  writeAll,
} from '../files/durable-files.ts';
import { fileNameOf } from '../files/file-name.ts';
import { isLeftOver, processTag } from '../files/process-owner.ts';

/** An I/O manager whose saves become durable together. */
export interface BatchingIoManager extends IoManager {
  /** Makes durable what was saved and removed so far. */
  flush(): Promise<void>;
}

/** How a value is kept. Where two are there, one was about to be removed, and nothing was recorded yet: either will do. */
const ENDINGS = ['.bin', '.none', '.json'] as const;
type Ending = (typeof ENDINGS)[number];

interface SavedValue {
  readonly temporary: string;
  readonly file: string;
  readonly ending: Ending;
}

export class FileValues implements BatchingIoManager {
  readonly #folder: string;
  readonly #temporaries: string;
  readonly #folders = new Set<string>();
  #saved = new Map<string, SavedValue>();
  /** What a flush has in hand: its temporary files are the flush's to remove. */
  #flushing = new Map<string, SavedValue>();
  /** Where values were removed since the last flush. */
  readonly #purged = new Set<string>();
  #count = 0;
  #ready = false;

  constructor(stateFolder: string) {
    this.#folder = path.join(stateFolder, 'values');
    this.#temporaries = path.join(stateFolder, 'values', '.tmp');
  }

  save(context: ValueContext, value: unknown): void {
    this.#prepare();
    const base = this.#base(context);
    this.#makeFolderOf(base);
    const { bytes, ending } = encode(value);
    const temporary = path.join(this.#temporaries, `${processTag()}.${++this.#count}`);
    io('write', temporary, () => {
      const fd = fs.openSync(temporary, 'wx');
      try {
        writeAll(fd, bytes);
      } finally {
        fs.closeSync(fd);
      }
    });
    const earlier = this.#saved.get(base);
    if (earlier !== undefined) removeQuietly(earlier.temporary);
    this.#saved.set(base, { temporary, file: `${base}${ending}`, ending });
  }

  load(context: ValueContext): unknown {
    const base = this.#base(context);
    const saved = this.#saved.get(base) ?? this.#flushing.get(base);
    if (saved !== undefined) return this.#read(saved.temporary, saved.ending, context);
    const ending = ENDINGS.find((candidate) =>
      io('read', `${base}${candidate}`, () => isThere(`${base}${candidate}`)),
    );
    if (ending === undefined) {
      return fail({
        reason: 'value-damaged',
        file: `${base}.json`,
        asset: context.asset,
        key: context.partitionKey,
        cause: 'the file is gone',
      });
    }
    return this.#read(`${base}${ending}`, ending, context);
  }

  remove(context: ValueContext): void {
    const base = this.#base(context);
    const saved = this.#saved.get(base);
    if (saved !== undefined) removeQuietly(saved.temporary);
    this.#saved.delete(base);
    this.#flushing.delete(base);
    for (const ending of ENDINGS) io('remove', `${base}${ending}`, () => removeIfThere(`${base}${ending}`));
    if (fs.existsSync(path.dirname(base))) this.#purged.add(path.dirname(base));
  }

  async flush(): Promise<void> {
    // Runs go on meanwhile, and may save the same values again: those are the next flush's.
    const batch = this.#saved;
    this.#saved = new Map();
    this.#flushing = new Map(batch);
    await syncFiles([...batch.values()].map(({ temporary }) => temporary));
    const others: string[] = [];
    const folders = new Set(this.#purged);
    this.#purged.clear();
    for (const [base, { temporary, file, ending }] of batch) {
      if (!this.#flushing.has(base)) {
        // Removed in the meantime.
        removeQuietly(temporary);
        continue;
      }
      io('write', file, () => fs.renameSync(temporary, file));
      others.push(...this.#others(base, ending));
      folders.add(path.dirname(file));
    }
    syncFolders(folders);
    // A value of another kind goes when the new one is safe: until that is recorded, the old one may be on record. And it has
    // gone for good before that is recorded, since it may be the one that is found first.
    for (const file of others) io('remove', file, () => removeIfThere(file));
    syncFolders(new Set(others.map((file) => path.dirname(file))));
    this.#flushing = new Map();
  }

  /** Values of another kind that are kept for the same key. Mostly there is none, and asking is cheaper than failing. */
  #others(base: string, ending: Ending): string[] {
    return ENDINGS.filter((other) => other !== ending)
      .map((other) => `${base}${other}`)
      .filter((file) => io('read', file, () => isThere(file)));
  }

  #read(file: string, ending: Ending, { asset, partitionKey }: ValueContext): unknown {
    if (ending === '.none') return undefined;
    const bytes = io('read', file, () => fs.readFileSync(file));
    if (ending === '.bin') return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    try {
      return JSON.parse(bytes.toString('utf8')) as unknown;
    } catch (error) {
      return fail({
        reason: 'value-damaged',
        file,
        asset,
        key: partitionKey,
        cause: (error as Error).message,
      });
    }
  }

  #base({ asset, partitionKey }: ValueContext): string {
    // An asset without partitions has one value; its name cannot be a key's, since keys are encoded and never hold a '='.
    return path.join(this.#folder, fileNameOf(asset), partitionKey === null ? '=' : fileNameOf(partitionKey));
  }

  #makeFolderOf(base: string): void {
    const folder = path.dirname(base);
    if (this.#folders.has(folder)) return;
    makeFolder(folder);
    this.#folders.add(folder);
  }

  /** The folder for temporaries, and no leftovers of processes that were killed. */
  #prepare(): void {
    if (this.#ready) return;
    makePassingFolder(this.#temporaries);
    for (const name of io('read the folder', this.#temporaries, () => namesIn(this.#temporaries))) {
      const file = path.join(this.#temporaries, name);
      if (isLeftOver(file, name.split('.')[0]!)) removeQuietly(file);
    }
    this.#ready = true;
  }
}

function encode(value: unknown): { bytes: string | Uint8Array; ending: Ending } {
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

function syncNow(file: string): void {
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
        if (openError !== null) return reject(openError);
        fs.fsync(fd, (syncError) => fs.close(fd, (closeError) => settle(syncError ?? closeError)));
      });
    });
  } catch (error) {
    if (errno(error) === undefined) throw error;
    fail({ reason: 'state-io', file, action: 'sync', cause: causeOf(error) });
  }
}
