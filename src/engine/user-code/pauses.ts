/** When the time of user code stands still: while it waits for what it cannot hasten. */
import { type Clock, steadyTime } from '../../model/time.ts';
import { startTimer } from './timer.ts';

export class Pauses {
  readonly #clock: Pick<Clock, 'now' | 'steady'>;
  #under = 0;
  #since = 0;
  #over = 0;
  /** Called as one begins and as it ends. */
  #onChange: () => void = nothing;

  constructor(clock: Pick<Clock, 'now' | 'steady'>) {
    this.#clock = clock;
  }

  get isPaused(): boolean {
    return this.#under > 0;
  }

  /** All of them until now, in milliseconds. */
  get ms(): number {
    return this.#over + (this.isPaused ? steadyTime(this.#clock) - this.#since : 0);
  }

  /** One that stands still as well. @returns what stops it */
  readonly startTimer: typeof startTimer = (ms, then) => {
    const began = steadyTime(this.#clock) - this.ms;
    let stop = nothing;
    this.#onChange = () => {
      stop();
      const leftMs = ms - (steadyTime(this.#clock) - this.ms - began);
      stop = this.isPaused ? nothing : startTimer(Math.max(0, leftMs), then);
    };
    this.#onChange();
    return () => {
      this.#onChange = nothing;
      stop();
    };
  };

  async during(work: Promise<void>): Promise<void> {
    if (!this.isPaused) this.#since = steadyTime(this.#clock);
    this.#under++;
    this.#onChange();
    try {
      await work;
    } finally {
      const { ms } = this;
      this.#under--;
      if (!this.isPaused) this.#over = ms;
      this.#onChange();
    }
  }
}

function nothing(): void {
  return undefined;
}
