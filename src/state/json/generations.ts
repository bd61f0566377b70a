/** The generations of a state file: their names, which are taken for good, and what of them is tidied away. */
import fs from 'node:fs';
import path from 'node:path';
import { causeOf, errno, io, namesIn, removeIfThere, removeQuietly } from '../../files/durable-files.ts';
import { isGone, processTag } from '../../files/process-owner.ts';
import { describe } from '../../model/describe-failure.ts';
import { fail, FailureError } from '../../model/failure.ts';
import { LAST_SERIAL, type StateDocument } from '../document/state-document.ts';
import { generationPrefix } from './generation-names.ts';
import { type Found, stateContent, wholeIn } from './state-text.ts';

/** So many generation names are kept: a writer that was paused must not find its number free again. */
const WINDOW = 16;

/** The newest generations keep their content: the last one, and the one before it as a way back. */
const BODIES = 2;

/** A generation this small may keep its content until its name goes: emptying it would cost more than it frees. */
const SMALL_BODY = 64 * 1024;

/** How often a folder is asked for that a writer has to know. */
const TRIES = 5;

let temporaries = 0;

export class Generations {
  /** The file whose generations these are. */
  readonly stateFile: string;
  readonly folder: string;
  readonly #prefix: string;

  constructor(stateFile: string) {
    this.stateFile = stateFile;
    this.folder = path.dirname(stateFile);
    this.#prefix = generationPrefix(stateFile);
  }

  /** The serials that have a name, the lowest first. */
  serials(): number[] {
    const numbers: number[] = [];
    for (const name of io('read the folder', this.folder, () => namesIn(this.folder))) {
      if (!name.startsWith(this.#prefix)) continue;
      const number = name.slice(this.#prefix.length);
      if (/^\d{12}$/.test(number) && Number(number) <= LAST_SERIAL) numbers.push(Number(number));
    }
    return numbers.sort((a, b) => a - b);
  }

  /** The highest serial that was ever published, as far as can be seen; 0 where none was. */
  highest(): number {
    return this.serials().at(-1) ?? 0;
  }

  /** The link of this serial is made, and mostly a fact: what is asked now is asked again before it is said that nobody can tell. */
  highestAfterLink(serial: number): number {
    for (let tries = 1; ; tries++) {
      try {
        return this.highest();
      } catch (error) {
        if (errno(error) === undefined && !(error instanceof FailureError)) throw error;
        const cause =
          error instanceof FailureError
            ? describe(error.failure).message
            : `cannot read the folder ${this.folder}: ${causeOf(error)}`;
        if (tries === TRIES) return fail({ reason: 'commit-unsure', file: this.stateFile, serial, cause });
      }
    }
  }

  file(serial: number): string {
    return path.join(this.folder, `${this.#prefix}${String(serial).padStart(12, '0')}`);
  }

  /** A name that nobody else uses, for what is being written. */
  temporary(): string {
    return path.join(this.folder, `${this.#prefix}tmp.${processTag()}.${++temporaries}`);
  }

  /** Whether somebody is writing, or was killed while writing. */
  hasTemporaries(): boolean {
    return namesIn(this.folder).some((name) => name.startsWith(`${this.#prefix}tmp.`));
  }

  /** The newest that is whole and passes. */
  intact(passes: (document: StateDocument) => boolean = () => true): Found | null {
    for (const serial of this.serials().reverse()) {
      const file = this.file(serial);
      const found = wholeIn(stateContent(file), file);
      if (found?.document.serial === serial && passes(found.document)) return found;
    }
    return null;
  }

  /** Puts what has this name in the place of the state file as well, by way of a further name. */
  replaceFile(name: string): void {
    const further = this.temporary();
    try {
      fs.linkSync(name, further);
      fs.renameSync(further, this.stateFile);
    } catch (error) {
      removeQuietly(further);
      throw error;
    }
  }

  /** The newest intact document, in a generation or in the file itself, if that is behind this serial. */
  later(serial: number): Found | null {
    const intact = this.intact((document) => document.serial > serial);
    const inFile = wholeIn(stateContent(this.stateFile), this.stateFile);
    const behind = Math.max(serial, intact?.document.serial ?? 0);
    return inFile !== null && inFile.document.serial > behind ? inFile : intact;
  }

  /** Empties old bodies through a rename, never in place: the state file may share their content. Names leave the window at its end. */
  prune(serial: number): void {
    try {
      for (const old of this.serials()) {
        const file = this.file(old);
        if (old <= serial - WINDOW) removeIfThere(file);
        else if (old <= serial - BODIES && fs.statSync(file).size > SMALL_BODY) {
          const empty = this.temporary();
          fs.closeSync(fs.openSync(empty, 'wx'));
          fs.renameSync(empty, file);
        }
      }
      this.#sweep();
    } catch {
      // The commit is done. What could not be tidied now is tidied by the next one.
    }
  }

  /** Removes what writers left that were killed before they had published. */
  #sweep(): void {
    const prefix = `${this.#prefix}tmp.`;
    for (const name of namesIn(this.folder)) {
      if (!name.startsWith(prefix)) continue;
      const tag = name.slice(prefix.length).split('.')[0]!;
      const file = path.join(this.folder, name);
      // A writer on another host cannot be seen; a minute is far longer than any commit takes.
      if (tag !== processTag() && (isGone(tag) || Date.now() - fs.statSync(file).mtimeMs > 60_000))
        removeIfThere(file);
    }
  }
}
