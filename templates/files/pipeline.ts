import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const inbox = path.join(import.meta.dirname, 'inbox');

// A set of partition keys. It starts empty; here it gets a key for each file.
const uploads = dynamicPartitions('uploads');

// Two assets, made once for each key. What they return is kept as a file.
const orders = asset({
  name: 'orders',
  partitions: uploads,
  async materialize({ partitionKey, addMetadata }) {
    const text = await readFile(path.join(inbox, partitionKey), 'utf8');
    const lines = text.trim().split('\n');
    addMetadata({ rows: lines.length });
    return lines.map((line) => {
      const [customer, amount] = line.split(',');
      return { customer, amount: Number(amount) };
    });
  },
});

const total = asset({
  name: 'total',
  partitions: uploads,
  inputs: { orders }, // typed as what `orders` returns
  materialize: ({ inputs }) => inputs.orders.reduce((sum, { amount }) => sum + amount, 0),
});

// Looks for new files. Everything in its result is committed together, or nothing of it.
const newFiles = sensor({
  name: 'new-files',
  assets: [orders, total],
  minimumIntervalSeconds: 60, // for `sensor watch` and `sensor tick --due`
  async evaluate({ partitions }) {
    const files = (await readdir(inbox)).filter((name) => name.endsWith('.csv'));
    const fresh = await partitions(uploads).missing(files);
    return {
      dynamicPartitionsRequests: [uploads.buildAddRequest(fresh)],
      runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});

export default definePipeline({ assets: [orders, total], sensors: [newFiles] });
