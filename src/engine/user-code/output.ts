/** Where what user code prints belongs: to the run or tick that it is called for, however deep in its promises. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from '../../definitions/user-context.ts';
import type { LogLine } from '../../model/tick.ts';
import { type Clock, isoTime } from '../../model/time.ts';

/** Takes lines that user code wrote. */
export type Output = (line: LogLine) => void;

/** A call of user code that is under way. */
interface UserCall {
  readonly writer: LineWriter;
  /** Ends the call with an error that came up where nothing waited for it: in a timer, in a promise left behind. */
  readonly stray: (error: unknown) => void;
}

const current = new AsyncLocalStorage<UserCall>();

/** Runs user code; what it prints meanwhile, also from promises that it left behind, goes to `writer`. */
export function writingTo<T>(writer: LineWriter, userCode: () => Promise<T>): Promise<T> {
  let stray!: (error: unknown) => void;
  const strayed = new Promise<never>((_, reject) => (stray = reject));
  // One that comes after the call has ended has nobody left to tell.
  strayed.catch(() => undefined);
  return Promise.race([current.run({ writer, stray }, userCode), strayed]);
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

/** Cuts what is written into lines. */
export class LineWriter {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #rest = { stdout: '', stderr: '' };
  readonly #decoders: {
    stdout?: InstanceType<typeof TextDecoder>;
    stderr?: InstanceType<typeof TextDecoder>;
  } = {};

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  write(stream: 'stdout' | 'stderr', chunk: string | Uint8Array): void {
    const lines = (this.#rest[stream] + this.#decoded(stream, chunk)).split('\n');
    this.#rest[stream] = lines.pop()!;
    for (const line of lines) this.line(stream, line.replace(/\r$/, ''));
  }

  line(stream: LogLine['stream'], text: string): void {
    this.#output({ at: isoTime(this.#clock.now()), stream, text });
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
      (message: unknown): void => {
        for (const line of String(message).split('\n'))
          this.line('log', level === 'info' ? line : `${level}: ${line}`);
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}
