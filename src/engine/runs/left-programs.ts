/** Ends what killed processes left of the programs of their runs, before these runs begin anew or end. */
import type { ExecutorView, StateView } from '../../state/state-view.ts';
import type { Emit } from '../event.ts';
import type { Processes } from '../user-code/programs.ts';

export interface LeftProgramsOptions {
  readonly processes: () => Promise<Processes>;
  readonly emit: Emit;
}

export class LeftPrograms {
  readonly #options: LeftProgramsOptions;
  readonly #seen = new Set<string>();

  constructor(options: LeftProgramsOptions) {
    this.#options = options;
  }

  /** Whether somebody died in the middle of runs whose programs were not looked for yet. */
  isOwed(view: StateView): boolean {
    return view.executors().some((executor) => this.#isOwed(executor));
  }

  /** Looks for them. Before the commit that takes their runs up: killed in between, the next process still knows them. */
  async end(view: StateView): Promise<void> {
    for (const executor of view.executors()) {
      if (!this.#isOwed(executor)) continue;
      this.#seen.add(executor.id);
      const { id, host, interrupted, programs, visible } = executor;
      const left = { starter: id, runs: interrupted, programs };
      const { ended, mayBeLeft } = visible
        ? await (await this.#options.processes()).endLeft(left)
        : { ended: 0, mayBeLeft: programs.length > 0 };
      if (ended === 0 && !mayBeLeft) continue;
      const of = { runs: [...interrupted] };
      this.#options.emit({ type: 'programs-left', host, of, ended, mayBeLeft });
    }
  }

  #isOwed({ id, interrupted }: ExecutorView): boolean {
    return interrupted.size > 0 && !this.#seen.has(id);
  }
}
