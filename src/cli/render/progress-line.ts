/** One line on a terminal that shows how runs go: done, failed, running, rate, time left. Elsewhere nothing. */
import { steadyTime } from '../../model/time.ts';
import type { RunRecord } from '../../model/run.ts';
import type { Output } from '../output.ts';
import type { Row } from './progress-row.ts';
import type { Going } from './progress-words.ts';
import type { Event, RunLetGo, RunStarted } from '../../engine/event.ts';

/** What is over sooner needs no line, and saves loading the library for it. */
const SHOW_AFTER_MS = 300;

/** What is redrawn below what is said. */
export interface Live {
  see(event: Event): void;
  /** Writes something that stays, above it. */
  above(write: () => void): void;
  stop(): void;
}

/** Whether somebody sees what is redrawn. */
export function isLookedAt({ options, terminal }: Output): boolean {
  return (
    terminal.stderr.isTerminal &&
    !options.json &&
    !options.quiet &&
    !options.verbose &&
    terminal.env['TERM'] !== 'dumb'
  );
}

export class LiveLine implements Live {
  readonly #output: Output;
  readonly #shown: boolean;
  #began = 0;
  /** Oldest first. */
  readonly #running = new Map<string, { readonly partitionKey: string | null; readonly since: number }>();
  #done = 0;
  /** Most of them never began: after Ctrl-C, or where others ended them. */
  #canceled = 0;
  /** Whose code has ended. They are put on record many at once, and a line that stands still meanwhile says nothing. */
  readonly #over = new Set<string>();
  #failed = 0;
  #left = 0;
  #row: Row | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(output: Output) {
    this.#output = output;
    this.#shown = isLookedAt(output);
  }

  see(event: Event): void {
    if (event.type === 'run-started') this.#started(event);
    else if (event.type === 'run-ended') this.#ended(event.run);
    else if (event.type === 'run-let-go') this.#letGo(event);
    else if (event.type === 'run-finished') this.#finished(event.run, event.left);
    else if (event.type === 'runs-in-hand') this.#leaves(event.left);
  }

  #started({ id, partitionKey, left }: Pick<RunStarted, 'id' | 'partitionKey' | 'left'>): void {
    this.#running.set(id, { partitionKey, since: steadyTime(this.#output.clock) });
    this.#left = left;
    if (!this.#shown || this.#timer !== undefined || this.#stopped) return;
    this.#began = steadyTime(this.#output.clock);
    this.#timer = setTimeout(() => void this.#show(), SHOW_AFTER_MS);
  }

  #ended({ id, status }: RunRecord): void {
    this.#running.delete(id);
    if (status !== 'CANCELED') this.#over.add(id);
  }

  #finished(run: RunRecord, left: number): void {
    this.#running.delete(run.id);
    this.#over.delete(run.id);
    if (run.status === 'CANCELED') this.#canceled++;
    else this.#done++;
    if (run.status === 'FAILURE') this.#failed++;
    this.#leaves(left);
  }

  #letGo({ id, left }: RunLetGo): void {
    this.#running.delete(id);
    this.#over.delete(id);
    this.#leaves(left);
  }

  #leaves(left: number): void {
    this.#left = left;
    // A watch goes on: the next runs begin a line of their own.
    if (left === 0) this.#hide();
  }

  above(write: () => void): void {
    this.#row?.spinner.clear();
    write();
    this.#row?.spinner.render();
  }

  stop(): void {
    this.#stopped = true;
    this.#hide();
  }

  #hide(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#row?.stop();
    this.#row = undefined;
    this.#done = 0;
    this.#canceled = 0;
    this.#over.clear();
    this.#failed = 0;
  }

  async #show(): Promise<void> {
    const shown = this.#timer;
    const start = await (await import('./progress-row.ts')).rowOf(this.#output, () => this.seen);
    if (!this.#stopped && this.#timer === shown) this.#row = start();
  }

  /** What is shown of it all. */
  get seen(): Going {
    const now = steadyTime(this.#output.clock);
    const [longest] = this.#running.values();
    return {
      done: this.#done,
      over: this.#done + this.#over.size,
      failed: this.#failed,
      canceled: this.#canceled,
      left: this.#left,
      ms: now - this.#began,
      running: this.#running.size,
      longest: longest && { partitionKey: longest.partitionKey, ms: now - longest.since },
    };
  }
}
