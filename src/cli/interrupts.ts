/** Ctrl-C and SIGTERM: the first stops in order, the second leaves at once. */

import { exitProcess } from './isolation/exit-process.ts';

export class Interrupts {
  #controller: AbortController | undefined;
  #code: 130 | 143 | null = null;

  /** Aborted by the first signal. */
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

  /** From now on signals do not end the process by themselves. */
  listen(): void {
    const on = (code: 130 | 143) => (): void => {
      // What is lost by leaving now is what a kill would lose: nothing that is on record.
      if (this.#code !== null) exitProcess(code);
      this.#code = code;
      this.#made.abort();
    };
    process.on('SIGINT', on(130));
    process.on('SIGTERM', on(143));
  }
}
