/** Looks at the state now and then while runs are executed: sees what others did, and says what this process has started. */
import { steadyTime } from '../../model/time.ts';
import type { StateView } from '../../state/state-view.ts';
import { type OwnedRun, takenOnAnew } from '../plan/executors/owned-run.ts';
import { executorEntry, startedBy } from '../plan/ends/record-ends.ts';
import { needsOfRoom, slotsFor } from '../plan/executors/slots.ts';
import { hasPlacesOf, hasWorkOf, takesRoom } from '../plan/executors/waits-for.ts';
import { giveUpHeld } from './give-up.ts';
import type { OwnRuns } from './own-runs.ts';
import type { RunLoopOptions } from './run-loop-options.ts';

/** How often the state is looked at for what others did: cancellations, room for more, keys let go of. */
const LOOK_EVERY_MS = 500;

/** Who waits for room looks sooner at first: whoever has it gives some of it with one of its next commits. */
const LOOK_FIRST_MS = 50;
const SELDOMER = 1.5;

export class Lookout {
  readonly #options: RunLoopOptions;
  readonly #runs: OwnRuns;
  #lookedAt = 0;
  #roomEveryMs = LOOK_FIRST_MS;

  constructor(options: RunLoopOptions, runs: OwnRuns) {
    this.#options = options;
    this.#runs = runs;
  }

  /** When the next look is due. */
  get due(): number {
    const byItself = this.#lookedAt + (this.#waitsForRoom ? this.#roomEveryMs : LOOK_EVERY_MS);
    return Math.min(byItself, this.#runs.pools.due);
  }

  get #waitsForRoom(): boolean {
    return this.#runs.underWay.isIdle && (this.#runs.slots === 0 || this.#waitsForPools);
  }

  get #waitsForPools(): boolean {
    const { queue, pools } = this.#runs;
    if (!pools.isUsed || queue.hasPlain) return false;
    const asked = queue.asked();
    return asked.length > 0 && !asked.some((lane) => pools.hasPlace(lane.pools));
  }

  /** The first runs come: nothing can have happened to them yet. */
  beginWaiting(): void {
    this.#roomEveryMs = LOOK_FIRST_MS;
    this.#lookedAt = steadyTime(this.#options.clock);
  }

  async lookIfDue(): Promise<void> {
    const { clock, executor, concurrency } = this.#options;
    const { queue } = this.#runs;
    const now = steadyTime(clock);
    if (now < this.due) return;
    this.#roomEveryMs = this.#waitsForRoom
      ? Math.min(LOOK_EVERY_MS, this.#roomEveryMs * SELDOMER)
      : LOOK_FIRST_MS;
    this.#lookedAt = now;
    const view = await this.#runs.look({ always: false });
    giveUpHeld(this.#runs, view, this.#options);
    const { wanted, pools } = this.#runs;
    if (wanted === 0) return;
    if (pools.isUsed && pools.hasNews(view, queue.asked())) {
      await pools.ask(() => queue.asked());
      queue.lookAgain();
    }
    const { usable } = this.#runs;
    const started = this.#lasting();
    const current = view.executors().find(({ id }) => id === executor.id);
    const room = slotsFor(view, executor.id, usable, concurrency);
    const heldUp = queue.yields ? queue.heldUp() : [];
    const isSaid = current?.slots === Math.max(room, this.#runs.underWay.used);
    // Whoever has room for all gives some of it only to those that say that they wait.
    const isHeard = current === undefined || current.wants > 0 || usable <= current.slots;
    if (started.size + heldUp.length > 0 || !isSaid || !isHeard) {
      // Less room is left before it is said, more room is said before it is used.
      this.#runs.slots = Math.min(this.#runs.slots, room);
      await this.#say({ started, heldUp, wanted, usable });
    }
    const isShort = this.#waitsForRoom && this.#roomEveryMs * SELDOMER < LOOK_EVERY_MS;
    if (this.#runs.underWay.isIdle && !isShort) this.#sayWaiting(view, usable);
  }

  /** When those began that go on for some time, as far as the state does not show it: of most others it shows the end first. */
  #lasting(): Map<string, string> {
    const now = this.#options.clock.now();
    const isLong = (at: string): boolean => Math.abs(now - Date.parse(at)) >= LOOK_EVERY_MS;
    return new Map([...this.#runs.unrecordedStarts()].filter(([, at]) => isLong(at)));
  }

  /** Commits what other processes are to know: which runs have begun, how much room they take, and which work others may do first. */
  async #say(news: {
    readonly started: ReadonlyMap<string, string>;
    readonly heldUp: readonly OwnedRun[];
    readonly wanted: number;
    readonly usable: number;
  }): Promise<void> {
    const { store, executor, concurrency } = this.#options;
    const { started, heldUp, wanted, usable } = news;
    const ids = [...started.keys(), ...heldUp.map(({ id }) => id)];
    this.#runs.slots = await store.commit({ ...needsOfRoom(executor.id), runs: [{ ids }] }, (latest) => {
      const slots = slotsFor(latest, executor.id, usable, concurrency);
      const entry = executorEntry(executor.id, slots, { wanted, inFlight: this.#runs.underWay.used });
      const runs = startedBy(latest, { executor: executor.id, started });
      return {
        changes: [
          entry,
          ...(runs.size === 0 ? [] : [{ type: 'runs-started', runs } as const]),
          ...takenOnAnew(latest, executor.id, heldUp),
        ],
        outcome: slots,
      };
    });
    this.#runs.unrecorded.startsRecorded(started.keys());
    await this.#runs.look({ always: true });
  }

  #sayWaiting(view: StateView, usable: number): void {
    const { emit, executor } = this.#options;
    const waiting = this.#runs.queue.oldest;
    const full = this.#waitsForPools && waiting !== undefined ? this.#runs.pools.of(waiting) : [];
    if (full.length > 0)
      emit({
        type: 'waiting',
        waitsFor: hasPlacesOf(
          view,
          executor.id,
          full.map(({ pool }) => pool),
        ),
      });
    else if (usable === 0 && waiting !== undefined)
      emit({ type: 'waiting', waitsFor: hasWorkOf(view, executor.id, waiting) });
    else if (this.#runs.slots === 0) emit({ type: 'waiting', waitsFor: takesRoom(view, executor.id) });
  }
}
