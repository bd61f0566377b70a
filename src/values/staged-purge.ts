/**
 * Values that are to go with their keys: said on the disk before the commit that takes the keys out, so that whoever is killed behind it
 * leaves nothing for ever. The next process that executes runs or ticks settles what is left, as it does with staged values.
 *
 * What is staged is a file beside the value, as for what a run has skipped, but with the asset and the key in it: there is no run to ask.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ValueContext } from '../definitions/io-manager.ts';
import type { StagedPurge, StagedValue } from '../definitions/staged-values.ts';
import { io, isThere, readIfThere, removeIfThere, removeQuietly, writeAll } from '../files/durable-files.ts';
import { fits, object, orNull, text } from '../model/shape.ts';
import { Journal, stagedFileOf } from './journal.ts';
import { ENDINGS, GONE, placeIn } from './places.ts';
import { putInPlace } from './put-in-place.ts';
import { syncFiles, syncFolders } from './sync-files.ts';

const MARK = 'purge-';

/** Whether such a staged value waits for no run, but for its key to be gone. */
export function isPurge(run: string): boolean {
  return run.startsWith(MARK);
}

const purgeShape = object<ValueContext>({ asset: text, partitionKey: orNull(text) });

/** What a staged file says that is to go; `null` where it says nothing whole: then it was not durable, and no commit followed. */
export function purgeIn(file: string): ValueContext | null {
  const said = io('read', file, () => readIfThere(file));
  try {
    const value: unknown = JSON.parse(said ?? '');
    return fits(purgeShape, value) ? value : null;
  } catch {
    return null;
  }
}

export class FilePurge implements StagedPurge {
  readonly #folder: string;
  readonly #run: string;
  readonly #journal: Journal;
  #staged: readonly StagedValue[] = [];

  constructor(valuesFolder: string, id: string) {
    this.#folder = valuesFolder;
    this.#run = `${MARK}${id}`;
    // Of its own: runs of this process may have values in the other one.
    this.#journal = new Journal(valuesFolder, this.#run);
  }

  async stage(values: readonly ValueContext[]): Promise<void> {
    const kept = values.flatMap((value) => {
      const place = placeIn(this.#folder, value);
      const isKept = ENDINGS.some((ending) => io('read', place, () => isThere(`${place}${ending}`)));
      return isKept
        ? [{ run: this.#run, asset: value.asset, key: value.partitionKey, file: `${place}${GONE}` }]
        : [];
    });
    this.#staged = kept;
    for (const staged of kept) {
      this.#journal.add(staged);
      const file = stagedFileOf(staged);
      io('write', file, () => {
        removeIfThere(file);
        const fd = fs.openSync(file, 'wx');
        try {
          writeAll(fd, JSON.stringify({ asset: staged.asset, partitionKey: staged.key }));
        } finally {
          fs.closeSync(fd);
        }
      });
    }
    await syncFiles(kept.map(stagedFileOf));
    syncFolders(new Set(kept.map(({ file }) => path.dirname(file))));
  }

  settle(gone: (value: ValueContext) => boolean): void {
    const goes = ({ asset, key }: StagedValue): boolean => gone({ asset, partitionKey: key });
    putInPlace(this.#staged.filter(goes));
    for (const staged of this.#staged.filter((one) => !goes(one))) removeQuietly(stagedFileOf(staged));
    this.#staged = [];
    this.#journal.clear();
  }
}
