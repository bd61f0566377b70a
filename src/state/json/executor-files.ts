/** One file for each process that executes runs: a sign of life, and which runs' user code had begun. */
import fs from 'node:fs';
import path from 'node:path';
import type { ExecutorEntry } from '../document/state-document.ts';
import type { Owner } from '../../files/process-owner.ts';
import type { ExecutorSigns } from '../slice.ts';
import type { Executor } from '../store.ts';
import { begunLine, endedLine, type ExecutorNotes, notesIn, programLine } from './executor-notes.ts';
import {
  closeQuietly,
  errno,
  io,
  makePassingFolder,
  namesIn,
  readIfThere,
  removeQuietly,
  writeAll,
} from '../../files/durable-files.ts';
import {
  isAlive,
  isLeftOver,
  isVisible,
  type Moment,
  processTag,
  showLife,
} from '../../files/process-owner.ts';

interface OpenLog {
  readonly file: string;
  fd: number;
}

export class ExecutorFiles {
  readonly #folder: string;
  /** ISO 8601, UTC. */
  readonly #now: () => string;
  /** Those of this process. */
  readonly #open = new Map<string, OpenLog>();

  constructor(stateFolder: string, now: () => string) {
    this.#now = now;
    this.#folder = path.join(stateFolder, 'executors');
  }

  /** Opens the file of this process. Not synced: a loss of power is not a run's doing, and only that is counted. */
  open(owner: Owner): Executor {
    makePassingFolder(this.#folder);
    const file = this.#file(owner.id);
    const log: OpenLog = { file, fd: io('write', file, () => fs.openSync(file, 'ax')) };
    this.#open.set(owner.id, log);
    const note = (line: string): void => io('write', file, () => writeAll(log.fd, line));
    const mayBlock = new Map<string, number>();
    const hide = showLife((now) => fs.utimes(file, now, now, () => undefined));
    return {
      id: owner.id,
      begun: (runId, mayBlockMs) => {
        // The next asset of a run mostly may do what the one before might.
        if (mayBlock.get(runId) === mayBlockMs) return;
        mayBlock.set(runId, mayBlockMs);
        note(begunLine(runId, { at: this.#now(), mayBlockMs }));
      },
      started: (program) => note(programLine(program)),
      ended: (runId) => {
        mayBlock.delete(runId);
        note(endedLine(runId));
      },
      leave: () => {
        hide();
        // All is on record: a file that stays is the next sweep's.
        this.#open.delete(owner.id);
        closeQuietly(log.fd);
        removeQuietly(file);
        return Promise.resolve();
      },
    };
  }

  /** Before others look for it: a process that was paused for long has a sign of life as old, or none any more. */
  renew(id: string): void {
    const log = this.#open.get(id);
    if (log === undefined) return;
    io('write', log.file, () => {
      const now = new Date();
      try {
        fs.utimesSync(log.file, now, now);
      } catch (error) {
        if (errno(error) !== 'ENOENT') throw error;
        const fd = fs.openSync(log.file, 'a');
        closeQuietly(log.fd);
        log.fd = fd;
      }
    });
  }

  /** Whether an executor lives, and what it is or was in the middle of. */
  judge(executor: ExecutorEntry, moment: Moment): ExecutorSigns {
    const file = this.#file(executor.id);
    const stat = io('read', file, () => fs.statSync(file, { throwIfNoEntry: false }));
    const sign = stat?.mtimeMs ?? Date.parse(executor.since);
    const alive = isAlive(executor, sign, moment, this.#folder);
    const visible = isVisible(executor);
    let notes: ExecutorNotes | undefined;
    const read = (): ExecutorNotes => (notes ??= notesIn(io('read', file, () => readIfThere(file)) ?? ''));
    return {
      alive,
      visible,
      interrupted: alive ? new Set() : new Set(read().begun.keys()),
      programs: alive ? [] : read().programs,
      // Read when asked for: a live one's file grows with each of its runs.
      get begun() {
        return new Map([...read().begun].map(([id, { at }]) => [id, at]));
      },
    };
  }

  /** Executors that are not among these, and whose process has left a file and is gone. */
  goneBeside(known: ReadonlySet<string>): string[] {
    return this.#names().flatMap((name) => {
      const [id, tag] = name.replace(/\.log$/, '').split('.');
      const isGone = !known.has(id!) && tag !== undefined && isLeftOver(path.join(this.#folder, name), tag);
      return isGone ? [id!] : [];
    });
  }

  /** Removes their files. Tidying: what fails is left to the next one. */
  remove(ids: readonly string[]): void {
    for (const id of ids) removeQuietly(this.#file(id));
  }

  #names(): string[] {
    return io('read the folder', this.#folder, () => namesIn(this.#folder));
  }

  #file(id: string): string {
    const known = this.#names().find((name) => name.startsWith(`${id}.`));
    return path.join(this.#folder, known ?? `${id}.${processTag()}.log`);
  }
}
