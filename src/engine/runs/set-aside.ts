/** Runs that a process which goes on leaves in the queue for a while, since a value that they need cannot be read: all others go on. */
import type { Failure } from '../../model/failure.ts';
import { type Clock, steadyTime } from '../../model/time.ts';
import type { Emit } from '../event.ts';

/** Somebody may have made the value again. */
const AGAIN_AFTER_MS = 30_000;

export class SetAside {
  readonly #clock: Clock;
  readonly #emit: Emit;
  /** Until when, by the run's id. */
  readonly #until = new Map<string, number>();
  readonly #said = new Map<string, Failure>();
  /** They go back to the queue, which nobody is to be told once more. */
  #given = 0;

  constructor({ clock, emit }: { readonly clock: Clock; readonly emit: Emit }) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** What happens to runs, but for what was told already. */
  readonly emit: Emit = (event) => {
    if (event.type === 'run-ended') this.#said.delete(event.run.id);
    if (event.type !== 'runs-released') return this.#emit(event);
    const count = Math.max(0, event.count - this.#given);
    this.#given = 0;
    if (count > 0) this.#emit({ ...event, count });
  };

  /** Said once of each run and what is wrong. */
  readonly add = (run: string, failure: Failure): void => {
    this.#given++;
    this.#until.set(run, steadyTime(this.#clock) + AGAIN_AFTER_MS);
    const before = this.#said.get(run);
    this.#said.set(run, failure);
    if (JSON.stringify(before) !== JSON.stringify(failure))
      this.#emit({ type: 'run-set-aside', run, failure, againInMs: AGAIN_AFTER_MS });
  };

  /** How many there are. */
  get size(): number {
    const now = steadyTime(this.#clock);
    for (const [run, until] of this.#until) if (until <= now) this.#until.delete(run);
    return this.#until.size;
  }

  has(run: string): boolean {
    return (this.#until.get(run) ?? 0) > steadyTime(this.#clock);
  }
}
