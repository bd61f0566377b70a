/**
 * The state file: one JSON document that many processes change at once without losing a commit.
 *
 * A commit is a compare-and-swap that the file system itself offers: the new document is written under a name of its
 * own and synced, then published as generation N+1 with link(2), which fails when another writer was first; then it is
 * renamed over `state.json` and the folder is synced. `docs/decisions/0002-state-file.md` says why each step is there.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Adapter } from 'lowdb';
import { fail, FailureError } from '../../definitions/failure.ts';
import { emptyDocument, LAST_SERIAL, type StateDocument } from '../state-document.ts';
import {
  causeOf,
  io,
  linked,
  makeFolder,
  namesIn,
  readIfThere,
  removeIfThere,
  removeQuietly,
  syncFolder,
  writeDurably,
} from './durable-files.ts';
import { parseState } from './parse-state.ts';
import { isGone, processTag } from './process-owner.ts';

/** Another writer published this generation first. */
export class Conflict extends Error {}

/** So many generation names are kept: a writer that was paused must not find its number free again. */
const WINDOW = 16;

/** The newest generations keep their content: the last one, and the one before it as a way back. */
const BODIES = 2;

/** A generation this small may keep its content until its name goes: emptying it would cost more than it frees. */
const SMALL_BODY = 64 * 1024;

/** How long a reader lets a writer finish that has published and not yet renamed. */
const SETTLE = { tries: 5, ms: 20 };

let temporaries = 0;

export class StateFile implements Adapter<StateDocument> {
  readonly path: string;
  readonly folder: string;
  readonly #prefix: string;
  readonly #warn: (message: string) => void;
  /** What the file looked like when it was last read or written here. */
  #seen: string | null = null;

  constructor(file: string, warn: (message: string) => void) {
    this.path = path.resolve(file);
    this.folder = path.dirname(this.path);
    this.#prefix = `.${path.basename(this.path)}.`;
    this.#warn = warn;
  }

  /** Whether the file is as it was when it was last read or written here. */
  isAsSeen(): boolean {
    return this.#seen !== null && this.#look() === this.#seen;
  }

  /** What is held in memory is not what the file holds: read it again. */
  forget(): void {
    this.#seen = null;
  }

  /** The newest document; an empty one where there never was one. */
  async read(): Promise<StateDocument> {
    for (let tries = 1; ; tries++) {
      const look = this.#look();
      const text = io('read', this.path, () => readIfThere(this.path));
      const newest = this.#generations().at(-1);
      if (text === null && newest === undefined) {
        this.#refuseDeadLink();
        this.#seen = look;
        return emptyDocument();
      }
      const document = text === null ? null : parseState(text, this.path);
      const behind = document === null || (newest !== undefined && newest > document.serial);
      // A look that changed meanwhile, or a writer between its two steps: let it finish.
      if ((behind || look !== this.#look()) && tries < SETTLE.tries) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE.ms));
        continue;
      }
      if (document === null) return fail({ reason: 'state-missing', file: this.path });
      this.#seen = look;
      return behind ? this.#newerGeneration(document, newest!) : document;
    }
  }

  /**
   * Publishes a document as the generation that its serial names.
   * @throws Conflict when another writer was first
   */
  // oxlint-disable-next-line typescript/require-await -- lowdb's adapters are asynchronous, our steps must not be interleaved
  async write(document: StateDocument): Promise<void> {
    makeFolder(this.folder);
    const temporary = this.#temporary();
    try {
      io('write', this.path, () => writeDurably(temporary, `${JSON.stringify(document)}\n`));
      const { ino } = io('read', temporary, () => fs.statSync(temporary));
      const published = io('write', this.path, () =>
        document.serial === 1 ? this.#publishFirst(temporary) : this.#publish(temporary, document.serial),
      );
      if (!published) throw new Conflict();
      io('sync the folder', this.folder, () => syncFolder(this.folder));
      // Memory holds what this process wrote: it counts as seen only where that is what the file holds, too.
      const look = this.#look();
      this.#seen = look.startsWith(`${ino} `) && look.endsWith(` ${document.serial}`) ? look : null;
    } finally {
      removeQuietly(temporary);
    }
    this.#prune(document.serial);
  }

  /** The newest intact generation that passes, for the way back: also when the state file itself is damaged. */
  newestGeneration(
    passes: (document: StateDocument) => boolean = () => true,
  ): { serial: number; document: StateDocument } | null {
    for (const serial of this.#generations().reverse()) {
      const document = this.#body(serial);
      if (document !== null && passes(document)) return { serial, document };
    }
    return null;
  }

  /** The highest number that was ever published here, as far as can be seen. */
  highestSerial(): number {
    return this.#generations().at(-1) ?? 0;
  }

  /** The first commit has no file to be renamed over, so linking the file itself is the comparison. */
  #publishFirst(temporary: string): boolean {
    if (this.highestSerial() > 0 || !linked(temporary, this.path)) return false;
    linked(temporary, this.#generation(1));
    return true;
  }

  #publish(temporary: string, serial: number): boolean {
    if (!linked(temporary, this.#generation(serial))) return false;
    const newest = this.highestSerial();
    // A number is only free again when the newest is a whole window ahead: then this writer slept and published the past.
    if (newest >= serial + WINDOW) {
      removeIfThere(this.#generation(serial));
      return false;
    }
    // Others have built on it already: it is a fact, and must not be renamed over what came after it.
    if (newest > serial) return true;
    // From here the commit is a fact: others may have built on it. A rename that fails leaves the generation to be read.
    try {
      fs.renameSync(temporary, this.path);
    } catch (error) {
      this.#warn(
        `cannot rename over ${this.path}: ${causeOf(error)}; the commit is kept as generation ${serial}`,
      );
    }
    return true;
  }

  /** The generations are ahead of the file: a crash between the two steps of a commit, or somebody's copy over the file. */
  #newerGeneration(document: StateDocument, newest: number): StateDocument {
    const intact = this.newestGeneration();
    if (intact !== null && intact.serial > document.serial) {
      this.#warn(
        `${this.path} holds serial ${document.serial}, its newest generation ${intact.serial}: the generation is used. ` +
          `The next commit puts it right, and so does: dynpart state restore --last`,
      );
      return { ...intact.document, serial: newest };
    }
    this.#warn(
      `generation ${newest} of ${this.path} is damaged: serial ${document.serial} in the file itself is used`,
    );
    // Its number is taken all the same: the next commit goes on behind it.
    return { ...document, serial: newest };
  }

  #body(serial: number): StateDocument | null {
    const file = this.#generation(serial);
    const text = io('read', file, () => readIfThere(file));
    if (text === null || text === '') return null;
    try {
      const document = parseState(text, file);
      return document.serial === serial ? document : null;
    } catch (error) {
      if (error instanceof FailureError) return null;
      throw error;
    }
  }

  /** A link that leads nowhere reads like a file that is not there, but its name is taken: the first commit would try for ever. */
  #refuseDeadLink(): void {
    const entry = io('read', this.path, () => fs.lstatSync(this.path, { throwIfNoEntry: false }));
    if (entry?.isSymbolicLink())
      fail({
        reason: 'state-io',
        file: this.path,
        action: 'read',
        cause: 'it is a symbolic link that leads nowhere',
      });
  }

  /** Empties old bodies through a rename, never in place: the state file may share their content. Names leave the window at its end. */
  #prune(serial: number): void {
    try {
      for (const old of this.#generations()) {
        const file = this.#generation(old);
        if (old <= serial - WINDOW) removeIfThere(file);
        else if (old <= serial - BODIES && fs.statSync(file).size > SMALL_BODY) {
          const empty = this.#temporary();
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

  #generations(): number[] {
    const numbers: number[] = [];
    for (const name of io('read the folder', this.folder, () => namesIn(this.folder))) {
      if (!name.startsWith(this.#prefix)) continue;
      const number = name.slice(this.#prefix.length);
      if (/^\d{12}$/.test(number) && Number(number) <= LAST_SERIAL) numbers.push(Number(number));
    }
    return numbers.sort((a, b) => a - b);
  }

  #generation(serial: number): string {
    return path.join(this.folder, `${this.#prefix}${String(serial).padStart(12, '0')}`);
  }

  #temporary(): string {
    return path.join(this.folder, `${this.#prefix}tmp.${processTag()}.${++temporaries}`);
  }

  /** Changes whenever a commit or an editor changed the file. */
  #look(): string {
    const stat = io('read', this.path, () => fs.statSync(this.path, { throwIfNoEntry: false }));
    return `${stat?.ino} ${stat?.size} ${stat?.mtimeMs} ${this.highestSerial()}`;
  }
}
