/** A state in PostgreSQL in a schema of its own, on the tests' own server. */
import path from 'node:path';
import { parseAddress } from '../../src/state/postgres/address.ts';
import { Database } from '../../src/state/postgres/database.ts';
import { findDriver } from '../../src/state/postgres/driver.ts';
import { migrate } from '../../src/state/postgres/migrate.ts';
import { PostgresStore } from '../../src/state/postgres/postgres-store.ts';
import type { Clock } from '../../src/model/time.ts';
import { FakeClock } from './fake-clock.ts';
import type { PostgresCluster } from './postgres-cluster.mjs';

const driver = findDriver([path.resolve(import.meta.dirname, '../..')]);

let schemas = 0;

export class PostgresRig {
  readonly url: string;
  readonly store: PostgresStore;
  readonly #stores: PostgresStore[] = [];

  private constructor(url: string) {
    this.url = url;
    this.store = this.open();
  }

  static async make(cluster: PostgresCluster): Promise<PostgresRig> {
    const url = cluster.url(`test_${process.pid}_${++schemas}`);
    const address = parseAddress(url, {});
    const database = new Database(driver.driver, address);
    await migrate(database, address, 'a lineage of the tests');
    await database.close();
    return new PostgresRig(url);
  }

  /** Another store on the same state, as another process would have one. */
  open(clock: Clock = new FakeClock(undefined, ++schemas * 7)): PostgresStore {
    const store = new PostgresStore({
      address: parseAddress(this.url, {}),
      driver,
      clock,
      hasOwnTime: true,
      version: '0.0.0',
    });
    this.#stores.push(store);
    return store;
  }

  /** As if the executor's process had been killed, and its pid given to another one. */
  async kill(executor: string): Promise<void> {
    await this.store.settled();
    await this.store.database.execute(
      `update @.executor set owner = (owner::jsonb || '{"startTime":"1"}')::json where id = $1`,
      [executor],
    );
  }

  async dispose(): Promise<void> {
    for (const store of this.#stores) await store.close();
  }
}
