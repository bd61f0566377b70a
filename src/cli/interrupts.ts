/** Ctrl-C and SIGTERM: the first stops in order, the second leaves at once. */

import { exitProcess } from './isolation/exit-process.ts';

export class Interrupts {
  #controller: AbortController | undefined;
  #code: 130 | 143 | null = null;

  /** Aborted by the first signal, or when the time is over that what runs has to end. */
  get signal(): AbortSignal {
    return this.#made.signal;
  }

  /** The exit code of the signal that came, or `null`. */
  get code(): 130 | 143 | null {
    return this.#code;
  }

  // Made on use: most commands are over before anybody could interrupt them.
  get #made(): AbortController {
    return (this.#controller ??= new AbortController());
  }

  abort(): void {
    this.#made.abort();
  }

  /** From now on signals do not end the process by themselves. @param first takes the place of what the first one does */
  listen(first = (): void => this.abort()): void {
    const on = (code: 130 | 143) => (): void => {
      // What is lost by leaving now is what a kill would lose: nothing that is on record.
      if (this.#code !== null) exitProcess(code);
      this.#code = code;
      first();
    };
    process.on('SIGINT', on(130));
    process.on('SIGTERM', on(143));
  }
}
