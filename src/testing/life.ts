/**
 * How long what a test does goes on: to its end, or until it is killed before or after one of its commits.
 *
 * In one JavaScript process nothing can be stopped in the middle. So a kill waits until the user's functions that are at work
 * have returned, loses what they returned, and lets nothing begin or be seen after that: which is a moment at which a
 * process can be killed, too.
 */
import type { StateChange } from '../state/changes.ts';
import type { KillPoint } from './answers.ts';

/** A kill that has come to pass. */
export interface Kill extends KillPoint {
  /** What the commit changes. */
  readonly changes: readonly StateChange[];
}

export class Life {
  readonly #killedAt: KillPoint | null;
  #commits = 0;
  #atWork = 0;
  #kill: Kill | null = null;
  readonly #over = new AbortController();
  #end!: (kill: Kill) => void;
  /** Resolves when it was killed and nothing is at work any more. */
  readonly killed = new Promise<Kill>((resolve) => (this.#end = resolve));

  constructor(killedAt: KillPoint | null = null) {
    this.#killedAt = killedAt;
  }

  get isOver(): boolean {
    return this.#kill !== null;
  }

  /** Aborted when it is over: nothing is waited for any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** A commit is to be made. @returns whether it is killed before or after that */
  commits(changes: readonly StateChange[]): KillPoint['when'] | null {
    this.#commits++;
    if (this.#killedAt?.commit !== this.#commits) return null;
    this.#kill = { ...this.#killedAt, changes };
    this.#over.abort();
    return this.#killedAt.when;
  }

  /** What dynpart does: once it is over, nothing begins, and nobody learns what came of what had begun. */
  async goOn<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.isOver) return this.#never();
    try {
      const done = await work();
      return this.isOver ? await this.#never<T>() : done;
    } catch (error) {
      return this.isOver ? this.#never() : Promise.reject(error);
    }
  }

  /** What the user's function does: likewise, but whoever waits for it is told, so that no timer is left; and the kill waits for its end. */
  async userCode<T>(work: () => T | Promise<T>): Promise<T> {
    return this.orTold(async () => {
      this.#atWork++;
      try {
        return await work();
      } finally {
        this.#atWork--;
      }
    });
  }

  /** As `goOn`, but an error comes of it once it is over: for what is done within a time limit. Nothing can come of that error. */
  async orTold<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.isOver) throw this.#told();
    try {
      return await work();
    } finally {
      // oxlint-disable-next-line no-unsafe-finally -- whatever came of it, nobody is to learn
      if (this.isOver) throw this.#told();
    }
  }

  #told(): Error {
    this.#endIfIdle();
    return new Error('it was killed');
  }

  #never<T>(): Promise<T> {
    this.#endIfIdle();
    return new Promise(() => undefined);
  }

  #endIfIdle(): void {
    if (this.#kill !== null && this.#atWork === 0) this.#end(this.#kill);
  }
}
