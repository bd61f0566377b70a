/** The lines of a file that may be longer than a text can be, and may be growing: a piece at a time, by position. */
import fs from 'node:fs';
import { openIfThere } from './durable-files.ts';

export interface LinesRead {
  readonly lines: readonly string[];
  /** Where the next piece begins, in bytes. */
  readonly next: number;
  /** Whether there was nothing behind this piece. */
  readonly isEnd: boolean;
}

export interface Bounds {
  /** So much is read at once. */
  readonly bytes: number;
  /** A longer line is passed over, so that what is no text of lines does not fill the memory. */
  readonly mostOfALine: number;
}

/**
 * Whole lines from a position on. A last one without its end is given only where `isWhole` takes it: it may still be
 * being written. Also where a longer line was passed over, the next piece begins behind `from`.
 */
export function linesFrom(
  file: string,
  from: number,
  { bytes, mostOfALine }: Bounds,
  isWhole: (line: string) => boolean,
): LinesRead {
  const fd = openIfThere(file);
  if (fd === null) return { lines: [], next: from, isEnd: true };
  try {
    for (let wanted = bytes; ; wanted *= 2) {
      const read = Buffer.allocUnsafe(wanted);
      const found = read.subarray(0, readFully(fd, read, from));
      const isEnd = found.length < wanted;
      const end = found.lastIndexOf(0x0a) + 1;
      const rest = isEnd ? found.toString('utf8', end) : '';
      if (rest !== '' && isWhole(rest))
        return { lines: [...linesOf(found, end), rest], next: from + found.length, isEnd };
      if (end > 0 || isEnd) return { lines: linesOf(found, end), next: from + end, isEnd };
      if (wanted >= mostOfALine) return { lines: [], next: from + found.length, isEnd };
    }
  } finally {
    fs.closeSync(fd);
  }
}

function linesOf(bytes: Buffer, end: number): string[] {
  return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
}

/** One read may give less than is there. */
function readFully(fd: number, into: Buffer, from: number): number {
  let done = 0;
  while (done < into.length) {
    const read = fs.readSync(fd, into, done, into.length - done, from + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
