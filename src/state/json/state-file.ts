/**
 * The state file: one JSON document that many processes change at once without losing a commit.
 *
 * A commit is a compare-and-swap that the file system itself offers: the new document is written under a name of its
 * own and synced, then published as generation N+1: see `publishing.ts`. Here is what is read, and what is written.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Adapter } from 'lowdb';
import { describe } from '../../model/describe-failure.ts';
import { type Failure, fail, FailureError } from '../../model/failure.ts';
import { emptyDocument, SCHEMA, type StateDocument } from '../document/state-document.ts';
import { io, makeFolder, removeQuietly, syncFolder, writeDurably } from '../../files/durable-files.ts';
import { Generations } from './generations.ts';
import { Publishing } from './publishing.ts';
import { keepCopy } from './kept-copies.ts';
import { copyOfOlder } from './older-schema.ts';
import { behindLink, refuseDeadLink, refuseDevice } from './odd-files.ts';
import { isMountPoint } from '../../files/mounts.ts';
import { contentOf, type Found, foundIn, stateContent } from './state-text.ts';

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
  readonly #publishing: Publishing;
  /** What the file looked like when it was last read or written here. */
  #seen: string | null = null;
  /** Where the document was found that was read last, when that has an older schema. */
  #older: Found['older'] = null;
  /** The serial of the commit that was cut between its two steps, as far as the last look has seen one. */
  #cut: number | null = null;
  /** A folder that was moved since, or a disk that was taken away: begun anew, all that was made would be made again. */
  #wasThere = false;

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
    this.#publishing = new Publishing({ generations: this.#generations, warn, onUnsynced });
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
        if (this.#wasThere) fail({ reason: 'state-missing', file: this.path, isGone: true });
        this.#seen = look;
        this.#older = null;
        return emptyDocument();
      }
      const found = text === null ? null : await this.#foundIn(text, newest !== undefined);
      const behind = found === null || (newest !== undefined && newest > found.document.serial);
      // A look that changed meanwhile, or a writer between its two steps: let it finish.
      if ((behind || look !== this.#look()) && tries < SETTLE.tries) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE.ms));
        continue;
      }
      if (found === null) return fail({ reason: 'state-missing', file: this.path });
      this.#seen = look;
      this.#wasThere = true;
      this.#cut = null;
      if (behind) return this.#newerGeneration(found, newest!);
      this.#older = found.older;
      return found.document;
    }
  }

  async #foundIn(text: string | Buffer, hasGenerations: boolean): Promise<Found> {
    try {
      return foundIn(text, this.path);
    } catch (error) {
      if (hasGenerations || !(error instanceof FailureError)) throw error;
      const { toldAsNoState } = await import('./only-a-state.ts');
      return fail(toldAsNoState(error.failure, text));
    }
  }

  /**
   * Publishes a document as the generation that its serial names.
   * @throws Conflict when another writer was first
   */
  // oxlint-disable-next-line typescript/require-await -- lowdb's adapters are asynchronous, our steps must not be interleaved
  async write(document: StateDocument): Promise<void> {
    const content = contentOf(document, this.path);
    // Who reads again is told.
    if (this.#wasThere && this.#look().startsWith('undefined')) throw new Conflict();
    makeFolder(this.folder);
    if (isMountPoint(this.path)) fail({ reason: 'state-mounted', file: this.path });
    const temporary = this.#generations.temporary();
    const kept = this.#older === null ? null : this.#keepOlder(this.#older);
    try {
      io('write', this.path, () => writeDurably(temporary, content, this.#present()));
      const { ino } = io('read', temporary, () => fs.statSync(temporary));
      const published = io('write', this.path, () => this.#publishing.publish(temporary, document));
      if (!published) throw new Conflict();
      this.#publishing.makeLast(document.serial);
      this.#older = null;
      this.#wasThere = true;
      if (kept !== null)
        this.#warn(`${this.path} has schema ${SCHEMA} now; as it was before, it is kept as ${kept}`);
      this.#seen = this.#lookAfter(ino, document.serial);
    } finally {
      removeQuietly(temporary);
    }
    this.#generations.prune(document.serial);
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
    const found = this.#generations.later(0);
    return { present: found?.document ?? null, isOlder: found !== null && found.older !== null };
  }

  /** The highest number that was ever published here, as far as can be seen. */
  highestSerial(): number {
    return this.#generations.highest();
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
    const { found, warning, cut } = ahead({ inFile, intact, serial }, this.#generations);
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
