import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { rows } from 'dynpart/sources';

// Where the table is: DATABASE_URL=postgres://user:password@host/database, and `npm install pg`.
const database = process.env['DATABASE_URL'];

interface Client {
  connect(): Promise<void>;
  query(text: string, values: readonly unknown[]): Promise<{ readonly rows: { readonly id: string }[] }>;
  end(): Promise<void>;
}

// `pg` is loaded on use: this file can be looked at and checked without it.
async function query(after: Date | null) {
  const driver: string = 'pg';
  const pg = (await import(driver)) as { readonly default: { readonly Client: new (o: object) => Client } };
  const client = new pg.default.Client({ connectionString: database });
  await client.connect();
  try {
    return await client.query(
      'select * from orders where $1::timestamptz is null or updated_at >= $1 order by updated_at',
      [after],
    );
  } finally {
    await client.end();
  }
}

// A set of partition keys. It starts empty; here it gets a key for each row of the table, which carries the row.
const orders = dynamicPartitions<object>('orders');

// Made once for each key, and again when the row has changed. What it returns is kept as a file.
const order = asset({
  name: 'order',
  partitions: orders,
  automate: 'stale',
  materialize: ({ item }) => item,
});

const look = rows<{ readonly id: string }, object>(orders, {
  query,
  key: 'id',
  cursor: 'updated_at',
  version: 'updated_at',
  item: (row) => JSON.parse(JSON.stringify(row)) as object, // dates become text
});

// Looks for rows that are new or were changed, also those that were committed late (`overlap`: ten minutes).
const table = sensor({
  name: 'table',
  minimumIntervalSeconds: 60, // for `sensor watch` and `sensor tick --due`
  evaluate: (context) => (database === undefined ? { skipReason: 'DATABASE_URL is not set' } : look(context)),
});

export default definePipeline({ assets: [order], sensors: [table] });
