import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

// The address of a list in JSON, and where each item of it has its name. Without API_URL a list that needs no network.
const address =
  process.env['API_URL'] ?? 'data:application/json,[{"id":1,"name":"Ada"},{"id":2,"name":"Grace"}]';

interface Item {
  readonly id: number | string;
}

async function readItems(signal: AbortSignal): Promise<Map<string, Item>> {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const items = (await response.json()) as Item[];
  return new Map(items.map((item) => [String(item.id), item]));
}

// A set of partition keys. It starts empty; here it gets a key for each item of the list.
const customers = dynamicPartitions('customers');

// Made once for each key. What it returns is kept as a file.
const record = asset({
  name: 'record',
  partitions: customers,
  retry: { maxRetries: 3, delayMs: 1_000, backoff: 'exponential', jitter: 'full' },
  timeoutMs: 60_000,
  async materialize({ partitionKey, signal }) {
    const item = (await readItems(signal)).get(partitionKey);
    if (item === undefined) throw new Error('the list does not have it any more');
    return item;
  },
});

// Looks for new items. Everything in its result is committed together, or nothing of it.
const list = sensor({
  name: 'list',
  assets: [record],
  minimumIntervalSeconds: 300, // for `sensor watch` and `sensor tick --due`
  async evaluate({ partitions, signal }) {
    const items = await readItems(signal);
    const fresh = await partitions(customers).missing(items.keys());
    return {
      dynamicPartitionsRequests: [customers.buildAddRequest(fresh)],
      runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});

export default definePipeline({ assets: [record], sensors: [list] });
