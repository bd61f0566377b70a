/**
 * A process of its own for assets, as a history has it: one at a time, which makes a try as the real one does, by the same function. That
 * it can die alone, and what only processes have (signals, channels, what a kill leaves), is hammered.
 */
import { callTogether } from '../../src/engine/runs/call-together.ts';
import type { Isolated, ProcessRoom } from '../../src/engine/runs/isolated.ts';
import { tryOnce } from '../../src/engine/runs/try-asset.ts';

export class HistoryIsolated implements Isolated {
  /** Who waits for the process. */
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  async enter(_: unknown, interrupt: AbortSignal): Promise<ProcessRoom | null> {
    while (this.#isBusy && !interrupt.aborted)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        interrupt.addEventListener('abort', () => resolve(), { once: true });
      });
    if (interrupt.aborted) return null;
    this.#isBusy = true;
    const leave = (): void => {
      this.#isBusy = false;
      for (const go of this.#waiting.splice(0)) go();
    };
    return {
      leave,
      tryOnce: (asset, task, attempt) => tryOnce(asset, task, attempt).finally(leave),
      tryAll: (asset, members, programs) => {
        const call = callTogether(asset, members, programs);
        return { ...call, over: call.over.finally(leave) };
      },
    };
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}
