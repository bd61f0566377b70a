/**
 * What waits while the file is being written is committed together by the next writing: a thousand sensors of one tick write the state a few
 * times and not a thousand times. Each plan sees what those before it have changed, and one that throws takes no other with it.
 */
import type { StateChange } from '../changes.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { StateView } from '../state-view.ts';
import type { Plan } from '../store.ts';

export interface Planner {
  readonly viewOf: (document: StateDocument) => StateView;
  readonly apply: (
    document: StateDocument,
    changes: readonly StateChange[],
  ) => StateDocument | Promise<StateDocument>;
}

interface Waiting {
  readonly plan: (view: StateView) => Plan<unknown>;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Those of one writing. */
export class Together {
  readonly #waiting: readonly Waiting[];
  /** What each is told when all of it is on the disk. */
  #settled: (() => void)[] = [];

  constructor(waiting: readonly Waiting[]) {
    this.#waiting = waiting;
  }

  /** Asked again where another process was first. */
  async planOn(
    before: StateDocument,
    { viewOf, apply }: Planner,
  ): Promise<{ readonly document: StateDocument; readonly changes: readonly StateChange[] }> {
    let document = before;
    const changes: StateChange[] = [];
    this.#settled = [];
    for (const { plan, resolve, reject } of this.#waiting)
      try {
        const { changes: wanted, outcome } = plan(viewOf(document));
        if (wanted.length > 0) document = await apply(document, wanted);
        for (const change of wanted) changes.push(change);
        this.#settled.push(() => resolve(outcome));
      } catch (error) {
        // It saw what those before it change, which is not on record yet and may never be.
        this.#settled.push(() => reject(error));
      }
    return { document, changes };
  }

  written(): void {
    for (const settle of this.#settled) settle();
  }

  failed(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error);
  }
}

/** One writing after the other within this process: two of its own must not race for one generation. */
export class WaitingCommits {
  readonly #write: (together: Together) => Promise<void>;
  #waiting: Waiting[] = [];
  #last: Promise<void> = Promise.resolve();

  /** @param write resolves when what it was given is on the disk */
  constructor(write: (together: Together) => Promise<void>) {
    this.#write = write;
  }

  add<Outcome>(plan: (view: StateView) => Plan<Outcome>): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ plan, resolve: resolve as (outcome: unknown) => void, reject });
      if (this.#waiting.length === 1) this.#last = this.#last.then(() => this.#next());
    });
  }

  async #next(): Promise<void> {
    const together = new Together(this.#waiting);
    this.#waiting = [];
    try {
      await this.#write(together);
      together.written();
    } catch (error) {
      together.failed(error);
    }
  }
}
