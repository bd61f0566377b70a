/** The executors of a state in memory: who has entered, what of theirs has begun, and who counts as dead or blocked. */
import type { Owner } from '../../files/process-owner.ts';
import { type Clock, isoTime, newId } from '../../model/time.ts';
import type { ExecutorEntry } from '../document/state-document.ts';
import type { ExecutorSigns, ProgramNote } from '../state-view.ts';
import type { Executor } from '../store.ts';

interface Entered {
  readonly owner: Owner;
  /** When its runs that are under way began. */
  readonly begun: Map<string, string>;
  readonly programs: ProgramNote[];
  isDead: boolean;
  blockedSince: string | null;
  atWork: readonly string[] | null;
}

export class MemoryExecutors {
  readonly #clock: Clock;
  readonly #entered = new Map<string, Entered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  enter(): Executor {
    const id = newId(this.#clock);
    const owner = {
      id,
      pid: process.pid,
      startTime: null,
      bootId: null,
      pidNamespace: null,
      host: 'memory',
      since: this.#now(),
    };
    const entered: Entered = {
      owner,
      begun: new Map(),
      programs: [],
      isDead: false,
      blockedSince: null,
      atWork: null,
    };
    this.#entered.set(id, entered);
    const { begun, programs } = entered;
    return {
      id,
      begun: (runId) => void begun.set(runId, begun.get(runId) ?? this.#now()),
      started: (program) => void programs.push(program),
      ended: (runId) => void begun.delete(runId),
      leave: () => {
        this.kill(id);
        return Promise.resolve();
      },
    };
  }

  /** What the state says first of one that has entered. */
  entryOf(id: string): ExecutorEntry | undefined {
    const entered = this.#entered.get(id);
    return entered === undefined ? undefined : { ...entered.owner, slots: 0, wants: 0 };
  }

  /** As if the executor's process had been killed. */
  kill(id: string): void {
    const entered = this.#entered.get(id);
    if (entered !== undefined) entered.isDead = true;
  }

  killAll(): void {
    for (const entered of this.#entered.values()) entered.isDead = true;
  }

  /** As if user code of the executor's had kept its event loop from turning for too long. */
  block(id: string, atWork: readonly string[] | null = null): void {
    const entered = this.#entered.get(id);
    if (entered === undefined) return;
    entered.blockedSince = this.#now();
    entered.atWork = atWork;
  }

  /** Those of another state in memory. Their programs are none of this one's. */
  takeOn(others: MemoryExecutors): void {
    for (const [id, { owner, begun, isDead }] of others.#entered)
      this.#entered.set(id, {
        owner,
        begun: new Map(begun),
        programs: [],
        isDead,
        blockedSince: null,
        atWork: null,
      });
  }

  signsOf(id: string): ExecutorSigns {
    const entered = this.#entered.get(id);
    const alive = entered?.isDead !== true;
    const begun = new Map(entered?.begun);
    return {
      alive,
      lastSeen: this.#now(),
      begun,
      blockedSince: alive ? (entered?.blockedSince ?? null) : null,
      atWork: alive ? (entered?.atWork ?? null) : null,
      interrupted: new Set(alive ? [] : begun.keys()),
      programs: (entered?.programs ?? []).filter(({ runId }) => !alive && begun.has(runId)),
      visible: true,
    };
  }

  #now(): string {
    return isoTime(this.#clock.now());
  }
}
