/** This process as an executor of a store, and the files of executors that are gone. */
import { type Clock, newId } from '../../model/time.ts';
import { momentOf, type Owner, ownerNamed } from '../../files/process-owner.ts';
import type { ExecutorEntry, StateDocument } from '../document/state-document.ts';
import type { Executor } from '../store.ts';
import type { ExecutorFiles } from './executor-files.ts';

export interface OwnExecutorsOptions {
  readonly clock: Clock;
  /** Where the state is. */
  readonly folder: string;
  /** For writing. */
  readonly files: () => ExecutorFiles;
}

export class OwnExecutors {
  readonly #options: OwnExecutorsOptions;
  readonly #entered = new Map<string, Owner>();

  constructor(options: OwnExecutorsOptions) {
    this.#options = options;
  }

  enter(): Executor {
    const owner = this.newOwner();
    this.#entered.set(owner.id, owner);
    return this.#options.files().open(owner);
  }

  newOwner(): Owner {
    const { clock, folder } = this.#options;
    return ownerNamed(newId(clock), momentOf(clock), folder);
  }

  /** As it stands in a document. */
  entryOf(id: string): ExecutorEntry | undefined {
    const owner = this.#entered.get(id);
    return owner === undefined ? undefined : { ...owner, slots: 0, wants: 0 };
  }

  /**
   * Removes the files of executors beside those of a committed document whose process has gone, where they own nothing any more.
   * That is read after they were seen to be gone: since this commit they may have come, taken runs and died, and their files say
   * which runs they had begun. The commit is made: what cannot be tidied now is tidied after another one.
   */
  async sweep(committed: StateDocument, newest: () => Promise<StateDocument>): Promise<void> {
    try {
      const gone = this.#options.files().goneBeside(idsIn(committed));
      if (gone.length === 0) return;
      const owning = idsIn(await newest());
      this.#options.files().remove(gone.filter((id) => !owning.has(id)));
    } catch {
      // See above.
    }
  }
}

function idsIn({ executors }: StateDocument): ReadonlySet<string> {
  return new Set(executors.map(({ id }) => id));
}
