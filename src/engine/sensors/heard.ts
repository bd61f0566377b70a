/** What loops of one process hear of, without being told what it is: that somebody has committed, or that a file was edited. */
import type { Clock, Millis } from '../../model/time.ts';

export class Heard {
  readonly #listeners = new Set<() => void>();
  #times = 0;

  /** How often there was something to hear: taken before a look, it tells `wait` what came since. */
  get times(): number {
    return this.#times;
  }

  readonly ring = (): void => {
    this.#times++;
    for (const listener of this.#listeners) listener();
  };

  /** @returns what ends it */
  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Until there is something to hear, but no longer than so many milliseconds. @param since at once where something came after that */
  async wait(since: number, ms: Millis, { clock, stop }: Waiting): Promise<void> {
    if (this.#times !== since || stop.aborted) return;
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    const end = this.listen(wake);
    stop.addEventListener('abort', wake);
    await clock.sleep(ms, woken.signal);
    stop.removeEventListener('abort', wake);
    end();
  }
}

interface Waiting {
  readonly clock: Clock;
  readonly stop: AbortSignal;
}
