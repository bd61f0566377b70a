/** Reads what a program prints: all of it is handed on as it comes, and as much as may be is kept for the result. */
import util from 'node:util';
import type { ExecOptions } from '../../definitions/user-context.ts';
import { Printed } from './printed.ts';

/** As much of execa's subprocess as is read. */
export interface Printing {
  readonly stdio: readonly unknown[];
  readonly all?: Stream | undefined;
  on(event: 'message', then: (message: unknown) => void): unknown;
}

interface Stream {
  on(event: 'data', then: (chunk: unknown) => void): unknown;
}

export interface OutputOptions {
  readonly onText: (stream: 'stdout' | 'stderr', text: string | Uint8Array) => void;
  /** It is more than may be kept; called once. */
  readonly onTooMuch: (what: string) => void;
}

export class ProgramOutput {
  readonly #options: OutputOptions;
  readonly #streams: readonly (Printed | undefined)[];
  #all: Printed | undefined;
  #messages: Printed | undefined;
  /** How many pieces of text have come. */
  chunks = 0;
  /** What was more than may be kept. */
  tooMuch: string | undefined;

  constructor(subprocess: Printing, exec: ExecOptions, options: OutputOptions) {
    this.#options = options;
    this.#streams = subprocess.stdio.map((stream, number) => {
      // One that is written to is no output.
      if (number === 0 || !isReadable(stream)) return undefined;
      const printed = new Printed(number, exec);
      stream.on('data', (chunk: unknown) => {
        this.chunks++;
        if (number <= 2) this.#handOn(number === 1 ? 'stdout' : 'stderr', chunk);
        this.#keep(printed, printed.take(chunk));
      });
      return printed;
    });
    if (subprocess.all !== undefined) {
      const printed = (this.#all = new Printed('all', exec));
      subprocess.all.on('data', (chunk: unknown) => this.#keep(printed, printed.take(chunk)));
    }
    if (exec.ipc === true) {
      const printed = (this.#messages = new Printed('ipc', exec));
      subprocess.on('message', (message) => this.#keep(printed, printed.takeObject(message)));
    }
  }

  /** What of it execa would give back. */
  kept(): Record<string, unknown> {
    const stdio = this.#streams.map((printed) => printed?.value());
    const [, stdout, stderr] = stdio;
    const all = this.#all?.value();
    const ipcOutput = this.#messages?.value();
    const there = Object.entries({ stdout, stderr, all, ipcOutput }).filter(
      ([, value]) => value !== undefined,
    );
    return { stdio, ...Object.fromEntries(there) };
  }

  #handOn(stream: 'stdout' | 'stderr', chunk: unknown): void {
    const isText = typeof chunk === 'string' || chunk instanceof Uint8Array;
    this.#options.onText(stream, isText ? chunk : `${util.inspect(chunk)}\n`);
  }

  #keep(printed: Printed, fits: boolean): void {
    if (fits || this.tooMuch !== undefined) return;
    this.tooMuch = printed.tooMuch;
    this.#options.onTooMuch(this.tooMuch);
  }
}

function isReadable(stream: unknown): stream is Stream {
  return typeof stream === 'object' && stream !== null && 'readableFlowing' in stream;
}
