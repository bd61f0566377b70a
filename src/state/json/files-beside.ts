/** The files beside a state, opened where they are. */
import type { HistoryRetention } from '../../model/history-retention.ts';
import { type Clock, isoTime } from '../../model/time.ts';
import { isThere } from '../../files/durable-files.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { bringAlong as BringAlong } from './bring-along.ts';
import { ExecutorFiles } from './executor-files.ts';
import { HistoryFiles } from './history-files.ts';
import { besideOf, placeBeside } from './places-beside.ts';
import { SensorClaims } from './sensor-claims.ts';
import type { StateFile } from './state-file.ts';

/** What is beside the state, and in which folder. */
interface OpenFiles {
  readonly folder: string;
  readonly history: HistoryFiles;
  readonly executors: ExecutorFiles;
  readonly claims: SensorClaims;
}

export interface FilesBesideOptions {
  readonly clock: Clock;
  readonly retention: () => HistoryRetention;
  /** The document that was read last. */
  readonly document: () => StateDocument;
}

let bringAlong: typeof BringAlong | undefined;

export class FilesBeside {
  readonly #file: StateFile;
  readonly #options: FilesBesideOptions;
  readonly #ownFolder: string;
  #open: OpenFiles | undefined;

  constructor(file: StateFile, options: FilesBesideOptions) {
    this.#file = file;
    this.#options = options;
    this.#ownFolder = besideOf(file.path);
  }

  /** Whether an older version's place may be meant, which only the state tells. Where its own place is there, nothing else is. */
  get mayBeElsewhere(): boolean {
    return this.#ownFolder !== this.#file.folder && !isThere(this.#ownFolder);
  }

  /** Loads what `own` needs where an older version left the files. */
  async prepare(): Promise<void> {
    bringAlong ??= (await import('./bring-along.ts')).bringAlong;
  }

  /** For reading. What an older version left is read where it lies. */
  there(): OpenFiles {
    if (this.#open?.folder !== this.#ownFolder) {
      const folder = placeBeside(this.#file.path, this.#file.isOlder);
      if (folder !== this.#open?.folder) this.#open = this.#openIn(folder);
    }
    return this.#open;
  }

  /** For writing. What an older version left is brought along first. */
  own(): OpenFiles {
    const there = this.there();
    if (there.folder === this.#ownFolder) return there;
    bringAlong!(this.#file.path, this.#options.document());
    return this.there();
  }

  #openIn(folder: string): OpenFiles {
    const { clock, retention } = this.#options;
    return {
      folder,
      history: new HistoryFiles(folder, { now: () => clock.now(), retention }),
      executors: new ExecutorFiles(folder, () => isoTime(clock.now())),
      claims: new SensorClaims(folder),
    };
  }
}
