/** Makes and brings forward the tables. The only place that says DDL: in one transaction, one at a time. */
import type { Address } from './address.ts';
import type { Database } from './database.ts';
import { foreign, otherVersion, tooOld } from './database-errors.ts';
import { type Port, rows } from './port.ts';
import { MIGRATIONS, OLDEST_SERVER, SCHEMA_VERSION, TABLES } from './schema.ts';

const SERVER = `select current_setting('server_version_num')::int as number, current_setting('server_version') as name`;

const THERE = `
select exists (select from pg_namespace where nspname = $1) as schema,
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1) as tables,
  exists (select from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = 'meta' and a.attname = 'program') as meta`;

export interface Migrated {
  /** `null`: there was none. */
  readonly from: number | null;
  readonly to: number;
}

export async function migrate(database: Database, address: Address, lineage: string): Promise<Migrated> {
  const { schema } = address;
  return database.write(async (port) => {
    await checkServer(port, address);
    const [there] = await rows<{
      readonly schema: boolean;
      readonly tables: boolean;
      readonly meta: boolean;
    }>(port, THERE, [schema]);
    if (there!.meta) {
      const [meta] = await rows<{ readonly version: number; readonly program: string }>(
        port,
        'select schema_version as version, program from @.meta',
      );
      const found = meta?.version ?? 0;
      if (found > SCHEMA_VERSION) throw otherVersion(address, found, SCHEMA_VERSION);
      for (let version = found + 1; version <= SCHEMA_VERSION; version++)
        await port.execute(MIGRATIONS.get(version)!);
      if (found < SCHEMA_VERSION)
        await port.execute('update @.meta set schema_version = $1', [SCHEMA_VERSION]);
      return { from: found, to: SCHEMA_VERSION };
    }
    if (there!.tables) throw foreign(address);
    // Asked first: who may not make schemas may still have been given one.
    if (!there!.schema) await port.execute(`create schema "${schema}"`);
    await port.execute(TABLES);
    await port.execute('insert into @.meta (schema_version, lineage) values ($1, $2)', [
      SCHEMA_VERSION,
      lineage,
    ]);
    return { from: null, to: SCHEMA_VERSION };
  });
}

async function checkServer(port: Port, address: Address): Promise<void> {
  const [server] = await rows<{ readonly number: number; readonly name: string }>(port, SERVER);
  if (server!.number < OLDEST_SERVER) throw tooOld(address, server!.name);
}

/** What an owner says so that others can work with less rights than his. */
export function rolesFor(schema: string): string {
  return [
    '-- who looks: status, runs list, state export',
    `grant usage on schema "${schema}" to READER; grant select on all tables in schema "${schema}" to READER;`,
    '-- who works: sensor tick, materialize, worker and all else but state migrate',
    `grant usage on schema "${schema}" to WORKER; grant select, insert, update, delete on all tables in schema "${schema}" to WORKER;`,
  ].join('\n');
}
