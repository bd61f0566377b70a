/** Ctrl-C and SIGTERM: the first stops in order, the second leaves at once. */
import { startTimer } from '../engine/user-code/timer.ts';
import { exitProcess } from './isolation/exit-process.ts';

/** What was aborted when the time for a good end was over, and does not end of it, is left after so long. */
const LEFT_AFTER_MS = 10_000;

export class Interrupts {
  #controller: AbortController | undefined;
  #ending: AbortController | undefined;
  #code: 130 | 143 | null = null;

  /** Aborted by the first signal, or when the time is over that what runs has to end. */
  get signal(): AbortSignal {
    return this.#made.signal;
  }

  /** Aborted by the first signal where what runs has time to end: nothing new is to begin. */
  get ending(): AbortSignal {
    return this.#winding.signal;
  }

  /** The exit code of the signal that came, or `null`. */
  get code(): 130 | 143 | null {
    return this.#code;
  }

  // Made on use: most commands are over before anybody could interrupt them.
  get #made(): AbortController {
    return (this.#controller ??= new AbortController());
  }

  get #winding(): AbortController {
    return (this.#ending ??= new AbortController());
  }

  /** From now on signals do not end the process by themselves. @param graceMs how long what runs may go on. Default: it is aborted at once */
  listen(graceMs = 0): void {
    const on = (code: 130 | 143) => (): void => {
      // What is lost by leaving now is what a kill would lose: nothing that is on record.
      if (this.#code !== null) exitProcess(code);
      this.#code = code;
      if (graceMs === 0) return this.#made.abort();
      startTimer(graceMs, () => {
        this.#made.abort();
        startTimer(LEFT_AFTER_MS, () => exitProcess(code));
      });
      this.#winding.abort();
    };
    process.on('SIGINT', on(130));
    process.on('SIGTERM', on(143));
  }
}
