/** A folder of which chosen calls of the system never come back, as of a file server that is gone. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

const SCRIPT = path.join(import.meta.dirname, 'hanging-mount.py');

/** FUSE, root and Python are what it takes. */
export const canMount =
  process.platform === 'linux' &&
  process.geteuid?.() === 0 &&
  fs.existsSync('/dev/fuse') &&
  spawnSync('python3', ['--version']).status === 0;

export class HangingMount implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: ChildProcess;
  #said = '';

  private constructor(folder: string, server: ChildProcess) {
    this.#folder = folder;
    this.#server = server;
    server.stdout!.on('data', (part: Buffer) => (this.#said += part.toString()));
  }

  /** @param hanging such as `opendir:sub` */
  static async on(folder: string, ...hanging: string[]): Promise<HangingMount> {
    fs.mkdirSync(folder, { recursive: true });
    const server = spawn('python3', [SCRIPT, folder, ...hanging], { stdio: ['ignore', 'pipe', 'inherit'] });
    const mount = new HangingMount(folder, server);
    await new Promise<void>((resolve, reject) => {
      server.stdout.once('data', () => resolve());
      server.once('exit', (code) => reject(new Error(`nothing is mounted: exit code ${code}`)));
    });
    return mount;
  }

  /** Somebody waits for it. */
  async hangs(): Promise<void> {
    while (!this.#said.includes('hangs')) await once(this.#server.stdout!, 'data');
  }

  /** Whoever waits for it gets an error. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.kill('SIGKILL');
    await ended;
    spawnSync('umount', ['-l', this.#folder]);
  }
}
