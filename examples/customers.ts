/**
 * Customers in a PostgreSQL table: a letter for each, written anew when the row changes; who is deleted there is removed here.
 *
 *     npm install pg
 *     DATABASE_URL=postgres://localhost/shop dynpart -f customers.ts sensor tick
 */
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { rows } from 'dynpart/sources';
import { Client } from 'pg';

interface Customer {
  readonly id: string;
  readonly name: string;
  readonly updated_at: Date;
}

const customers = dynamicPartitions<{ readonly name: string }>('customers');

const letter = asset({
  name: 'letter',
  partitions: customers,
  automate: 'stale',
  materialize: ({ item }) => `Dear ${item.name},`,
});

/** `after` is null when all rows are wanted: the first time, and once in an hour. */
async function query(after: Date | null) {
  const client = new Client({ connectionString: process.env['DATABASE_URL'] });
  await client.connect();
  try {
    return await client.query<Customer>(
      'select id, name, updated_at from customers where $1::timestamptz is null or updated_at >= $1 order by updated_at',
      [after],
    );
  } finally {
    await client.end();
  }
}

const table = sensor({
  name: 'table',
  evaluate: rows<Customer, { readonly name: string }>(customers, {
    query,
    key: 'id',
    cursor: 'updated_at',
    version: 'updated_at',
    item: ({ name }) => ({ name }),
    reconcile: '1h',
  }),
});

export default definePipeline({ assets: [letter], sensors: [table] });
