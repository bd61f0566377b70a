/** The newest that a process has seen of the state, and how it is looked at while further runs are taken on. */
import { type Clock, steadyTime } from '../../model/time.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { StateStore } from '../../state/store.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';

/** A look at the state as it is when runs have become this process's, for a store that looks on its way. */
export interface LookAhead {
  readonly needs: (runs: readonly OwnedRun[]) => Needs;
  readonly seen: (view: StateView) => void;
  /** With when it was asked for, at the earliest. `null`: the state is to be read. */
  readonly found: () => { readonly view: StateView; readonly began: Moment } | null;
}

/** By both clocks: one stands still while a machine sleeps, the other one may be set. */
interface Moment {
  readonly now: number;
  readonly steady: number;
}

export class NewestView {
  readonly #store: Pick<StateStore, 'read'>;
  readonly #clock: Clock;
  #seen: StateView | null = null;
  /** When the last look began. */
  #looked: Moment = { now: -Infinity, steady: -Infinity };
  /** How often runs were taken on. */
  #adoptions = 0;

  constructor({ store, clock }: { readonly store: Pick<StateStore, 'read'>; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Whether the state was looked at within so many milliseconds. */
  isFresh(withinMs: number): boolean {
    const { now, steady } = this.#time();
    return Math.max(Math.abs(now - this.#looked.now), steady - this.#looked.steady) < withinMs;
  }

  #time(): Moment {
    return { now: this.#clock.now(), steady: steadyTime(this.#clock) };
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
      const began = this.#time();
      const view = await this.#store.read(needs);
      if (adoptions !== this.#adoptions || !take(view)) continue;
      this.#looked = began;
      return;
    }
  }

  /** @param needs what is looked at once these runs are taken on, too */
  ahead(needs: (runs: readonly OwnedRun[]) => Needs): LookAhead {
    let adoptions = -1;
    let began = this.#looked;
    let seen: StateView | null = null;
    return {
      needs: (runs) => {
        adoptions = this.#adoptions;
        began = this.#time();
        return needs(runs);
      },
      seen: (view) => (seen = view),
      found: () => (adoptions === this.#adoptions && seen !== null ? { view: seen, began } : null),
    };
  }

  /** Takes what was looked at ahead. @returns whether that will do */
  takeAhead(ahead: LookAhead, take: (view: StateView) => boolean): boolean {
    const found = ahead.found();
    if (found === null || !take(found.view)) return false;
    this.#looked = found.began;
    return true;
  }
}
