/** A user's folder in a temporary place, and the real binary run in it with a scrubbed environment. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bringPack } from './kept-pack.ts';

/** The repository. */
export const root = path.resolve(import.meta.dirname, '../..');

/** The real entry, as `npm` links it. */
export const binary = path.join(root, 'bin/dynpart.cjs');

/** Of all tests together, and not of the user who gives them. */
export const testCache = path.join(os.tmpdir(), 'dynpart-test-cache');

export interface RunResult {
  /** Exit code, or `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** Milliseconds after which the process is killed, so that a hanging test says what it hung on. */
  readonly killAfterMs?: number;
  /** A command that starts it, such as `unshare --pid`. */
  readonly within?: readonly string[];
}

/** A database for all projects that name none: each has its state in a schema of its own there, and not in a file. */
const SERVER = process.env['DYNPART_TEST_DATABASE'];

let schemas = 0;

/** A process that is still running. */
export interface Running {
  readonly process: ChildProcess;
  readonly done: Promise<RunResult>;
  /** Resolves when the text has been written to stdout or stderr. */
  saw(text: string): Promise<void>;
}

export class Project implements AsyncDisposable {
  readonly folder: string;
  readonly #running = new Set<ChildProcess>();
  readonly #server: string | undefined;
  #database: string | undefined;

  /** @param server a database such as postgres://me@127.0.0.1/postgres: the state is in a schema of its own there, and not in a file */
  constructor(files: Readonly<Record<string, string>> = {}, server: string | undefined = SERVER) {
    this.#server = server;
    this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-test-')));
    this.write(files);
  }

  path(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
      fs.writeFileSync(this.path(name), content);
    }
  }

  read(...names: string[]): string {
    return fs.readFileSync(this.path(...names), 'utf8');
  }

  exists(...names: string[]): boolean {
    return fs.existsSync(this.path(...names));
  }

  /** What a command is told of the state besides: nothing, or where the database is that the tests are to be run on. */
  get environment(): Record<string, string> {
    if (this.#server === undefined) return {};
    if (this.#database === undefined) {
      this.#database = `${this.#server}?schema=e2e_${process.pid}_${Date.now().toString(36)}_${++schemas}`;
      const args = [binary, 'state', 'migrate', '--state', this.#database];
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: this.folder, encoding: 'utf8' });
      if (status !== 0) throw new Error(`state migrate ended with ${status}: ${stderr}`);
    }
    return { DYNPART_STATE: this.#database };
  }

  /** The state file as it is, byte for byte; `null` when there is none. */
  stateBytes(): string | null {
    return this.exists('.dynpart', 'state.json') ? this.read('.dynpart', 'state.json') : null;
  }

  /** The parsed state document. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  state(): any {
    return JSON.parse(this.read('.dynpart', 'state.json'));
  }

  /** Runs the binary to its end. */
  dynpart(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.start(args, options).done;
  }

  /** Runs the binary with `--json` and parses the one document that it prints. */
  async json(
    args: readonly string[],
    options: RunOptions = {},
    // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  ): Promise<{ code: number | null; document: any; stderr: string }> {
    const { code, stdout, stderr } = await this.dynpart([...args, '--json'], options);
    const lines = stdout.split('\n').filter((line) => line !== '');
    if (lines.length !== 1)
      throw new Error(`expected one JSON document, got ${lines.length} lines: ${stdout}\n${stderr}`);
    return { code, document: JSON.parse(lines[0]!), stderr };
  }

  /** Starts the binary and leaves it running. */
  start(
    args: readonly string[],
    { env = {}, input, cwd, killAfterMs = 150_000, within = [] }: RunOptions = {},
  ): Running {
    bringPack(this.folder, testCache);
    const [command = process.execPath, ...rest] = [...within, process.execPath, binary, ...args];
    const child = spawn(command, rest, {
      cwd: cwd ?? this.folder,
      // As cron: nothing but what a process needs, and a cache of its own so that tests do not depend on the user's.
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.folder,
        XDG_CACHE_HOME: testCache,
        ...this.environment,
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    const said = { stdout: '', stderr: '' };
    const waiting: { text: string; resolve: () => void }[] = [];
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        said[name] += chunk;
        for (const { text, resolve } of waiting) if (said[name].includes(text)) resolve();
      });
    }
    child.stdin.on('error', () => undefined).end(input ?? '');
    const killer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    const done = new Promise<RunResult>((resolve, reject) => {
      child.on('error', reject).on('close', (code, signal) => {
        clearTimeout(killer);
        this.#running.delete(child);
        resolve({ code, signal, ...said });
      });
    });
    return {
      process: child,
      done,
      saw: (text) =>
        new Promise((resolve, reject) => {
          if (said.stdout.includes(text) || said.stderr.includes(text)) return resolve();
          waiting.push({ text, resolve });
          void done.then(() =>
            reject(
              new Error(`it ended without writing ${JSON.stringify(text)}: ${said.stdout}\n${said.stderr}`),
            ),
          );
        }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await fs.promises.rm(this.folder, { recursive: true, force: true });
  }
}
