/** Ctrl-C and SIGTERM: the first stops in order, the second leaves at once. */

export class Interrupts {
  readonly #controller = new AbortController();
  #code: 130 | 143 | null = null;

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code of the signal that came, or `null`. */
  get code(): 130 | 143 | null {
    return this.#code;
  }

  /** From now on signals do not end the process by themselves. */
  listen(): void {
    const on = (code: 130 | 143) => (): void => {
      // What is lost by leaving now is what a kill would lose: nothing that is on record.
      if (this.#code !== null) process.exit(code);
      this.#code = code;
      this.#controller.abort();
    };
    process.on('SIGINT', on(130));
    process.on('SIGTERM', on(143));
  }
}
