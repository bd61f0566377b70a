/** One file for each process that executes runs: a sign of life, and which runs' user code had begun. */
import fs from 'node:fs';
import path from 'node:path';
import type { Millis } from '../../definitions/time.ts';
import type { ExecutorEntry, Owner } from '../state-document.ts';
import type { Executor, ExecutorView } from '../state-store.ts';
import {
  closeQuietly,
  io,
  makePassingFolder,
  namesIn,
  readIfThere,
  removeQuietly,
  writeAll,
} from './durable-files.ts';
import { isAlive, isLeftOver, processTag, showLife } from './process-owner.ts';

export class ExecutorFiles {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = path.join(stateFolder, 'executors');
  }

  /** Opens the file of this process. Not synced: a loss of power is not a run's doing, and only that is counted. */
  open(owner: Owner): Executor {
    makePassingFolder(this.#folder);
    const file = this.#file(owner.id);
    const fd = io('write', file, () => fs.openSync(file, 'ax'));
    const note = (word: string, runId: string): void =>
      io('write', file, () => writeAll(fd, `${word} ${runId}\n`));
    const hide = showLife(file);
    return {
      id: owner.id,
      begun: (runId) => note('begun', runId),
      ended: (runId) => note('ended', runId),
      leave: () => {
        hide();
        // All is on record: a file that stays is the next sweep's.
        closeQuietly(fd);
        removeQuietly(file);
        return Promise.resolve();
      },
    };
  }

  /** Whether an executor lives, and if not, which runs it left in the middle. */
  judge(executor: ExecutorEntry, now: Millis): Pick<ExecutorView, 'alive' | 'interrupted'> {
    const file = this.#file(executor.id);
    const stat = io('read', file, () => fs.statSync(file, { throwIfNoEntry: false }));
    const sign = stat?.mtimeMs ?? Date.parse(executor.since);
    if (isAlive(executor, sign, now)) return { alive: true, interrupted: new Set() };
    const interrupted = new Set<string>();
    // What stands behind the last line's end was torn, and may look like another run's id.
    for (const line of (io('read', file, () => readIfThere(file)) ?? '').split('\n').slice(0, -1)) {
      const [word, runId] = line.split(' ');
      if (word === 'begun') interrupted.add(runId!);
      else if (word === 'ended') interrupted.delete(runId!);
    }
    return { alive: false, interrupted };
  }

  /** Removes the files of executors that are gone and own nothing any more. Tidying: what fails is left to the next one. */
  sweep(known: ReadonlySet<string>): void {
    for (const name of this.#names()) {
      const [id, tag] = name.replace(/\.log$/, '').split('.');
      const file = path.join(this.#folder, name);
      if (!known.has(id!) && tag !== undefined && isLeftOver(file, tag)) removeQuietly(file);
    }
  }

  #names(): string[] {
    return io('read the folder', this.#folder, () => namesIn(this.#folder));
  }

  #file(id: string): string {
    const known = this.#names().find((name) => name.startsWith(`${id}.`));
    return path.join(this.#folder, known ?? `${id}.${processTag()}.log`);
  }
}
