/** Those who wait for something that one of them gets at a time, in the order in which they came. */
export class WaitingLine {
  readonly #waiting = new Set<() => void>();

  /** Until something may be free for this one, or nobody wants it any more. */
  async wait(interrupt: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        interrupt.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      interrupt.addEventListener('abort', wake);
    });
  }

  /** Something may be free: the first one looks. */
  next(): void {
    const [first] = this.#waiting;
    first?.();
  }
}
