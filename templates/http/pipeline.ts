import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { http } from 'dynpart/sources';

// The address of a list in JSON. Without API_URL a list that needs no network.
const address =
  process.env['API_URL'] ?? 'data:application/json,[{"id":1,"name":"Ada"},{"id":2,"name":"Grace"}]';

interface Customer {
  readonly id: number;
  readonly name: string;
}

// A set of partition keys. It starts empty; here it gets a key for each entry of the list, which carries the entry.
const customers = dynamicPartitions<Customer>('customers');

// Made once for each key, and again when the entry has changed. What it returns is kept as a file.
const record = asset({
  name: 'record',
  partitions: customers,
  automate: 'stale',
  materialize: ({ item }) => item,
});

// Looks for entries that are new or were changed.
const list = sensor({
  name: 'list',
  minimumIntervalSeconds: 300, // for `sensor watch` and `sensor tick --due`
  evaluate: http(customers, {
    url: address,
    next: 'link', // or { token, param }, { offset }, a function: how a page leads to the next one
    key: 'id',
    version: 'name', // what changes when the entry does
    item: ['id', 'name'],
  }),
});

export default definePipeline({ assets: [record], sensors: [list] });
