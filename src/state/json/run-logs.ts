/** The logs of runs, a file each: few system calls however much is printed, and after a kill all but the last moment is there. */
import fs from 'node:fs';
import path from 'node:path';
import {
  closeQuietly,
  io,
  makePassingFolder,
  openToAppend,
  removeIfThere,
  writeAll,
} from '../../files/durable-files.ts';
import { fileNameOf } from '../../files/file-name.ts';
import { endsInALine } from '../../files/segmented-log.ts';
import type { RunLogLine } from '../store.ts';

/** No line waits longer to be written. */
const LONGEST_WAIT_MS = 100;

/**
 * So many writes within that time are made at once. Code that prints some lines and then blocks its thread lets no timer
 * write them later; code that prints a flood is the one that would pay for a write a line.
 */
const WRITES_AT_ONCE = 50;

const MOST_WAITING = 64 * 1024;

interface OpenLog {
  readonly fd: number;
  waiting: string;
  /** Begins a time of `LONGEST_WAIT_MS`, and how many writes there were in it. */
  began: number;
  writes: number;
  timer: NodeJS.Timeout | undefined;
}

export class RunLogs {
  readonly #folder: string;
  readonly #open = new Map<string, OpenLog>();
  readonly #failed = new Map<string, unknown>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  append(runId: string, lines: readonly RunLogLine[]): void {
    this.#sayFailed(runId);
    const log = this.#open.get(runId) ?? this.#opened(runId);
    for (const line of lines) log.waiting += `${JSON.stringify(line)}\n`;
    const now = performance.now();
    if (now - log.began >= LONGEST_WAIT_MS) Object.assign(log, { began: now, writes: 0 });
    if (++log.writes <= WRITES_AT_ONCE || log.waiting.length >= MOST_WAITING) this.#write(runId, log);
    // Also when all is written: a file that nobody writes to is not kept open.
    log.timer ??= setTimeout(() => this.#closeQuietly(runId), LONGEST_WAIT_MS).unref();
  }

  /** Everything that was appended is in the file when this returns. */
  close(runId: string): void {
    this.#sayFailed(runId);
    const log = this.#open.get(runId);
    if (log === undefined) return;
    this.#open.delete(runId);
    clearTimeout(log.timer);
    try {
      this.#write(runId, log);
    } catch (error) {
      closeQuietly(log.fd);
      throw error;
    }
    // Some file systems tell only here that they did not keep what was written.
    io('write', this.#file(runId), () => fs.closeSync(log.fd));
  }

  /** Where the log is, with everything in it that was appended. */
  written(runId: string): string {
    this.close(runId);
    return this.#file(runId);
  }

  remove(runId: string): void {
    removeIfThere(this.#file(runId));
  }

  /** A disk in trouble is told where somebody can hear it: at the next line, or at the end of the run. */
  #closeQuietly(runId: string): void {
    try {
      this.close(runId);
    } catch (error) {
      this.#failed.set(runId, error);
    }
  }

  #sayFailed(runId: string): void {
    const error = this.#failed.get(runId);
    if (!this.#failed.delete(runId)) return;
    throw error;
  }

  #opened(runId: string): OpenLog {
    makePassingFolder(this.#folder);
    const file = this.#file(runId);
    return io('write', file, () => {
      const fd = openToAppend(file);
      // What was torn by a full disk or a kill ends in the middle of a line: ours begins on its own.
      const waiting = endsInALine(fd) ? '' : '\n';
      const log = { fd, waiting, began: -Infinity, writes: 0, timer: undefined };
      this.#open.set(runId, log);
      return log;
    });
  }

  #write(runId: string, log: OpenLog): void {
    if (log.waiting === '') return;
    const text = log.waiting;
    log.waiting = '';
    io('write', this.#file(runId), () => writeAll(log.fd, text));
  }

  #file(runId: string): string {
    return path.join(this.#folder, `${fileNameOf(runId)}.jsonl`);
  }
}
