/** Whether a run loop goes on, and why it does not. Pure. */

/**
 * ```
 *            nothing left, and all on record
 *  RUNNING ──────────────────────────────► DONE
 *     │ interrupt · time over · handed over · a failure with --fail-fast · a file of dynpart's own fails
 *     ▼                                    all that runs has ended, the rest is given back
 *  STOPPING: nothing starts, what runs is aborted or waited for ──────────────────────► DONE
 * ```
 */
export type StopReason =
  'interrupted' | 'time-over' | 'handed-over' | 'fail-fast' | { readonly error: unknown };

export class Stopping {
  /** `null` while the loop goes on. */
  #why: StopReason | null = null;

  /** The first reason stands, but for a gentle end; a failure takes the place of the others, since the failure is what has to be said. */
  stop(why: StopReason): void {
    if (this.goesOn || this.isGentle || (typeof why === 'object' && this.failure === null)) this.#why = why;
  }

  /** Whether runs may begin. */
  get goesOn(): boolean {
    return this.#why === null;
  }

  /** The failure of one of dynpart's own files, or of dynpart itself, that nothing can go on after. */
  get failure(): { readonly error: unknown } | null {
    return typeof this.#why === 'object' ? this.#why : null;
  }

  /** Whether a run failed that was to be the last one. */
  get isFailFast(): boolean {
    return this.#why === 'fail-fast';
  }

  /** Nothing is wrong: what runs takes the time that it takes, and others have the rest at once. */
  get isGentle(): boolean {
    return this.#why === 'time-over' || this.#why === 'handed-over';
  }

  /** Whether what runs is waited for for as long as it takes: others may still cancel it, or take it over. */
  get othersMayAct(): boolean {
    return this.#why === null || !abortsWhatRuns(this.#why);
  }
}

/** Whether what runs is aborted. It may end beside the first failure, when the time is over, or when another session goes on. */
export function abortsWhatRuns(why: StopReason): boolean {
  return why === 'interrupted' || typeof why === 'object';
}
