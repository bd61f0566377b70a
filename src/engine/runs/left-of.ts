/** How many runs of this process are not over, as whoever looks is told. */
import type { Emit } from '../event.ts';

interface InHand {
  /** Runs that have not ended. */
  readonly left: number;
  readonly unrecorded: { readonly count: number };
}

/** Those that are still to be executed or recorded, also those whose end has come up while a commit was under way. */
export function leftOf({ left, unrecorded }: InHand): number {
  return left + unrecorded.count;
}

/** Says it where none that begins or ends does. */
export function sayLeft(runs: InHand, emit: Emit): void {
  emit({ type: 'runs-in-hand', left: leftOf(runs) });
}
