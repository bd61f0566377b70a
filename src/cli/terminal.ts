/** The two streams, the environment and standard input: all that a command knows of the process around it. */
import fs from 'node:fs';
import type { isatty as IsATty } from 'node:tty';
import { causeOf } from '../files/system-errors.ts';
import { toPaste } from './printed-commands.ts';

export interface OutStream {
  write(text: string | Uint8Array): void;
  readonly isTerminal: boolean;
  /** Letters in a line. */
  readonly columns: number;
  /** Whether something could not be written, and not because nobody reads any more. */
  readonly hasFailed: boolean;
}

export interface Terminal {
  /** Of commands in what is said here: see `flagsToPrint`. */
  flags?: readonly string[];
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readStdin(): Buffer;
}

/** The real one. */
export function processTerminal(cwd: string): Terminal {
  const stderr = new FileStream(2);
  const tell = (cause: string): void => {
    const see = 'see: dynpart status, dynpart runs list';
    stderr.write(
      `error: cannot write to standard output: ${cause}\n` +
        `  the command goes on and what it does is on record, only its output is lost; ${toPaste(see, terminal.flags ?? [])}\n`,
    );
  };
  const terminal: Terminal = { stdout: new FileStream(1, tell), stderr, env: process.env, cwd, readStdin };
  return terminal;
}

const CHUNK = 64 * 1024;

/** Not `readFileSync`: a pipe that somebody made non-blocking answers `EAGAIN` while its writer still thinks. */
function readStdin(): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    try {
      const read = fs.readSync(0, chunk);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Windows has an error for the end.
      if (code === 'EOF') break;
      if (code !== 'EAGAIN') throw error;
      waitMs(10);
    }
  }
  return Buffer.concat(chunks);
}

function waitMs(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** `/dev/null` and its neighbours: on Linux devices of major number 1. */
function isMemoryDevice(rdev: number): boolean {
  return process.platform === 'linux' && rdev >>> 8 === 1;
}

/** Writes at once, so that nothing is lost when the process ends; and without `process.stdout`, which costs start-up. */
class FileStream implements OutStream {
  readonly #fd: number;
  readonly #onFailure: (cause: string) => void;
  #closed = false;
  #hasFailed = false;
  #isTerminal: boolean | undefined;

  /** @param onFailure is told once why nothing more can be written. Nothing is thrown: runs that are under way must not end of it */
  constructor(fd: number, onFailure: (cause: string) => void = () => undefined) {
    this.#fd = fd;
    this.#onFailure = onFailure;
  }

  write(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    for (let written = 0; written < bytes.length && !this.#closed;) {
      try {
        written += fs.writeSync(this.#fd, bytes, written, bytes.length - written);
      } catch (error) {
        this.#waitOrClose(error as NodeJS.ErrnoException);
      }
    }
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isTerminal(): boolean {
    return (this.#isTerminal ??= this.#looksLikeTerminal());
  }

  get columns(): number {
    if (!this.isTerminal) return 80;
    const stream = this.#fd === 1 ? process.stdout : process.stderr;
    return stream.columns > 0 ? stream.columns : 80;
  }

  /** A pipe that is full says so when it was made non-blocking; one that nobody reads any more is no error. */
  #waitOrClose(error: NodeJS.ErrnoException): void {
    if (error.code === 'EAGAIN') return waitMs(1);
    this.#closed = true;
    if (error.code === 'EPIPE' || error.code === 'EBADF') return;
    this.#hasFailed = true;
    this.#onFailure(causeOf(error));
  }

  /** `tty` is only loaded for a character device: a pipe or a file is no terminal for certain. */
  #looksLikeTerminal(): boolean {
    try {
      const stat = fs.fstatSync(this.#fd);
      if (!stat.isCharacterDevice() || isMemoryDevice(stat.rdev)) return false;
    } catch {
      return false;
    }
    const { isatty } = process.getBuiltinModule('node:tty') as { isatty: typeof IsATty };
    return isatty(this.#fd);
  }
}
