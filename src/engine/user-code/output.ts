/** Where what user code prints belongs: to the run or tick that it is called for, however deep in its promises. */
import { AsyncLocalStorage } from 'node:async_hooks';
import util from 'node:util';
import type { Log } from '../../definitions/user-context.ts';
import { AT_WORK } from '../../model/at-work.ts';
import type { LogLine } from '../../model/tick.ts';
import { type Clock, isoTime } from '../../model/time.ts';

/** Takes lines that user code wrote. */
export type Output = (line: LogLine) => void;

/** A call of user code that is under way. */
interface UserCall {
  readonly writer: LineWriter;
  /** Ends the call with an error that came up where nothing waited for it: in a timer, in a promise left behind. */
  readonly stray: (error: unknown) => void;
  /** Its code has the thread now. */
  readonly onTurn?: (() => void) | undefined;
  /** The runs that it is called for. */
  readonly runs?: readonly string[];
}

const current = new AsyncLocalStorage<UserCall>();

let last: UserCall | undefined;

/** Tells the call whose code runs now that the call has the thread, unless the call had the thread before. */
export function noteTurn(): void {
  const call = current.getStore();
  if (call?.onTurn === undefined || call === last) return;
  last = call;
  call.onTurn();
}

/** For another thread of this process, which asks while this one is blocked: see `state/at-work.ts`. */
const runsAtWork = (): readonly string[] | null => current.getStore()?.runs ?? null;

/** Runs user code; what it prints meanwhile, also from promises that it left behind, goes to its writer. */
export function writingTo<T>(about: Omit<UserCall, 'stray'>, userCode: () => Promise<T>): Promise<T> {
  if (about.runs !== undefined) Reflect.set(globalThis, Symbol.for(AT_WORK), runsAtWork);
  const called = (): Promise<T> => {
    noteTurn();
    return userCode();
  };
  // A stray error that comes after the call has ended has nobody left to tell.
  return new Promise((resolve, stray) => {
    current.run({ ...about, stray }, called).then(resolve, stray);
  });
}

/** The writer of the user code that is running now, if any. */
export function currentWriter(): LineWriter | undefined {
  return current.getStore()?.writer;
}

/** Hands an error that nothing waited for to the user code it came from. `false` when that is not known. */
export function endWithStray(error: unknown): boolean {
  const call = current.getStore();
  call?.stray(error);
  return call !== undefined;
}

/** A longer line is written as several, of so many UTF-16 units: all of it is kept, and no record grows without bound. */
const LONGEST_LINE = 16 * 1024;

/** The beginning of a text. What stands for one sign is not torn. */
function pieceOf(text: string): string {
  const isTorn = /[\ud800-\udbff]/.test(text[LONGEST_LINE - 1] ?? '') && text.length > LONGEST_LINE;
  return text.slice(0, isTorn ? LONGEST_LINE - 1 : LONGEST_LINE);
}

/** As `console.log` words them; a text alone, which is what most are, as it is. */
function worded(values: readonly unknown[]): string {
  const [message] = values;
  if (values.length === 1 && typeof message === 'string') return message;
  return util.format(...values);
}

/** Cuts what is written into lines. */
export class LineWriter {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #rest = { stdout: '', stderr: '' };
  readonly #hidden: Set<string>;
  readonly #decoders: {
    stdout?: InstanceType<typeof TextDecoder>;
    stderr?: InstanceType<typeof TextDecoder>;
  } = {};

  constructor(output: Output, clock: Clock, hidden = new Set<string>()) {
    this.#output = output;
    this.#clock = clock;
    this.#hidden = hidden;
  }

  /** Writes to the same place, and hides the same: the lines of two that write at once are not mixed. */
  beside(seen: Output): LineWriter {
    const output: Output = (line) => {
      this.#output(line);
      seen(line);
    };
    return new LineWriter(output, this.#clock, this.#hidden);
  }

  write(stream: 'stdout' | 'stderr', chunk: string | Uint8Array): void {
    const lines = (this.#rest[stream] + this.#decoded(stream, chunk)).split('\n');
    let rest = this.#shown(lines.pop()!);
    for (const line of lines) this.#longLine(stream, line.endsWith('\r') ? line.slice(0, -1) : line);
    // Without an end in sight it is written in pieces: a program may print a gigabyte without one.
    // A secret at its end may be there in part: of that no piece is made yet.
    const longest = Math.max(0, ...Array.from(this.#hidden, ({ length }) => length));
    while (rest.length > LONGEST_LINE + longest) {
      const piece = pieceOf(rest);
      this.#write(stream, piece);
      rest = rest.slice(piece.length);
    }
    this.#rest[stream] = rest;
  }

  /** Writes a text, each of its lines for itself. */
  line(stream: LogLine['stream'], text: string): void {
    for (const line of text.split('\n')) this.#longLine(stream, line);
  }

  /** This text is a secret: from now on no line shows it. */
  hide(secret: string): void {
    if (secret !== '') this.#hidden.add(secret);
  }

  #longLine(stream: LogLine['stream'], line: string): void {
    // Before it is cut: a piece has a secret whole or not at all.
    let rest = this.#shown(line);
    do {
      const piece = pieceOf(rest);
      this.#write(stream, piece);
      rest = rest.slice(piece.length);
    } while (rest !== '');
  }

  #write(stream: LogLine['stream'], text: string): void {
    this.#output({ at: isoTime(this.#clock.now()), stream, text: text.toWellFormed() });
  }

  #shown(text: string): string {
    let shown = text;
    for (const secret of this.#hidden) shown = shown.replaceAll(secret, '***');
    return shown;
  }

  /** A letter may come in two pieces. */
  #decoded(stream: 'stdout' | 'stderr', chunk: string | Uint8Array): string {
    if (typeof chunk === 'string') return chunk;
    this.#decoders[stream] ??= new TextDecoder();
    return this.#decoders[stream].decode(chunk, { stream: true });
  }

  /** Writes out what has no line's end yet. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream] !== '') this.line(stream, this.#rest[stream]);
      this.#rest[stream] = '';
    }
  }

  /** The `log` of a user's context. */
  log(): Log {
    const at =
      (level: string) =>
      (...values: unknown[]): void => {
        for (const line of worded(values).split('\n'))
          this.line('log', level === 'info' ? line : `${level}: ${line}`);
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}
