/**
 * Customers in a PostgreSQL table: a letter for each, written anew when the row changes; who is deleted there is removed here.
 *
 *     npm install pg
 *     DATABASE_URL=postgres://localhost/shop dynpart -f customers.ts sensor tick
 */
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { rows } from 'dynpart/sources';
import { Pool } from 'pg';

const db = new Pool({ connectionString: process.env['DATABASE_URL'] });
const sql = 'select id, name, updated_at from customers where $1::timestamptz is null or updated_at >= $1';

const customers = dynamicPartitions<{ readonly name: string }>('customers');

const letter = asset({
  name: 'letter',
  partitions: customers,
  automate: 'stale',
  materialize: ({ item }) => `Dear ${item.name},`,
});

/** `after` is null when all rows are wanted: the first time, and once in an hour. */
const query = (after: Date | null) => db.query(sql, [after]);

const table = sensor({
  name: 'table',
  evaluate: rows(customers, { query, key: 'id', cursor: 'updated_at', item: ['name'], reconcile: '1h' }),
});

export default definePipeline({ assets: [letter], sensors: [table] });
