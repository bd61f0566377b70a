/** Lines of runs' logs, on their way: many of them go with one statement. */
import type { RunLogLine } from '../store.ts';
import { appendLines } from './history.ts';
import type { Port } from './port.ts';

const SOON_MS = 100;

export class LogLines {
  readonly #port: Port;
  #waiting: { readonly run: string; readonly line: RunLogLine }[] = [];
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: Port) {
    this.#port = port;
  }

  append(run: string, lines: readonly RunLogLine[]): void {
    for (const line of lines) this.#waiting.push({ run, line });
    this.#timer ??= setTimeout(() => this.soon(), SOON_MS).unref();
  }

  /** Starts to write, and leaves what goes wrong to whoever waits for it. */
  soon(): void {
    this.flushed().catch(() => undefined);
  }

  /** All lines until now are there. */
  async flushed(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#writing !== null || this.#waiting.length > 0) {
      this.#writing ??= this.#write().finally(() => (this.#writing = null));
      await this.#writing;
    }
  }

  async #write(): Promise<void> {
    const lines = this.#waiting;
    this.#waiting = [];
    try {
      await appendLines(this.#port, lines);
    } catch (error) {
      this.#waiting = [...lines, ...this.#waiting];
      throw error;
    }
  }
}
