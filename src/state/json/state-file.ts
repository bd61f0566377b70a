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
import { describe } from '../../model/describe-failure.ts';
import { type Failure, fail } from '../../model/failure.ts';
import { emptyDocument, SCHEMA, type StateDocument } from '../document/state-document.ts';
import {
  causeOf,
  errno,
  io,
  isThere,
  linked,
  makeFolder,
  removeIfThere,
  removeQuietly,
  syncFolder,
  writeDurably,
} from '../../files/durable-files.ts';
import type { CutCommit } from './generation-ahead.ts';
import { Generations } from './generations.ts';
import { keepCopy } from './kept-copies.ts';
import { copyOfOlder } from './older-schema.ts';
import { behindLink, refuseDeadLink, refuseDevice } from './odd-files.ts';
import { isMountPoint } from '../../files/mounts.ts';
import { contentOf, type Found, foundIn, stateContent, wholeIn } from './state-text.ts';
import { wasBuiltOn } from './was-built-on.ts';

/** Another writer published this generation first. */
export class Conflict extends Error {}

/** How long a reader lets a writer finish that has published and not yet renamed. */
const SETTLE = { tries: 5, ms: 20 };

export class StateFile implements Adapter<StateDocument> {
  /** Behind all links: what is beside the state stands beside the file itself. */
  readonly path: string;
  readonly folder: string;
  readonly #generations: Generations;
  readonly #warn: (message: string) => void;
  readonly #onUnsynced: (failure: Failure) => void;
  /** What the file looked like when it was last read or written here. */
  #seen: string | null = null;
  /** The commit that was said not to last, for sure. */
  #unsynced: number | null = null;
  /** Where the document was found that was read last, when that has an older schema. */
  #older: Found['older'] = null;
  /** The commit that was cut between its two steps, as far as the last look has seen one. */
  #cut: CutCommit | null = null;

  /** @param onUnsynced told of a commit that is made and may not survive a loss of power; default: a warning */
  constructor(
    file: string,
    warn: (message: string) => void,
    onUnsynced = (failure: Failure): void => warn(describe(failure).message),
  ) {
    this.path = behindLink(path.resolve(file));
    this.folder = path.dirname(this.path);
    this.#generations = new Generations(this.path);
    this.#warn = warn;
    this.#onUnsynced = onUnsynced;
  }

  /** Whether what was read last is still as an older version of dynpart left it. */
  get isOlder(): boolean {
    return this.#older !== null;
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
      const text = stateContent(this.path);
      const newest = this.#generations.serials().at(-1);
      if (text === null && newest === undefined) {
        refuseDeadLink(this.path);
        this.#seen = look;
        this.#older = null;
        return emptyDocument();
      }
      const found = text === null ? null : foundIn(text, this.path);
      const behind = found === null || (newest !== undefined && newest > found.document.serial);
      // A look that changed meanwhile, or a writer between its two steps: let it finish.
      if ((behind || look !== this.#look()) && tries < SETTLE.tries) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE.ms));
        continue;
      }
      if (found === null) return fail({ reason: 'state-missing', file: this.path });
      this.#seen = look;
      this.#cut = null;
      if (behind) return this.#newerGeneration(found, newest!);
      this.#older = found.older;
      return found.document;
    }
  }

  /**
   * Publishes a document as the generation that its serial names.
   * @throws Conflict when another writer was first
   */
  // oxlint-disable-next-line typescript/require-await -- lowdb's adapters are asynchronous, our steps must not be interleaved
  async write(document: StateDocument): Promise<void> {
    const content = contentOf(document, this.path);
    makeFolder(this.folder);
    if (isMountPoint(this.path)) fail({ reason: 'state-mounted', file: this.path });
    const temporary = this.#generations.temporary();
    const kept = this.#older === null ? null : this.#keepOlder(this.#older);
    try {
      io('write', this.path, () => writeDurably(temporary, content, this.#present()));
      const { ino } = io('read', temporary, () => fs.statSync(temporary));
      const published = io('write', this.path, () => this.#publish(temporary, document));
      if (!published) throw new Conflict();
      this.#makeLast(document.serial);
      this.#older = null;
      if (kept !== null)
        this.#warn(`${this.path} has schema ${SCHEMA} now; as it was before, it is kept as ${kept}`);
      this.#seen = this.#lookAfter(ino, document.serial);
    } finally {
      removeQuietly(temporary);
    }
    this.#generations.prune(document.serial);
  }

  /** The commit is a fact: others see it, and build on it. What the disk refuses now is said, and undoes nothing. */
  #makeLast(serial: number): boolean {
    // A disk that has refused once may say yes the next time, though what it had is lost.
    if (this.#unsynced === serial) return false;
    try {
      syncFolder(this.folder);
      return true;
    } catch (error) {
      if (errno(error) === undefined) throw error;
      this.#unsynced = serial;
      const cause = `cannot sync the folder ${this.folder}: ${causeOf(error)}`;
      this.#onUnsynced({ reason: 'commit-unsynced', file: this.path, serial, cause });
      return false;
    }
  }

  /** Memory holds what this process wrote: it counts as seen only where that is what the file holds, too. */
  #lookAfter(ino: number, serial: number): string | null {
    try {
      const look = this.#look();
      return look.startsWith(`${ino} `) && look.endsWith(` ${serial}`) ? look : null;
    } catch {
      // It is read again before the next commit, which says what is wrong.
      return null;
    }
  }

  /**
   * Makes durable what another writer has published and not synced yet, and renames what that writer did not live to rename: who
   * finds nothing left to do relies on the one, and who only reads waits for the other.
   */
  async settle(): Promise<void> {
    const cut = this.#cut;
    this.#cut = null;
    if (cut !== null) {
      const { finish } = await import('./generation-ahead.ts');
      if (finish(cut, this.#generations)) this.#seen = null;
    }
    io('sync the folder', this.folder, () => {
      if (this.#generations.hasTemporaries()) syncFolder(this.folder);
    });
  }

  /** The newest intact generation that passes, for the way back: also when the state file itself is damaged. */
  newestGeneration(passes?: (document: StateDocument) => boolean): StateDocument | null {
    return this.#generations.intact(passes)?.document ?? null;
  }

  /** Keeps what is about to be replaced beside it: whole or not at all, durable, and never over another copy. */
  keepCopy(name: string, content: string | Buffer): string {
    const temporary = this.#generations.temporary();
    return keepCopy(`${this.path}.${name}`, content, { temporary, like: this.#present() });
  }

  /** The newest intact document, in the file or in a generation, and whether that has an older schema. */
  newestIntact(): { readonly present: StateDocument | null; readonly isOlder: boolean } {
    const found = this.#later(0);
    return { present: found?.document ?? null, isOlder: found !== null && found.older !== null };
  }

  /** The highest number that was ever published here, as far as can be seen. */
  highestSerial(): number {
    return this.#generations.highest();
  }

  #publish(temporary: string, document: StateDocument): boolean {
    const { serial } = document;
    const isFirstGeneration = this.highestSerial() === 0;
    // Also a copy that is restored where nothing is: its serial is a later one.
    if (serial === 1 || (isFirstGeneration && !isThere(this.path)))
      return isFirstGeneration && this.#publishFirst(temporary, serial);
    // Who published the first commit has not come to sync the name of the file, and may never.
    if (isFirstGeneration) syncFolder(this.folder);
    if (!linked(temporary, this.#generations.file(serial))) return false;
    const newest = this.#generations.highestAfterLink(serial, this.path);
    if (newest !== serial) {
      // Others went on. If they built on it, it is a fact, and must not be renamed over what came after it.
      if (
        wasBuiltOn(document, this.path, {
          highestSerial: () => this.highestSerial(),
          later: (than) => this.#later(than),
        })
      )
        return true;
      removeIfThere(this.#generations.file(serial));
      return false;
    }
    // From here the commit is a fact: others may have built on it. A rename that fails leaves the generation to be read.
    // It takes a further name: the temporary one is there until the folder is synced, and tells others that it is not.
    const further = this.#generations.temporary();
    try {
      fs.linkSync(temporary, further);
      fs.renameSync(further, this.path);
    } catch (error) {
      removeQuietly(further);
      this.#warn(
        `cannot rename over ${this.path}: ${causeOf(error)}; the commit is kept as generation ${serial}`,
      );
    }
    return true;
  }

  /**
   * The first commit has no file to be renamed over, so linking the file itself is the comparison. Its generation follows when
   * the name of the file is safe: a generation without the file would look like a state whose file is gone.
   */
  #publishFirst(temporary: string, serial: number): boolean {
    if (!linked(temporary, this.path)) return false;
    // Others see the file: the commit is made, whatever is refused from here on.
    if (!this.#makeLast(serial)) return true;
    try {
      linked(temporary, this.#generations.file(serial));
    } catch (error) {
      this.#warn(`cannot keep commit ${serial} of ${this.path} as a generation: ${causeOf(error)}`);
    }
    return true;
  }

  /** The newest intact document, if that is behind this serial. */
  #later(serial: number): Found | null {
    const intact = this.#generations.intact((document) => document.serial > serial);
    const inFile = wholeIn(stateContent(this.path), this.path);
    const behind = Math.max(serial, intact?.document.serial ?? 0);
    return inFile !== null && inFile.document.serial > behind ? inFile : intact;
  }

  /** Before the first commit in a newer schema: what an older dynpart can read. It must not be older than what is replaced. */
  #keepOlder(older: NonNullable<Found['older']>): string {
    const copy = copyOfOlder(older);
    // Emptied, renamed over or migrated since it was read: others were first.
    if (copy === null) throw new Conflict();
    return this.keepCopy(copy.name, copy.text);
  }

  /** The generations are ahead of the file: a crash between the two steps of a commit, or somebody's copy over the file. */
  async #newerGeneration(inFile: Found, serial: number): Promise<StateDocument> {
    const { ahead } = await import('./generation-ahead.ts');
    const intact = this.#generations.intact();
    const { found, warning, cut } = ahead(this.path, { inFile, intact, serial }, this.#generations);
    this.#cut = cut;
    if (warning !== null) this.#warn(warning);
    this.#older = found.older;
    return { ...found.document, serial };
  }

  /** The file that a commit replaces. */
  #present(): fs.Stats | undefined {
    return fs.statSync(this.path, { throwIfNoEntry: false });
  }

  /** Changes whenever a commit or an editor changed the file. */
  #look(): string {
    const stat = io('read', this.path, () => fs.statSync(this.path, { throwIfNoEntry: false }));
    refuseDevice(this.path, stat);
    return `${stat?.ino} ${stat?.size} ${stat?.mtimeMs} ${this.highestSerial()}`;
  }
}
