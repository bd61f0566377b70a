/**
 * That nothing is to go on, as an `AbortSignal` tells it. A signal of its own is made when somebody asks for one: most user code
 * never looks at its own, and ends before anybody would abort it.
 */
export class Interruption {
  readonly #listeners = new Set<() => void>();
  #controller: AbortController | undefined;
  #isAborted = false;
  #isLost = false;
  #reason: unknown;

  get aborted(): boolean {
    return this.#isAborted;
  }

  /** What it was for is another's by now: nothing that comes of it here is to be kept. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** The same one each time, aborted where this is. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  lose(): void {
    this.#isLost = true;
    this.abort();
  }

  /** @param reason of the signal. Default: that of an `AbortController` */
  abort(reason?: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners) listener();
  }
}

export type Interrupt = AbortSignal | Interruption;

export function isLost(interrupt: Interrupt): boolean {
  return interrupt instanceof Interruption && interrupt.isLost;
}

/** For who takes nothing but a signal. */
export function signalOf(interrupt: Interrupt): AbortSignal {
  return interrupt instanceof Interruption ? interrupt.signal : interrupt;
}
