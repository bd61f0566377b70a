/** One process that looks at files, and how long it may be silent. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { causeOf } from '../../files/system-errors.ts';
import type { Kind, Question, Told } from './questions.ts';

/** A place of the folder that does not answer. */
export interface Hanging {
  readonly place: string;
  readonly kind: Kind;
}

/** This thread may have been busy or stopped meanwhile: what was told in that time is read first. */
const LAST_CHANCE_MS = 500;

/** What was killed ends within that, unless it waits for a file server. */
const ENDS_WITHIN_MS = 500;

const SCRIPT = path.join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../../dist' : '',
  'sources-looker.cjs',
);

export class LookerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #hear: (told: Told) => void = () => undefined;
  #at: Hanging = { place: '', kind: 'base' };

  constructor(script = SCRIPT) {
    // Not in the folder of this process, which may be on that file server. Flags of node that are meant for this process
    // (a debugger's) are not meant for that one, and it needs no certificates.
    const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
    this.#child = spawn(process.execPath, [script], { cwd: '/', env, stdio: 'pipe', windowsHide: true });
    let wrong = '';
    this.#ended = new Promise((resolve) => {
      this.#child
        .once('error', (error) => resolve(`cannot be started: ${causeOf(error)}`))
        .once('close', (code, signal) => resolve(`ended (${signal ?? code}) ${wrong}`.trim()));
    });
    // There are none when it could not be started for want of them.
    const { stdin, stdout, stderr } = this.#child;
    // It has ended, which is told above.
    stdin?.on('error', () => undefined);
    stderr?.setEncoding('utf8').on('data', (part: string) => (wrong = (wrong + part).slice(-2000)));
    let rest = '';
    stdout?.setEncoding('utf8').on('data', (part: string) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.#hear(JSON.parse(line) as Told);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it looks at. */
  get at(): Hanging {
    return this.#at;
  }

  /** `null`: a call of the system does not come back. @throws Error when it is not there (any more), and the signal's reason */
  async ask(
    question: Question,
    { patienceMs, signal }: { patienceMs: number; signal: AbortSignal },
  ): Promise<readonly Told[] | null> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const answered = new Promise<readonly Told[] | null>((resolve, reject) => {
      const told: Told[] = [];
      let heard = 0;
      const wait = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          const before = heard;
          timer = setTimeout(() => (heard === before ? resolve(null) : wait()), LAST_CHANCE_MS);
        }, patienceMs);
      };
      wait();
      this.#hear = (one) => {
        heard += 1;
        if (one[0] === 'at') {
          this.#at = { place: one[1], kind: one[2] };
          wait();
        } else if (one[0] === 'alive') wait();
        else if (one[0] === 'end') resolve(told);
        else told.push(one);
      };
      void this.#ended.then((how) =>
        reject(new Error(`the process that looks at the files of ${question.cwd} ${how}`)),
      );
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort);
      this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    });
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }

  /** Kills it. It may not end before the file server is back, and nothing of it may keep this process until then. */
  kill(): void {
    this.#child.kill('SIGKILL');
    this.#child.unref();
    for (const stream of this.#child.stdio ?? []) stream?.destroy();
  }

  /** Whether it ends, now that it was killed. */
  async hasEnded(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ENDS_WITHIN_MS, false)));
    const exited = new Promise<true>((resolve) => this.#child.once('exit', () => resolve(true)));
    const isGone = this.#child.exitCode !== null || this.#child.signalCode !== null;
    const ended = await Promise.race([isGone ? true : exited, late]);
    clearTimeout(timer);
    return ended;
  }
}
