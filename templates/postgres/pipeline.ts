import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { rows } from 'dynpart/sources';

// Where the table is: DATABASE_URL=postgres://user:password@host/database, and `npm install pg`.
const database = process.env['DATABASE_URL'];

// `pg` is loaded on use: this file can be looked at and checked without it.
async function query(after: Date | null): Promise<{ readonly rows: readonly object[] }> {
  const driver: string = 'pg';
  const { default: pg } = await import(driver);
  const client = new pg.Client({ connectionString: database });
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

// What a key carries of its row. Times become text.
interface Order {
  readonly id: number | string;
  readonly updated_at: string;
}

// A set of partition keys. It starts empty; here it gets a key for each row of the table.
const orders = dynamicPartitions<Order>('orders');

// Made once for each key, and again when the row has changed. What it returns is kept as a file.
const order = asset({
  name: 'order',
  partitions: orders,
  automate: 'stale',
  materialize: ({ item }) => item,
});

const look = rows(orders, { query, key: 'id', cursor: 'updated_at', item: ['id', 'updated_at'] });

// Looks for rows that are new or were changed, also those that were committed late (`overlap`: ten minutes).
const table = sensor({
  name: 'table',
  minimumIntervalSeconds: 60, // for `sensor watch` and `sensor tick --due`
  evaluate: (context) => (database === undefined ? { skipReason: 'DATABASE_URL is not set' } : look(context)),
});

export default definePipeline({ assets: [order], sensors: [table] });
