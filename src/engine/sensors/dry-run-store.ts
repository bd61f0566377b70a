/** The state as ticks would leave it that are not made: what one of them would commit is seen by those that come after it. */
import type { StateChange } from '../../state/changes.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Plan, SensorClaim, SetReader, StateStore } from '../../state/store.ts';

/** What a tick needs of the store. */
export type TickStore = Pick<StateStore, 'read' | 'commit' | 'sets' | 'claimSensor' | 'recordTick'> & {
  /** Then nothing that is planned has happened. */
  readonly isDryRun?: true;
};

export class DryRunStore implements TickStore {
  readonly isDryRun = true;
  readonly #store: StateStore;
  readonly #changes: StateChange[] = [];
  /** One after the other, as commits are: else two would plan on the same state, and neither see the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: StateStore) {
    this.#store = store;
  }

  read(needs: Needs): Promise<StateView> {
    return this.#changes.length === 0 ? this.#store.read(needs) : this.#store.preview(this.#changes, needs);
  }

  commit<Outcome>(needs: Needs, plan: (view: StateView) => Plan<Outcome>): Promise<Outcome> {
    const planned = this.#queue.then(async () => {
      const { changes, outcome } = plan(await this.read(needs));
      this.#changes.push(...changes);
      return outcome;
    });
    this.#queue = planned.catch(() => undefined);
    return planned;
  }

  sets(): Promise<SetReader> {
    return this.#store.sets();
  }

  /** Nobody is kept out: that would be a file. */
  claimSensor(): Promise<SensorClaim> {
    return Promise.resolve({
      id: '',
      left: () => Promise.resolve([]),
      leftEnded: () => Promise.resolve(),
      started: () => undefined,
      programsEnded: () => Promise.resolve(),
      hasThread: () => undefined,
      release: () => Promise.resolve(),
    });
  }

  recordTick(): Promise<void> {
    return Promise.resolve();
  }
}
