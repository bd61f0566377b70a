/** The runs that are being executed in this process, and how much of its room they take. */
import type { OwnedRun } from '../plan/executors/owned-run.ts';
import { Interruption } from '../user-code/interruption.ts';
import type { Batches } from './batches.ts';

/** A run that is under way. */
export interface InFlight {
  readonly run: OwnedRun;
  readonly startedAt: string;
  readonly interrupt: Interruption;
  /** Others canceled the run: no outcome of it counts. */
  canceled: boolean;
  /** The run is not this process's any more: whoever takes the run up will say what became of it. */
  lost: boolean;
}

export class RunsUnderWay {
  readonly #flights = new Map<string, InFlight>();
  /** When those began that ended with no outcome, by their IDs. */
  readonly #interrupted = new Map<string, string>();
  /** Who brings together those that are made in one call. */
  batches: Batches | undefined;

  get size(): number {
    return this.#flights.size;
  }

  get isIdle(): boolean {
    return this.#flights.size === 0;
  }

  /** How much of its slots this process uses: a call for many keys takes one. */
  get used(): number {
    return this.batches?.roomOf(this.#flights.size) ?? this.#flights.size;
  }

  /** How many of them are not this process's any more. */
  get lost(): number {
    return [...this].filter(({ lost }) => lost).length;
  }

  [Symbol.iterator](): Iterator<InFlight> {
    return this.#flights.values();
  }

  has(id: string): boolean {
    return this.#flights.has(id);
  }

  /** Whether any of them makes this. */
  makes(asset: string, partitionKey: string | null): boolean {
    return [...this].some(({ run }) => run.partitionKey === partitionKey && run.assets.includes(asset));
  }

  /** A run that is under way. */
  get(id: string): InFlight {
    return this.#flights.get(id)!;
  }

  /** Whether the run is under way, and still this process's. */
  isOwn(id: string): boolean {
    return this.#flights.get(id)?.lost === false;
  }

  /** It ended with no outcome, since this process is to stop: what ends it as canceled records when it began. */
  noteInterrupted({ run, startedAt }: InFlight): void {
    this.#interrupted.set(run.id, startedAt);
  }

  interruptedSince(id: string): string | null {
    return this.#interrupted.get(id) ?? null;
  }

  begin(run: OwnedRun, startedAt: string): InFlight {
    const flight = { run, startedAt, interrupt: new Interruption(), canceled: false, lost: false };
    this.#flights.set(run.id, flight);
    this.batches?.begins(run);
    return flight;
  }

  /** The run is not under way any more. */
  landed({ id }: OwnedRun): void {
    this.#flights.delete(id);
    this.batches?.ended(id);
  }

  /** Others canceled the run. @returns whether it is under way */
  cancel(id: string): boolean {
    const flight = this.#flights.get(id);
    if (flight !== undefined && !flight.canceled) {
      flight.canceled = true;
      flight.interrupt.abort();
      this.batches?.comesNoMore(id);
    }
    return flight !== undefined;
  }

  /** Aborts what is not this process's any more. @returns the runs that were until now */
  lose(isOwn: (id: string) => boolean): string[] {
    const lost = [...this].filter(({ lost, run }) => !lost && !isOwn(run.id));
    for (const flight of lost) {
      flight.lost = true;
      flight.interrupt.lose();
      this.batches?.comesNoMore(flight.run.id);
    }
    return lost.map(({ run }) => run.id);
  }
}
