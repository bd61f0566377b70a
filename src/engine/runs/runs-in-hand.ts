/** How much a process has in hand: by this a worker knows when to take up more. */
import type { RunLoop } from './run-loop.ts';

/** A process that shares the queue keeps so many runs of full pools in hand, beside those that it can execute. */
const MOST_FOR_POOLS = 1000;

export class RunsInHand {
  readonly #loop: () => Pick<RunLoop, 'left' | 'waitingForPools'> | undefined;
  #ended = 0;
  #onFew = { count: -1, callback: (): void => undefined };
  #onAdded: () => void = () => undefined;

  /** @param loop what executes them, once there is one */
  constructor(loop: () => Pick<RunLoop, 'left' | 'waitingForPools'> | undefined) {
    this.#loop = loop;
  }

  /** Those that keep a hand full: what waits for a full pool does not, or nothing else would be taken up before it is through. */
  get count(): number {
    return (this.#loop()?.left ?? 0) - Math.min(this.waitingForPools, MOST_FOR_POOLS);
  }

  /** Runs that wait for a full pool. */
  get waitingForPools(): number {
    return this.#loop()?.waitingForPools ?? 0;
  }

  /** How many runs have ended here. */
  get ended(): number {
    return this.#ended;
  }

  noteEnd(): void {
    this.#ended++;
    const { count, callback } = this.#onFew;
    if (this.count > count) return;
    this.#onFew = { count: -1, callback };
    callback();
  }

  noteAdded(): void {
    this.#onAdded();
  }

  /** Calls back, once, when no more than so many runs are in hand. */
  whenFew(count: number, callback: () => void): void {
    this.#onFew = { count, callback };
  }

  /** Calls back when runs were taken on, also by somebody else who shares the session. */
  whenAdded(callback: () => void): void {
    this.#onAdded = callback;
  }
}
