/**
 * An append-only list of records in a few files of bounded size: a JSON line each, the oldest file dropped first.
 *
 * Bounds of age and number hold by files, too: each file takes its share of them, and goes as a whole.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  io,
  makeFolder,
  makePassingFolder,
  namesIn,
  openIfThere,
  openToAppend,
  removeIfThere,
  syncFolder,
  writeAll,
} from './durable-files.ts';

export interface SegmentedLogOptions {
  readonly folder: string;
  /** Files are called `NAME.000001.jsonl`. */
  readonly name: string;
  /** No file is longer, but for one record that is longer by itself. */
  readonly segmentBytes: number;
  /** So many files at most. */
  readonly segments: number;
  /** Asked at each writing. Default: only the size counts. */
  readonly keep?: () => Retention;
  /** Needed where something is kept by age. Milliseconds since 1970; `NaN` for a record without a time. */
  readonly clock?: { readonly now: () => number; readonly timeOf: (record: unknown) => number };
  /** Called before the oldest file goes. */
  readonly onDrop?: (file: string) => void;
}

/** What of the past is kept. */
export interface Retention {
  /** At least so many records; files go as a whole, so that there may be some more. */
  readonly records?: number | undefined;
  /** Files go whose last record is older, once a new file is begun. */
  readonly olderThanMs?: number | undefined;
}

/** Where the next records go, and how much. */
interface Room {
  readonly file: string;
  readonly bytes: number;
  readonly records: number;
}

export class SegmentedLog {
  readonly #options: SegmentedLogOptions;
  /** How many lines a file had when it was so long: only what came after that is counted. */
  readonly #counted = new Map<string, { readonly bytes: number; readonly lines: number }>();

  constructor(options: SegmentedLogOptions) {
    this.#options = options;
  }

  /** Adds records, in one write a file; with `sync` they survive a loss of power when the call returns. */
  append(records: readonly unknown[], sync: boolean): void {
    if (records.length === 0) return;
    (sync ? makeFolder : makePassingFolder)(this.#options.folder);
    let lines = records.map((record) => `${JSON.stringify(record)}\n`);
    while (lines.length > 0) {
      const room = this.#roomFor(lines[0]!);
      const count = countFitting(lines, room);
      appendLines(room.file, lines.slice(0, count), sync);
      lines = lines.slice(count);
    }
  }

  /** The records, newest first. Lines that were torn are passed over. */
  *newestFirst(): Generator {
    for (const segment of this.#segments().reverse()) yield* recordsOf(this.#file(segment));
  }

  /** In the last file, or in a new one. */
  #roomFor(line: string): Room {
    const { segmentBytes, segments: most, keep } = this.#options;
    const { records = Infinity, olderThanMs = Infinity } = keep?.() ?? {};
    // One file is only begun: the others together hold what is to be kept.
    const share = Math.max(1, Math.ceil(records / Math.max(1, most - 1)));
    const segments = this.#segments();
    const last = this.#file(segments.at(-1) ?? 1);
    const size = io('read', last, () => fs.statSync(last, { throwIfNoEntry: false }))?.size ?? 0;
    const room: Room = {
      file: last,
      bytes: segmentBytes - size,
      records: share === Infinity ? share : share - this.#linesIn(last, size),
    };
    const isFull =
      size > 0 &&
      (room.bytes < Buffer.byteLength(line) ||
        room.records < 1 ||
        this.#isOlder(firstRecordOf(last), olderThanMs / most));
    if (!isFull) return room;
    this.#drop(segments.slice(0, Math.max(0, segments.length + 1 - most)));
    if (records !== Infinity) this.#dropBeyond(records);
    // The last one stays: with the new one unwritten there would be no past at all.
    this.#drop(this.#segments().slice(0, -1), olderThanMs);
    return { file: this.#file((segments.at(-1) ?? 1) + 1), bytes: segmentBytes, records: share };
  }

  /** Removes the oldest files while the others hold enough: of a few records, all files together would hold many times as many. */
  #dropBeyond(records: number): void {
    const held = this.#segments().map((segment) => {
      const file = this.#file(segment);
      return { segment, lines: this.#linesIn(file, io('read', file, () => fs.statSync(file)).size) };
    });
    let left = held.reduce((sum, { lines }) => sum + lines, 0);
    for (const { segment, lines } of held.slice(0, -1)) {
      left -= lines;
      if (left < records) return;
      this.#drop([segment]);
    }
  }

  /** Removes files, where they are given only while they are old enough. */
  #drop(segments: readonly number[], olderThanMs?: number): void {
    for (const segment of segments) {
      const file = this.#file(segment);
      if (olderThanMs !== undefined && !this.#isOlder(recordsOf(file).next().value, olderThanMs)) return;
      this.#options.onDrop?.(file);
      this.#counted.delete(file);
      io('remove', file, () => removeIfThere(file));
    }
  }

  #isOlder(record: unknown, ms: number): boolean {
    const { clock } = this.#options;
    return ms !== Infinity && clock !== undefined && clock.now() - clock.timeOf(record) > ms;
  }

  /** Read once: a file only grows. */
  #linesIn(file: string, size: number): number {
    const before = this.#counted.get(file) ?? { bytes: 0, lines: 0 };
    const lines = before.lines + linesBetween(file, before.bytes, size);
    this.#counted.set(file, { bytes: size, lines });
    return lines;
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

/** How many lines there is room for, but always one. */
function countFitting(lines: readonly string[], { bytes, records }: Room): number {
  let count = 0;
  for (let left = bytes; count < Math.min(lines.length, records); count++) {
    left -= Buffer.byteLength(lines[count]!);
    if (left < 0) break;
  }
  return Math.max(1, count);
}

/** Adds lines to a file in one write. */
function appendLines(file: string, whole: readonly string[], sync: boolean): void {
  io('write', file, () => {
    const fd = openToAppend(file);
    try {
      const lines = whole.join('');
      // Nobody writes into a file before the file's name is synced: only an empty file can lose its name with the power.
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

/** The records of one file, newest first. The file is read from its end, so that the last record costs no more in a long file. */
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

/** `undefined` where there is none, or it is longer than the records that this is asked of. */
function firstRecordOf(file: string): unknown {
  const [line = ''] = textBetween(file, 0, CHUNK).toString('utf8').split('\n', 1);
  const [record] = recordsIn(line);
  return record;
}

function linesBetween(file: string, from: number, to: number): number {
  let lines = 0;
  for (let start = from; start < to; start += CHUNK) {
    const bytes = textBetween(file, start, Math.min(CHUNK, to - start));
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines++;
  }
  return lines;
}

function textBetween(file: string, from: number, length: number): Buffer {
  return io('read', file, () => {
    const fd = openIfThere(file);
    if (fd === null) return Buffer.alloc(0);
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, from));
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** Whether what is added to a file begins on a line of its own. */
export function endsInALine(fd: number): boolean {
  const { size } = fs.fstatSync(fd);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  fs.readSync(fd, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}
