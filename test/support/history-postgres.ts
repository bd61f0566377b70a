/** A state in PostgreSQL as random histories use it: each process has a store of its own. */
import { EVERYTHING } from '../../src/state/needs.ts';
import type { Clock } from '../../src/model/time.ts';
import type { StateDocument } from '../../src/state/document/state-document.ts';
import type { PostgresStore } from '../../src/state/postgres/postgres-store.ts';
import type { SensorClaim } from '../../src/state/store.ts';
import { type Hand, Killed, type SharedState, storeClock } from './history-stores.ts';
import { mortalView } from './mortal-view.ts';
import type { PostgresRig } from './postgres-rig.ts';

const TABLES = `select table_name as name from information_schema.tables where table_schema || '.' = replace('@.', '"', '') and table_name <> 'meta'`;

export class SharedPostgres implements SharedState {
  readonly name = 'PostgreSQL';
  readonly #rig: PostgresRig;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #dead = new Set<string>();
  readonly #stores: PostgresStore[] = [];
  /** What was done without waiting for it: notes that a run has begun, and a process that evaluated and was killed. */
  #chores: Promise<unknown> = Promise.resolve();

  constructor(rig: PostgresRig, clock: Pick<Clock, 'now'>) {
    this.#rig = rig;
    this.#clock = clock;
  }

  /** The tables without what an earlier history left in them. */
  static async emptied(rig: PostgresRig): Promise<PostgresRig> {
    const { database } = rig.store;
    const names = (await database.execute(TABLES)).map(({ name }) => `@."${String(name)}"`);
    await database.execute(`truncate ${names.join(', ')} restart identity`);
    await database.execute(
      `update @.meta set serial = 0, pipeline = null, written_by = null, incidents = null, pool_starts = null`,
    );
    return rig;
  }

  open(): Hand {
    const store = this.#rig.open(storeClock(this.#clock, (this.#stores.length + 1) * 7919));
    this.#stores.push(store);
    const [read, commit] = [store.read.bind(store), store.commit.bind(store)];
    store.read = async (needs) => {
      await this.#rests();
      return mortalView(await read(needs), this.#dead);
    };
    store.commit = async (needs, plan) => {
      await this.#rests();
      return commit(needs, (view) => plan(mortalView(view, this.#dead)));
    };
    return {
      store,
      close: () => store.close(),
      commit: async (plan, { between, killsBeforeWrite }) => {
        if (between !== null) {
          // The first plan comes to nothing: whoever commits is alone, so that the other one was there before.
          const view = await store.read(EVERYTHING);
          if (plan(view).changes.length > 0) {
            const changes = between(view);
            await store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
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

  async document(): Promise<StateDocument> {
    await this.#rests();
    return this.#rig.store.document();
  }

  kill(executor: string): void {
    this.#dead.add(executor);
  }

  killClaim(sensor: string, claim: SensorClaim): void {
    const dead = `update @.sensor_lease set owner = (owner::jsonb || '{"startTime":"1"}')::json where sensor = $1 and owner ->> 'id' = $2`;
    this.#chores = this.#chores.then(() => this.#rig.store.database.execute(dead, [sensor, claim.id]));
  }

  /** No run stands there twice: its id is unique. */
  records(): Map<string, number> {
    return new Map();
  }

  dispose(): void {}

  async #rests(): Promise<void> {
    await this.#chores;
    for (const store of this.#stores) await store.settled();
  }
}
