import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { files, type FileItem } from 'dynpart/sources';

const inbox = path.join(import.meta.dirname, 'inbox');

// A set of partition keys. It starts empty; here it gets a key for each file.
const uploads = dynamicPartitions<FileItem>('uploads');

// Two assets, made once for each key. What they return is kept as a file.
const orders = asset({
  name: 'orders',
  partitions: uploads,
  async materialize({ item, addMetadata }) {
    const text = await readFile(path.join(inbox, item.path), 'utf8');
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

// Looks for files that are new or were changed. Their keys and runs are committed together, or not at all.
const newFiles = sensor({
  name: 'new-files',
  assets: [orders, total],
  minimumIntervalSeconds: 60, // for `sensor watch` and `sensor tick --due`
  // Where files are written slowly: settle: '1m'. A file counts when nobody wrote to it for so long.
  evaluate: files(uploads, '*.csv', { cwd: inbox, settle: '0s', requestRuns: true }),
});

export default definePipeline({ assets: [orders, total], sensors: [newFiles] });
