/**
 * Makes a commit of a document that is written already: link(2) is the comparison, the rename puts it in the place of the state file,
 * and the folder is synced. `docs/decisions/0002-state-file.md` says why each step is there.
 */
import type { Failure } from '../../model/failure.ts';
import { causeOf, errno, isThere, linked, removeIfThere, syncFolder } from '../../files/durable-files.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { Generations } from './generations.ts';
import { wasBuiltOn } from './was-built-on.ts';

export interface PublishingOptions {
  readonly generations: Generations;
  readonly warn: (message: string) => void;
  /** Told of a commit that is made and may not survive a loss of power. */
  readonly onUnsynced: (failure: Failure) => void;
}

export class Publishing {
  readonly #options: PublishingOptions;
  readonly #generations: Generations;
  /** The commit that was said not to last, for sure. */
  #unsynced: number | null = null;

  constructor(options: PublishingOptions) {
    this.#options = options;
    this.#generations = options.generations;
  }

  /** @returns whether the commit is made; not where another writer was first */
  publish(temporary: string, document: StateDocument): boolean {
    const { serial } = document;
    const generations = this.#generations;
    const { stateFile, folder } = generations;
    const isFirstGeneration = generations.highest() === 0;
    // Also a copy that is restored where nothing is: its serial is a later one.
    if (serial === 1 || (isFirstGeneration && !isThere(stateFile)))
      return isFirstGeneration && this.#publishFirst(temporary, serial);
    // Who published the first commit has not come to sync the name of the file, and may never.
    if (isFirstGeneration) syncFolder(folder);
    if (!linked(temporary, generations.file(serial))) return false;
    const newest = generations.highestAfterLink(serial);
    if (newest !== serial) {
      // Others went on. If they built on it, it is a fact, and must not be renamed over what came after it.
      if (wasBuiltOn(document, generations)) return true;
      removeIfThere(generations.file(serial));
      return false;
    }
    // From here the commit is a fact: others may have built on it. A rename that fails leaves the generation to be read.
    // The temporary name stays until the folder is synced, and tells others that it is not.
    try {
      generations.replaceFile(temporary);
    } catch (error) {
      this.#options.warn(
        `cannot rename over ${stateFile}: ${causeOf(error)}; the commit is kept as generation ${serial}`,
      );
    }
    return true;
  }

  /**
   * The first commit has no file to be renamed over, so linking the file itself is the comparison. Its generation follows when
   * the name of the file is safe: a generation without the file would look like a state whose file is gone.
   */
  #publishFirst(temporary: string, serial: number): boolean {
    const { stateFile } = this.#generations;
    if (!linked(temporary, stateFile)) return false;
    // Others see the file: the commit is made, whatever is refused from here on.
    if (!this.makeLast(serial)) return true;
    try {
      linked(temporary, this.#generations.file(serial));
    } catch (error) {
      this.#options.warn(`cannot keep commit ${serial} of ${stateFile} as a generation: ${causeOf(error)}`);
    }
    return true;
  }

  /** The commit is a fact: others see it, and build on it. What the disk refuses now is said, and undoes nothing. */
  makeLast(serial: number): boolean {
    const { stateFile, folder } = this.#generations;
    // A disk that has refused once may say yes the next time, though what it had is lost.
    if (this.#unsynced === serial) return false;
    try {
      syncFolder(folder);
      return true;
    } catch (error) {
      if (errno(error) === undefined) throw error;
      this.#unsynced = serial;
      const cause = `cannot sync the folder ${folder}: ${causeOf(error)}`;
      this.#options.onUnsynced({
        reason: 'commit-unsynced',
        file: stateFile,
        serial,
        cause,
      });
      return false;
    }
  }
}
