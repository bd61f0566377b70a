/** A terminal that remembers what was written to it, and the command line run on it in this very process. */
import { createRequire } from 'node:module';
import path from 'node:path';
import type { run as Run } from '../../src/cli/main.ts';
import type { OutStream, Terminal } from '../../src/cli/terminal.ts';
import type { Clock } from '../../src/model/time.ts';
import { FakeClock } from './fake-clock.ts';
import { root } from './project.ts';

export interface TerminalOptions {
  /** Whether both streams are terminals, or which of them. */
  readonly isTerminal?: boolean | { readonly stdout: boolean; readonly stderr: boolean };
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
}

class CapturedStream implements OutStream {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly hasFailed = false;
  text = '';
  readonly #both: { text: string };

  constructor(isTerminal: boolean, columns: number, both: { text: string }) {
    this.isTerminal = isTerminal;
    this.columns = columns;
    this.#both = both;
  }

  write(text: string | Uint8Array): void {
    const written = typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
    this.text += written;
    this.#both.text += written;
  }
}

export class CapturedTerminal implements Terminal {
  readonly stdout: CapturedStream;
  readonly stderr: CapturedStream;
  /** What was written to either, in its order: what somebody sees who sits there. */
  readonly both = { text: '' };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly #stdin: string | Uint8Array;

  constructor({
    isTerminal = false,
    columns = 80,
    env = {},
    cwd = '/nowhere',
    stdin = '',
  }: TerminalOptions = {}) {
    const is = typeof isTerminal === 'boolean' ? { stdout: isTerminal, stderr: isTerminal } : isTerminal;
    this.stdout = new CapturedStream(is.stdout, columns, this.both);
    this.stderr = new CapturedStream(is.stderr, columns, this.both);
    this.env = { TERM: 'xterm', HOME: '/nowhere', ...env };
    this.cwd = cwd;
    this.#stdin = stdin;
  }

  readStdin(): Buffer {
    return Buffer.from(this.#stdin);
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * One command in this process, through the built command line: `main.ts` looks for `package.json` beside its bundle.
 * What it hooks into the process — streams, `exit`, signals, stray errors — is taken off again.
 */
export function runOn(
  terminal: CapturedTerminal,
  args: readonly string[],
  clock: Clock = new FakeClock(),
): Promise<Ran> {
  const { run } = createRequire(import.meta.url)(path.join(root, 'dist/cli.cjs')) as { run: typeof Run };
  const restore = rememberProcess();
  // No `await`: a stack that the command shows would go on here, and end in the tests.
  return run(args, terminal, clock)
    .then((code) => ({ code, stdout: terminal.stdout.text, stderr: terminal.stderr.text }))
    .finally(restore);
}

const HOOKED = [
  'uncaughtException',
  'unhandledRejection',
  'SIGINT',
  'SIGTERM',
  'beforeExit',
  'exit',
] as const;

/** Takes off what is hooked into the process after this, when it is called back. */
export function rememberProcess(): () => void {
  const properties = (['stdout', 'stderr', 'exit', 'exitCode'] as const).map(
    (name) => [name, Object.getOwnPropertyDescriptor(process, name)] as const,
  );
  const before = HOOKED.map((name) => [name, new Set(process.rawListeners(name))] as const);
  return () => {
    for (const [name, descriptor] of properties)
      if (descriptor !== undefined) Object.defineProperty(process, name, descriptor);
    for (const [name, listeners] of before)
      for (const listener of process.rawListeners(name))
        if (!listeners.has(listener)) process.removeListener(name, listener as () => void);
  };
}
