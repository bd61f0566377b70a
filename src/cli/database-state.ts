/** A state in PostgreSQL, from its address: what is loaded only where there is one. */
import path from 'node:path';
import { findDriver, type FoundDriver } from '../state/postgres/driver.ts';
import { type Address, parseAddress } from '../state/postgres/address.ts';
import { Database } from '../state/postgres/database.ts';
import { type Migrated, migrate, rolesFor } from '../state/postgres/migrate.ts';
import { PostgresStore, type PostgresStoreOptions } from '../state/postgres/postgres-store.ts';
import { type Clock, newLineage } from '../model/time.ts';

export interface DatabaseState {
  /** For messages: without a password. */
  readonly place: string;
  /** What there is to say where the address stands in the arguments of the command. */
  readonly warning: string | null;
  open(options: Omit<PostgresStoreOptions, 'address' | 'driver'>): PostgresStore;
  /** Makes or brings forward the tables, and says with which statements others are let in. */
  migrate(clock: Clock): Promise<Migrated & { readonly roles: string }>;
}

export interface DatabaseStateParts {
  /** The pipeline file, if there is one; else the folder of the command. */
  readonly beside: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws FailureError where the address is wrong or the driver is missing */
export function databaseState(state: string, { beside, env }: DatabaseStateParts): DatabaseState {
  const address: Address = parseAddress(state, env);
  const driver: FoundDriver = findDriver([path.dirname(beside), import.meta.dirname]);
  return {
    place: address.place,
    warning: address.hasPassword
      ? 'whoever lists the processes of this machine can read the password in --state: give it in PGPASSWORD or ~/.pgpass'
      : null,
    open: (options) => new PostgresStore({ ...options, address, driver }),
    migrate: async (clock) => {
      const database = new Database(driver.driver, address);
      try {
        const migrated = await migrate(database, address, newLineage(clock));
        return { ...migrated, roles: rolesFor(address.schema) };
      } finally {
        await database.close();
      }
    },
  };
}
