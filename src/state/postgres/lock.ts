/** Whether this process keeps others from committing. */
import type { Held } from './turns.ts';

export class Lock implements Held {
  #times = 0;
  #callbacks: (() => void)[] = [];

  get isHeld(): boolean {
    return this.#times > 0;
  }

  whenFree(callback: () => void): void {
    if (this.isHeld) this.#callbacks.push(callback);
    else callback();
  }

  /** @returns what lets go of it: the second time it does nothing */
  take(): () => void {
    this.#times++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#times--;
      if (this.isHeld) return;
      const callbacks = this.#callbacks;
      this.#callbacks = [];
      for (const callback of callbacks) callback();
    };
  }
}
