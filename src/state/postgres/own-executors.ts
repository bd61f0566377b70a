/** What this process is in the tables: the executors it has entered as, the sensors it has claimed, and that it lives. */
import { momentOf, thisProcess, type Owner } from '../../files/process-owner.ts';
import { isoTime, newId } from '../../model/time.ts';
import type { Executor, HeldClaim, SensorClaim } from '../store.ts';
import type { Address } from './address.ts';
import { claimOf } from './claims.ts';
import type { Database } from './database.ts';
import type { FoundDriver } from './driver.ts';
import { ExecutorNotes } from './executor-notes.ts';
import { type EnteredExecutor, executorOf } from './executors.ts';
import { takeLease } from './leases.ts';
import type { OwnClock } from './own-clock.ts';
import { SignsOfLife } from './signs-of-life.ts';

/** What takes no longer needs no sign of life. */
const LONG_MS = 2000;

export interface OwnExecutorsOptions extends OwnClock {
  readonly database: Database;
  readonly driver: FoundDriver;
  readonly address: Address;
}

export class OwnExecutors {
  readonly #options: OwnExecutorsOptions;
  readonly #entered = new Map<string, EnteredExecutor>();
  readonly #notes = new Map<string, ExecutorNotes>();
  readonly #mine = { executors: [] as string[], leases: [] as string[] };
  readonly #signs: SignsOfLife;
  #shows: NodeJS.Timeout | undefined;

  constructor(options: OwnExecutorsOptions) {
    const { driver, address } = options;
    this.#options = options;
    this.#signs = new SignsOfLife({ driver: driver.file, address, ...this.#mine });
  }

  entered(id: string): EnteredExecutor | undefined {
    return this.#entered.get(id);
  }

  enter(): Executor {
    const entered = this.#newOwner();
    const { id } = entered.owner;
    this.#entered.set(id, entered);
    this.#mine.executors.push(id);
    const { clock, database } = this.#options;
    const notes = new ExecutorNotes(database, id, database.lock);
    this.#notes.set(id, notes);
    return executorOf(id, notes, {
      now: () => isoTime(clock.now()),
      onBegun: (mayBlockMs) => this.#signs.begins(mayBlockMs),
      onEnded: (mayBlockMs) => this.#signs.ends(mayBlockMs),
      onLeave: () => {
        remove(this.#mine.executors, id);
        this.#notes.delete(id);
        return Promise.resolve();
      },
    });
  }

  async claimSensor(sensor: string): Promise<SensorClaim | HeldClaim> {
    const { database } = this.#options;
    const entered = this.#newOwner();
    const { id } = entered.owner;
    const held = await takeLease(database, sensor, entered, this.#options);
    if (held !== null) return held;
    this.#mine.leases.push(id);
    const shows = setTimeout(() => this.#signs.show(), LONG_MS);
    shows.unref();
    return claimOf(database, sensor, {
      ...entered,
      onThread: () => this.#signs.hasThread(sensor),
      onRelease: () => {
        clearTimeout(shows);
        remove(this.#mine.leases, id);
      },
    });
  }

  /** Who stands in the state as an executor shows that it lives, also before user code begins. */
  showSoon(): void {
    if (this.#mine.executors.length === 0 || this.#shows !== undefined) return;
    this.#shows = setTimeout(() => this.#signs.show(), LONG_MS).unref();
  }

  /** What was only noted until now can be read by others. */
  async settled(): Promise<void> {
    for (const notes of this.#notes.values()) await notes.flushed();
  }

  /** No sign of life is shown from now on. */
  async end(): Promise<void> {
    clearTimeout(this.#shows);
    await this.#signs.end();
  }

  #newOwner(): EnteredExecutor {
    const { clock, address } = this.#options;
    const { now, steady } = momentOf(clock);
    const owner: Owner = { id: newId(clock), ...thisProcess(), since: isoTime(now), steady, disk: null };
    return { owner, leaseMs: address.leaseMs };
  }
}

function remove(list: string[], item: string): void {
  const at = list.indexOf(item);
  if (at !== -1) list.splice(at, 1);
}
