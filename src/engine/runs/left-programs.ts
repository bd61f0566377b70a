/** Ends what killed processes left of the programs of their runs, before these runs begin anew or end. */
import type { Needs } from '../../state/needs.ts';
import type { ExecutorView, StateView } from '../../state/state-view.ts';
import type { Afterwards, Plan, StateStore } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import type { Processes } from '../user-code/programs.ts';

export interface LeftProgramsOptions {
  readonly store: StateStore;
  readonly processes: () => Promise<Processes>;
  readonly emit: Emit;
}

export class LeftPrograms {
  readonly #options: LeftProgramsOptions;
  readonly #seen = new Set<string>();

  constructor(options: LeftProgramsOptions) {
    this.#options = options;
  }

  /**
   * Commits when nothing is left of the programs of those that died in the middle of runs.
   * @param seen who lives, as of just now; `null`: most likely nobody has died. Default: it is looked
   */
  async commit<Outcome>(
    needs: Needs,
    plan: (view: StateView) => Plan<Outcome>,
    seen?: StateView | null,
    afterwards?: Afterwards<Outcome>,
  ): Promise<Outcome> {
    type Planned = { readonly planned: Outcome } | null;
    const next = afterwards && {
      ...afterwards,
      needs: (outcome: Planned) => outcome && afterwards.needs(outcome.planned),
    };
    for (let view = seen; ; view = undefined) {
      if (view !== null) await this.end(view);
      // Somebody may have died since.
      const unlessOwed = (latest: StateView): Plan<Planned> => {
        if (latest.executors().some((executor) => this.#isOwed(executor)))
          return { changes: [], outcome: null };
        const { changes, outcome: planned } = plan(latest);
        return { changes, outcome: { planned } };
      };
      const outcome = await this.#options.store.commit<Planned>(needs, unlessOwed, next);
      if (outcome !== null) return outcome.planned;
    }
  }

  /** Looks for them. Before the commit that takes their runs up: killed in between, the next process still knows them. */
  async end(seen?: StateView): Promise<void> {
    const view = seen ?? (await this.#options.store.read({ executors: true }));
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

  /** Whether it died in the middle of runs whose programs were not looked for yet. */
  #isOwed({ id, interrupted }: ExecutorView): boolean {
    return interrupted.size > 0 && !this.#seen.has(id);
  }
}
