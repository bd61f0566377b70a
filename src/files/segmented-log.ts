/** An append-only list of records in a few files of bounded size: a JSON line each, the oldest file dropped first. */
import fs from 'node:fs';
import path from 'node:path';
import {
  errno,
  io,
  makeFolder,
  makePassingFolder,
  namesIn,
  openToAppend,
  removeIfThere,
  syncFolder,
  writeAll,
} from './durable-files.ts';

export interface SegmentedLogOptions {
  readonly folder: string;
  /** Files are called `NAME.000001.jsonl`. */
  readonly name: string;
  /** A file that has grown beyond this is followed by a new one. */
  readonly segmentBytes: number;
  readonly segments: number;
  /** Called before the oldest file goes. */
  readonly onDrop?: (file: string) => void;
}

export class SegmentedLog {
  readonly #options: SegmentedLogOptions;

  constructor(options: SegmentedLogOptions) {
    this.#options = options;
  }

  /** Adds records in one write; with `sync` they survive a loss of power when the call returns. */
  append(records: readonly unknown[], sync: boolean): void {
    if (records.length === 0) return;
    (sync ? makeFolder : makePassingFolder)(this.#options.folder);
    const file = this.#current();
    appendRecords(file, records, sync);
  }

  /** The records, newest first. Lines that were torn are passed over. */
  *newestFirst(): Generator {
    for (const segment of this.#segments().reverse()) yield* recordsOf(this.#file(segment));
  }

  #current(): string {
    const segments = this.#segments();
    const last = this.#file(segments.at(-1) ?? 1);
    const stat = io('read', last, () => fs.statSync(last, { throwIfNoEntry: false }));
    if ((stat?.size ?? 0) < this.#options.segmentBytes) return last;
    for (const old of segments.slice(0, Math.max(0, segments.length + 1 - this.#options.segments))) {
      const file = this.#file(old);
      this.#options.onDrop?.(file);
      io('remove', file, () => removeIfThere(file));
    }
    return this.#file((segments.at(-1) ?? 1) + 1);
  }

  #segments(): number[] {
    const numbers: number[] = [];
    for (const name of io('read the folder', this.#options.folder, () => namesIn(this.#options.folder))) {
      if (!name.startsWith(`${this.#options.name}.`) || !name.endsWith('.jsonl')) continue;
      const number = name.slice(this.#options.name.length + 1, -'.jsonl'.length);
      if (/^\d{6}$/.test(number)) numbers.push(Number(number));
    }
    return numbers.sort((a, b) => a - b);
  }

  #file(segment: number): string {
    return path.join(this.#options.folder, `${this.#options.name}.${String(segment).padStart(6, '0')}.jsonl`);
  }
}

/** Adds a JSON line each to a file. */
export function appendRecords(file: string, records: readonly unknown[], sync: boolean): void {
  io('write', file, () => {
    const fd = openToAppend(file);
    try {
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      // Nobody writes into a file before its name is synced: only an empty one can lose it with the power.
      if (sync && fs.fstatSync(fd).size === 0) syncFolder(path.dirname(file));
      // What was torn by a full disk or a kill ends in the middle of a line: ours begins on its own.
      writeAll(fd, endsInALine(fd) ? lines : `\n${lines}`);
      if (sync) fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}

const CHUNK = 64 * 1024;

/** The records of one file, newest first. Read from its end, so that the last one costs no more in a long file. */
export function* recordsOf(file: string): Generator {
  const fd = io('read', file, () => openIfThere(file));
  // Another process dropped the oldest file meanwhile.
  if (fd === null) return;
  try {
    let rest = Buffer.alloc(0);
    for (let end = io('read', file, () => fs.fstatSync(fd)).size; end > 0;) {
      const start = Math.max(0, end - CHUNK);
      const chunk = Buffer.alloc(end - start);
      io('read', file, () => fs.readSync(fd, chunk, 0, chunk.length, start));
      const bytes = Buffer.concat([chunk, rest]);
      // What stands before the first line's end belongs to a line that began earlier.
      const first = start === 0 ? 0 : bytes.indexOf(0x0a) + 1;
      yield* recordsIn(bytes.toString('utf8', first));
      rest = bytes.subarray(0, first);
      end = start;
    }
  } finally {
    fs.closeSync(fd);
  }
}

function* recordsIn(text: string): Generator {
  for (const line of text.split('\n').reverse()) {
    if (line === '') continue;
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      continue;
    }
    yield record;
  }
}

function openIfThere(file: string): number | null {
  try {
    return fs.openSync(file, 'r');
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Whether what is added to a file begins on a line of its own. */
export function endsInALine(fd: number): boolean {
  const { size } = fs.fstatSync(fd);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  fs.readSync(fd, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}
