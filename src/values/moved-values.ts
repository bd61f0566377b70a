/** The values of a state that is a file, when it is moved: all of them, also of keys that are in no set any more. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  bytesIfThere,
  io,
  isThere,
  makeFolder,
  namesIn,
  removeIfThere,
  removeQuietly,
  writeAll,
} from '../files/durable-files.ts';
import { fileNameOf, nameOfFile } from '../files/file-name.ts';
import { fail } from '../model/failure.ts';
import type { Codec, ValueName } from '../model/kept-value.ts';
import { asStaged } from './journal.ts';
import { ENDINGS, placeIn } from './places.ts';
import { syncFiles, syncFolders } from './sync-files.ts';

const CODECS = { '.json': 'json', '.bin': 'bin', '.none': 'none' } as const;

/** Behind the name of a value that is not whole yet. */
const PART = '.moving';

export class MovedValues {
  readonly #folder: string;
  readonly #known: ReadonlyMap<string, string>;
  #nameless = 0;

  /** @param names of assets and keys: only those that are too long for a file's name are needed */
  constructor(beside: string, names: Iterable<string> = []) {
    this.#folder = path.join(beside, 'values');
    this.#known = new Map(Array.from(names, (name) => [fileNameOf(name), name]));
  }

  *values(): Generator<readonly ValueName[]> {
    this.#nameless = 0;
    for (const folder of this.#namesIn(this.#folder).filter((name) => !name.startsWith('.'))) {
      const asset = this.#nameOf(folder);
      const found: ValueName[] = [];
      for (const file of this.#namesIn(path.join(this.#folder, folder))) {
        const ending = path.extname(file) as keyof typeof CODECS;
        if (!Object.hasOwn(CODECS, ending) || asStaged(file) !== null) continue;
        const base = file.slice(0, -ending.length);
        const key = base === '=' ? null : this.#nameOf(base);
        if (asset === undefined || key === undefined) {
          this.#nameless++;
          continue;
        }
        const place = path.join(this.#folder, folder, file);
        const stat = io('read', place, () => fs.statSync(place, { throwIfNoEntry: false }));
        if (stat?.isFile()) found.push({ asset, key, codec: CODECS[ending], bytes: stat.size });
      }
      yield found;
    }
  }

  /** Of the last look. */
  get nameless(): number {
    return this.#nameless;
  }

  value(name: ValueName): Buffer {
    const file = this.#fileOf(name);
    const bytes = io('read', file, () => bytesIfThere(file));
    const { asset, key } = name;
    return bytes ?? fail({ reason: 'value-damaged', file, asset, key, cause: 'the file is gone' });
  }

  /** `null` for one that is not there. */
  digests(names: readonly ValueName[]): (string | null)[] {
    return names.map((name) => {
      const file = this.#fileOf(name);
      const bytes = io('read', file, () => bytesIfThere(file));
      return bytes === null ? null : createHash('sha256').update(bytes).digest('hex');
    });
  }

  clear(): void {
    io('remove', this.#folder, () => fs.rmSync(this.#folder, { recursive: true, force: true }));
  }

  /** On the disk when the promise has resolved. */
  async put(values: readonly (readonly [name: ValueName, bytes: Uint8Array])[]): Promise<void> {
    const files: string[] = [];
    for (const [name, bytes] of values) {
      const file = this.#fileOf(name);
      makeFolder(path.dirname(file));
      io('write', file, () => {
        removeIfThere(`${file}${PART}`);
        const fd = fs.openSync(`${file}${PART}`, 'wx');
        try {
          writeAll(fd, bytes);
        } finally {
          fs.closeSync(fd);
        }
      });
      files.push(file);
    }
    await syncFiles(files.map((file) => `${file}${PART}`));
    for (const file of files) io('write', file, () => fs.renameSync(`${file}${PART}`, file));
    for (const [name] of values)
      for (const ending of ENDINGS)
        if (CODECS[ending] !== name.codec) removeQuietly(`${this.#placeOf(name)}${ending}`);
    syncFolders(new Set(files.map((file) => path.dirname(file))));
  }

  #fileOf(name: ValueName): string {
    return `${this.#placeOf(name)}${endingOf(name.codec)}`;
  }

  #placeOf({ asset, key }: ValueName): string {
    return placeIn(this.#folder, { asset, partitionKey: key });
  }

  #nameOf(file: string): string | undefined {
    return nameOfFile(file) ?? this.#known.get(file);
  }

  #namesIn(folder: string): string[] {
    return io('read the folder', folder, () =>
      isThere(folder) && fs.statSync(folder).isDirectory() ? namesIn(folder) : [],
    );
  }
}

function endingOf(codec: Codec): string {
  return `.${codec}`;
}
