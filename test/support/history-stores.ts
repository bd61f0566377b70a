/** The two stores as random histories use them: several processes on one state, and what befalls them from outside. */
import { EVERYTHING } from '../../src/state/needs.ts';
import fs from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../src/model/time.ts';
import { recordsOf } from '../../src/files/segmented-log.ts';
import { MemoryStore } from '../../src/state/memory/memory-store.ts';
import type { StateDocument } from '../../src/state/document/state-document.ts';
import type { StateChange } from '../../src/state/changes.ts';
import type { Mapping } from '../../src/state/store.ts';
import type { StateView } from '../../src/state/state-view.ts';
import type { Plan, SensorClaim, StateStore } from '../../src/state/store.ts';
import { FakeClock } from './fake-clock.ts';
import { mortalView } from './mortal-view.ts';
import { JsonRig } from './json-rig.ts';

/** Thrown where a process is killed in the middle of a commit. */
export class Killed extends Error {}

/** A process's hand on the state. */
export interface Hand {
  readonly store: StateStore;
  close?(): Promise<void>;
  /** Commits; `between` is what another process commits after the first plan and before it can be applied. */
  commit<Outcome>(
    plan: (view: StateView) => Plan<Outcome>,
    options: { readonly between: Contender | null; readonly killsBeforeWrite: () => boolean },
  ): Promise<Outcome>;
}

export type Contender = (view: StateView) => readonly StateChange[];

export interface SharedState {
  readonly name: 'memory' | 'JSON file' | 'PostgreSQL';
  open(): Hand;
  document(): Promise<StateDocument>;
  /** As if the executor's process had been killed. */
  kill(executor: string): void;
  /** As if the process that evaluates the sensor had been killed. */
  killClaim(sensor: string, claim: SensorClaim): void;
  /** How often each run stands in the history, less what was taken back. */
  records(): Map<string, number>;
  dispose(): void | Promise<void>;
}

export class SharedMemory implements SharedState {
  readonly name = 'memory';
  readonly #store: MemoryStore;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#store = new MemoryStore(storeClock(clock, 1));
  }

  open(): Hand {
    const store = this.#store;
    return {
      store,
      commit: async (plan, { between, killsBeforeWrite }) => {
        if (between !== null) {
          // The first plan comes to nothing, as with a real conflict.
          const view = await store.read(EVERYTHING);
          if (plan(view).changes.length > 0) {
            const changes = between(view);
            await store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
            if (changes.length > 0) await new Promise((resolve) => setImmediate(resolve));
          }
        }
        return store.commit(EVERYTHING, (view) => {
          const planned = plan(view);
          if (planned.changes.length > 0 && killsBeforeWrite()) throw new Killed();
          return planned;
        });
      },
    };
  }

  document(): Promise<StateDocument> {
    return Promise.resolve(this.#store.document);
  }

  kill(executor: string): void {
    this.#store.kill(executor);
  }

  /** There is no file that a dead process could leave behind. */
  killClaim(_: string, claim: SensorClaim): void {
    void claim.release();
  }

  records(): Map<string, number> {
    return new Map();
  }

  dispose(): void {}
}

export class SharedFile implements SharedState {
  readonly name = 'JSON file';
  // No power is lost here: where there is a folder in memory, nobody waits for a disk.
  readonly #rig = new JsonRig(fs.existsSync('/dev/shm') ? '/dev/shm' : undefined);
  readonly #clock: Pick<Clock, 'now'>;
  readonly #dead = new Set<string>();
  #processes = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  open(): Hand {
    const clock = storeClock(this.#clock, ++this.#processes * 7919);
    let diesAtStamp = false;
    // The store reads its clock once between the history and the write: there a kill can fall between the two.
    const now = clock.now.bind(clock);
    clock.now = () => {
      if (diesAtStamp) throw new Killed();
      return now();
    };
    const store = this.#rig.open(clock);
    let mapping: Mapping | null = null;
    const useMapping = store.useMapping.bind(store);
    store.useMapping = (one) => {
      mapping = one;
      useMapping(one);
    };
    const [read, commit] = [store.read.bind(store), store.commit.bind(store)];
    store.read = async (needs) => mortalView(await read(needs), this.#dead);
    store.commit = (needs, plan) => commit(needs, (view) => plan(mortalView(view, this.#dead)));
    return {
      store,
      commit: (plan, { between, killsBeforeWrite }) => {
        let contender = between;
        return store.commit(EVERYTHING, (view) => {
          const planned = plan(view);
          if (contender !== null && planned.changes.length > 0) {
            const changes = contender(view);
            contender = null;
            if (changes.length > 0) {
              this.#rig.commitElsewhere(changes, mapping);
              return planned;
            }
          }
          diesAtStamp = planned.changes.length > 0 && killsBeforeWrite();
          return planned;
        });
      },
    };
  }

  document(): Promise<StateDocument> {
    return Promise.resolve(this.#rig.onDisk());
  }

  kill(executor: string): void {
    this.#dead.add(executor);
  }

  killClaim(sensor: string): void {
    const file = this.#rig.folder.file('.dynpart', 'claims', `${sensor}.json`);
    const claim = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(file, JSON.stringify({ ...claim, startTime: '1' }));
  }

  records(): Map<string, number> {
    const counts = new Map<string, number>();
    const folder = this.#rig.folder.file('.dynpart', 'history');
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    for (const name of names.filter((file) => file.startsWith('runs.'))) {
      for (const record of recordsOf(path.join(folder, name)) as Iterable<{
        id: string;
        retracted?: string;
      }>) {
        const id = record.retracted ?? record.id;
        counts.set(id, (counts.get(id) ?? 0) + (record.retracted === undefined ? 1 : -1));
      }
    }
    return counts;
  }

  dispose(): void {
    if (this.#rig.warnings.length > 0) throw new Error(`warnings: ${this.#rig.warnings.join('; ')}`);
    this.#rig[Symbol.dispose]();
  }
}

/** The time of the history, chance of its own, and pauses that take no time. */
export function storeClock(history: Pick<Clock, 'now'>, seed: number): Clock {
  const chance = new FakeClock(0, seed);
  return {
    now: () => history.now(),
    random: () => chance.random(),
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
