/** What a program prints, kept for the result of `exec` as execa's options ask for it: no more than `maxBuffer`, and no more than a text can be. */
import { constants } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import type { ExecOptions } from '../../definitions/user-context.ts';

/** What execa allows where `maxBuffer` does not say it. */
const MOST_KEPT = 100_000_000;

/** Where it is printed: `stdout` and so on by their number, both of them in the order in which it came, or messages of Node's own. */
export type PrintedTo = number | 'all' | 'ipc';

const NAMES = ['stdin', 'stdout', 'stderr'] as const;

export class Printed {
  readonly #options: ExecOptions;
  readonly #to: PrintedTo;
  readonly #isKept: boolean;
  readonly #isLines: boolean;
  readonly #limit: number;
  readonly #decoder = new StringDecoder();
  /** Lines, or what a transform of the user's made of them. */
  readonly #list: unknown[] = [];
  /** All of it, or the line that has no end yet. */
  #text = '';
  #letters = 0;
  #isObjects = false;

  constructor(to: PrintedTo, options: ExecOptions) {
    this.#to = to;
    this.#options = options;
    this.#isKept = this.#option('buffer', true);
    this.#isLines = this.#option('lines', false);
    const most = this.#option('maxBuffer', MOST_KEPT) * (to === 'all' ? 2 : 1);
    this.#limit = this.#isLines ? most : Math.min(most, constants.MAX_STRING_LENGTH);
  }

  /** What is wrong when it is more than may be kept. */
  get tooMuch(): string {
    const unit = this.#isObjects ? 'objects' : this.#isLines ? 'lines' : 'characters';
    return `${this.#name} was larger than ${this.#limit} ${unit}`;
  }

  get #name(): string {
    if (this.#to === 'all') return 'output';
    return this.#to === 'ipc' ? 'IPC output' : (NAMES[this.#to] ?? `fd${this.#to}`);
  }

  /** `false`: it is more than may be kept, and the rest of it is not. */
  take(chunk: unknown): boolean {
    if (!this.#isKept) return true;
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return this.takeObject(chunk);
    return this.#takeText(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk));
  }

  /** Not text, whatever it is. */
  takeObject(object: unknown): boolean {
    this.#isObjects = true;
    return !this.#isKept || this.#add(object);
  }

  /** As execa gives it back. */
  value(): string | unknown[] | undefined {
    if (!this.#isKept) return undefined;
    this.#takeText(this.#decoder.end());
    if (!this.#isLines && !this.#isObjects) return this.#shown(this.#text);
    if (this.#text !== '') this.#add(this.#text);
    this.#text = '';
    return this.#list;
  }

  #takeText(text: string): boolean {
    const most = this.#isLines ? constants.MAX_STRING_LENGTH : this.#limit;
    const fitting = text.slice(0, most - this.#letters);
    this.#letters += fitting.length;
    const fits = fitting.length === text.length;
    if (!this.#isLines) {
      this.#text += fitting;
      return fits;
    }
    const lines = fitting.split('\n');
    const rest = lines.pop()!;
    // What is in lines is told from what has no end yet: that may be long, and is not looked through again.
    for (const line of lines) {
      if (!this.#add(this.#shown(`${this.#text}${line}\n`))) return false;
      this.#text = '';
    }
    this.#text += rest;
    return fits;
  }

  #add(item: unknown): boolean {
    if (this.#list.length >= this.#limit) return false;
    this.#list.push(item);
    return true;
  }

  #shown(text: string): string {
    if (!text.endsWith('\n') || !this.#option('stripFinalNewline', true)) return text;
    return text.slice(0, text.endsWith('\r\n') ? -2 : -1);
  }

  /** An option may be given for each stream. */
  #option<T>(name: 'buffer' | 'lines' | 'maxBuffer' | 'stripFinalNewline', otherwise: T): T {
    const given = this.#options[name] as T | Readonly<Record<string, T | undefined>> | undefined;
    if (typeof given !== 'object' || given === null) return given ?? otherwise;
    const of = given as Readonly<Record<string, T | undefined>>;
    if (this.#to === 'ipc') return of['ipc'] ?? otherwise;
    if (this.#to === 'all') return of['all'] ?? of['stdout'] ?? of['stderr'] ?? otherwise;
    const ofBoth = this.#to === 1 || this.#to === 2 ? of['all'] : undefined;
    return of[NAMES[this.#to] ?? ''] ?? of[`fd${this.#to}`] ?? ofBoth ?? otherwise;
  }
}
