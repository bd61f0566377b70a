/** The newest that a process has seen of the state, and how it is looked at while further runs are taken on. */
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { StateStore } from '../../state/store.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';

/** A look at the state as it is when runs have become this process's, for a store that looks on its way. */
export interface LookAhead {
  readonly needs: (runs: readonly OwnedRun[]) => Needs;
  readonly seen: (view: StateView) => void;
  /** `null`: the state is to be read. */
  readonly view: () => StateView | null;
}

export class NewestView {
  readonly #store: Pick<StateStore, 'read'>;
  #seen: StateView | null = null;
  /** How often runs were taken on. */
  #adoptions = 0;

  constructor(store: Pick<StateStore, 'read'>) {
    this.#store = store;
  }

  /** `null` before anything was owned. */
  get seen(): StateView | null {
    return this.#seen;
  }

  /** What was read may be older than what is known. */
  isOlder(view: StateView): boolean {
    return view.serial < (this.#seen?.serial ?? 0);
  }

  see(view: StateView): void {
    this.#seen = view;
  }

  /** Runs are taken on: what is being read now lacks what those look at. */
  noteAdoption(): void {
    this.#adoptions++;
  }

  /** Reads anew until nothing was taken on meanwhile: a database shows nothing but what was asked for. */
  async read(needs: Needs, take: (view: StateView) => boolean): Promise<void> {
    for (;;) {
      const adoptions = this.#adoptions;
      const view = await this.#store.read(needs);
      if (adoptions === this.#adoptions && take(view)) return;
    }
  }

  /** @param needs what is looked at once these runs are taken on, too */
  ahead(needs: (runs: readonly OwnedRun[]) => Needs): LookAhead {
    let adoptions = -1;
    let seen: StateView | null = null;
    return {
      needs: (runs) => {
        adoptions = this.#adoptions;
        return needs(runs);
      },
      seen: (view) => (seen = view),
      view: () => (adoptions === this.#adoptions ? seen : null),
    };
  }
}
