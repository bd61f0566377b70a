/** The processes in which assets of this command are executed: kept ready, each for one try at a time, and replaced in time. */
import os from 'node:os';
import type { Isolate, Isolated, ProcessRoom } from '../../engine/runs/isolated.ts';
import { NUMBERS_OF_A_PROCESS } from '../../engine/user-code/programs.ts';
import { AssetChild, type ChildOptions } from './asset-child.ts';
import { WaitingLine } from './waiting-line.ts';

/** What leaks a little at each try is not kept for ever. */
const MOST_TRIES = 1000;
const MOST_BYTES = 1024 ** 3;

/** One that is not needed any more has so long to end by itself. */
const LEAVES_WITHIN_MS = 1000;

export interface ProcessesOptions extends Omit<ChildOptions, 'starter' | 'number'> {
  /** So many at most. `null`: as many as there are cores. */
  readonly limit: number | null;
}

export function assetProcesses(options: ProcessesOptions): Isolate {
  return (starter) => new AssetProcesses(options, starter);
}

class AssetProcesses implements Isolated {
  readonly #options: ProcessesOptions;
  readonly #starter: string;
  readonly #all = new Set<AssetChild>();
  #free: AssetChild[] = [];
  readonly #waiting = new WaitingLine();
  #numbers = 0;

  constructor(options: ProcessesOptions, starter: string) {
    this.#options = options;
    this.#starter = starter;
  }

  async enter(_: unknown, interrupt: AbortSignal): Promise<ProcessRoom | null> {
    while (!interrupt.aborted) {
      const child = this.#take();
      if (child !== undefined) return this.#roomIn(child);
      await this.#waiting.wait(interrupt);
    }
    // It may have been woken for a process that is free, which is the next one's now.
    this.#waiting.next();
    return null;
  }

  async end(): Promise<void> {
    await Promise.all([...this.#all].map((child) => child.leave(LEAVES_WITHIN_MS)));
  }

  #roomIn(child: AssetChild): ProcessRoom {
    const tryAll: ProcessRoom['tryAll'] = (asset, members, programs) => {
      const { tried, over } = child.call(asset, members, programs);
      return { tried, over: over.finally(() => this.#letGo(child)) };
    };
    return {
      tryOnce: (asset, task, attempt) => tryAll(asset, [{ task, attempt }], attempt.programs).tried[0]!,
      tryAll,
      leave: () => this.#letGo(child),
    };
  }

  #take(): AssetChild | undefined {
    this.#free = this.#free.filter(({ isUsable }) => isUsable);
    // The one that was used last: the others may be of no use any more.
    return this.#free.pop() ?? (this.#all.size < this.#most ? this.#start() : undefined);
  }

  get #most(): number {
    return this.#options.limit ?? os.availableParallelism();
  }

  #start(): AssetChild {
    const number = ++this.#numbers * NUMBERS_OF_A_PROCESS;
    const child: AssetChild = new AssetChild({ ...this.#options, starter: this.#starter, number }, () => {
      this.#all.delete(child);
      this.#waiting.next();
    });
    this.#all.add(child);
    return child;
  }

  #letGo(child: AssetChild): void {
    const isWornOut = child.tries >= MOST_TRIES || child.memory > MOST_BYTES;
    if (isWornOut && child.isUsable) void child.leave(LEAVES_WITHIN_MS);
    else if (child.isUsable) this.#free.push(child);
    this.#waiting.next();
  }
}
