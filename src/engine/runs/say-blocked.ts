/** Says of each blocked process once that it is. */
import type { StateView } from '../../state/state-view.ts';
import type { Emit } from '../event.ts';
import { blockedProcesses } from '../plan/executors/blocked.ts';

export class BlockedSayer {
  readonly #emit: Emit;
  #said = new Set<string>();

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  say(view: StateView): void {
    const blocked = blockedProcesses(view);
    for (const { executor, failure } of blocked)
      if (!this.#said.has(executor)) this.#emit({ type: 'process-blocked', failure });
    // A process whose event loop turns again, and which is blocked once more, is named once more.
    this.#said = new Set(blocked.map(({ executor }) => executor));
  }
}
