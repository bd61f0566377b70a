/** The document as this process holds it in memory: lowdb's `Low` over a state file that many processes share. */
import { Low } from 'lowdb';
import type { StateIdentity } from '../../model/known-pipeline.ts';
import { emptyDocument, identityOf, type StateDocument } from '../document/state-document.ts';
import { Conflict, type StateFile } from './state-file.ts';

export interface DocumentInHandOptions {
  /** Asked whenever the state was read anew: throws where it must not be used. */
  readonly admit: ((state: StateIdentity) => void | Promise<void>) | undefined;
  /** Called before a document of an older version is used. */
  readonly beforeOlder: () => Promise<void>;
}

export class DocumentInHand {
  readonly #file: StateFile;
  readonly #options: DocumentInHandOptions;
  #db: Low<StateDocument>;
  #wasRead = false;

  constructor(file: StateFile, options: DocumentInHandOptions) {
    this.#file = file;
    this.#options = options;
    this.#db = new Low<StateDocument>(file, emptyDocument());
  }

  /** Whether the file was read at all. */
  get wasRead(): boolean {
    return this.#wasRead;
  }

  /** What was read or written last; an empty document before that. */
  get newest(): StateDocument {
    return this.#db.data;
  }

  /** The newest document, as it is in the file. */
  async read(): Promise<StateDocument> {
    if (!this.#file.isAsSeen()) {
      await this.#db.read();
      await this.admit(this.#db.data, this.#file.isOlder);
      if (this.#file.isOlder) await this.#options.beforeOlder();
      this.#wasRead = true;
    }
    return this.#db.data;
  }

  /** What is refused is read, and asked about, again. */
  async admit(document: StateDocument, isOlder: boolean): Promise<void> {
    try {
      await this.#options.admit?.(identityOf(document, isOlder));
    } catch (error) {
      this.#file.forget();
      throw error;
    }
  }

  /** Memory is swapped when the disk has it, not before: nobody is shown a commit that may still be refused. @returns whether it is committed: not where another writer was first */
  async write(document: StateDocument): Promise<boolean> {
    const db = new Low<StateDocument>(this.#file, document);
    try {
      await db.write();
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      this.#file.forget();
      return false;
    }
    this.#db = db;
    return true;
  }
}
