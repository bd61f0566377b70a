import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

// Where the table is: DATABASE_URL=postgres://user:password@host/database, and `npm install pg`.
const database = process.env['DATABASE_URL'];

interface Row {
  readonly id: string;
}

// `pg` is loaded on use: this file can be looked at and checked without it.
async function query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  const driver: string = 'pg';
  const pg = (await import(driver)) as { readonly default: { readonly Client: new (o: object) => Client } };
  const client = new pg.default.Client({ connectionString: database });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

interface Client {
  connect(): Promise<void>;
  query(text: string, values: readonly unknown[]): Promise<{ readonly rows: Row[] }>;
  end(): Promise<void>;
}

// A set of partition keys. It starts empty; here it gets a key for each row of the table.
const orders = dynamicPartitions('orders');

// Made once for each key. What it returns is kept as a file.
const order = asset({
  name: 'order',
  partitions: orders,
  retry: { maxRetries: 2, delayMs: 1_000, backoff: 'exponential', jitter: 'full' },
  async materialize({ partitionKey }) {
    const [row] = await query('select * from orders where id::text = $1', [partitionKey]);
    if (row === undefined) throw new Error('the table does not have it any more');
    return row;
  },
});

// Looks for new rows. It asks the set what is missing, and no cursor: a row that was committed late is found all the same.
const table = sensor({
  name: 'table',
  assets: [order],
  minimumIntervalSeconds: 60, // for `sensor watch` and `sensor tick --due`
  async evaluate({ partitions }) {
    if (database === undefined) return { skipReason: 'DATABASE_URL is not set' };
    const rows = await query(
      "select id::text from orders where created_at > now() - interval '7 days' order by created_at",
    );
    const fresh = await partitions(orders).missing(rows.map(({ id }) => id));
    return {
      dynamicPartitionsRequests: [orders.buildAddRequest(fresh)],
      runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});

export default definePipeline({ assets: [order], sensors: [table] });
