/**
 * An event loop that a test turns: timers and answers come in any order that a real one might bring them in, by a seed, and no time
 * passes but what everybody waits for. Where nothing is left that could wake anybody, that is seen at once.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../../src/model/time.ts';
import { Chance } from '../../src/testing/chance.ts';

interface Task {
  readonly at: number;
  readonly run: () => void;
}

const real = { setImmediate, setTimeout, clearTimeout, setInterval, clearInterval };

export class ChanceLoop implements Clock {
  time = Date.UTC(2026, 0, 1);
  /** Tasks that ran since time passed last: a loop that turns without waiting for anything has many. */
  turnsAtOnce = 0;
  readonly #chance: Chance;
  readonly #tasks = new Set<Task>();

  constructor(seed: number) {
    this.#chance = new Chance(seed);
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return this.#chance.next();
  }

  /** One of these. */
  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.random() * of.length)]!;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const task = ms === Infinity ? undefined : this.#add(ms, () => end());
      const end = (): void => {
        if (task !== undefined) this.#tasks.delete(task);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      signal?.addEventListener('abort', end);
    });
  }

  /** What others do in so many milliseconds. */
  after(ms: number, run: () => void): void {
    this.#add(ms, run);
  }

  #add(ms: number, run: () => void): Task {
    const task = { at: this.time + Math.max(0, ms), run: AsyncResource.bind(run) };
    this.#tasks.add(task);
    return task;
  }

  /** The timers of the process are this loop's until what is given back is called. */
  install(): () => void {
    const begin = (run: () => void, ms = 0): unknown => this.#add(ms, run);
    const stop = (task: unknown): void => void this.#tasks.delete(task as Task);
    Object.assign(globalThis, {
      setImmediate: (run: () => void) => begin(run),
      setTimeout: begin,
      clearTimeout: stop,
      // Nobody needs one to fire: it keeps a process from ending.
      setInterval: () => undefined,
      clearInterval: () => undefined,
    });
    return () => void Object.assign(globalThis, real);
  }

  /** Lets all go on that waits for nothing. */
  async settle(turns = 1): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => real.setImmediate(resolve));
  }

  /** One task. `false`: there is none. */
  async turn(): Promise<boolean> {
    await this.settle();
    // What is loaded takes some turns of the real loop.
    for (let tries = 0; this.#tasks.size === 0; tries++) {
      if (tries === 20) return false;
      await this.settle();
    }
    const due = [...this.#tasks].filter(({ at }) => at <= this.time);
    if (due.length === 0) {
      this.time = Math.min(...Array.from(this.#tasks, ({ at }) => at));
      this.turnsAtOnce = 0;
      return this.turn();
    }
    this.turnsAtOnce++;
    const task = this.pick(due);
    this.#tasks.delete(task);
    task.run();
    await this.settle();
    return true;
  }
}
