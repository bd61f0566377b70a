/** (d) A large state: commands that touch next to nothing of a million keys, in ratio to parsing or rewriting the bytes. */
import fs from 'node:fs';
import path from 'node:path';
import {
  demand,
  dynpart,
  folderWith,
  freshFolder,
  keysFrom1To,
  pairs,
  parsing,
  peakMemory,
  readJson,
  rewriting,
  run,
} from './harness.mjs';

const pipeline = (count) => `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => partitionKey });
const notes = asset({ name: 'notes', partitions: items, inputs: { record }, materialize: ({ inputs }) => inputs.record });
const find = sensor({
  name: 'find',
  assets: [record, notes],
  evaluate: ({ partitions, cursor }) => {
    const newest = Array.from({ length: 10 }, (_, at) => \`key-\${String(cursor === null ? 1 : ${count} - 9 + at).padStart(7, '0')}\`);
    const keys = partitions(items).missing(newest);
    if (keys.length === 0) return { skipReason: 'nothing new' };
    return {
      cursor: keys.at(-1)!,
      dynamicPartitionsRequests: [items.buildAddRequest(keys)],
      runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ partitions: [items], assets: [record, notes], sensors: [find] });
`;

export const name = 'large-state';
export const title = 'A state of 1,000,000 keys × 2 assets, in ratio to reading or rewriting its bytes';
export const onlyFull = true;

export function measure({ quick }) {
  const count = quick ? 3 : 9;
  const size = 1_000_000;
  const folder = folderWith('large', { 'pipeline.ts': pipeline(size) });
  const state = path.join(folder, '.dynpart', 'state.json');
  // The tool makes the state of one key, so that all of it is as the tool makes it, and its columns are made long here.
  run(dynpart(['sensor', 'tick'], folder));
  const bytes = path.join(freshFolder('bytes'), 'state.json');
  fs.writeFileSync(bytes, `${JSON.stringify(grown(readJson(state), size))}\n`);
  const restore = () => {
    fs.rmSync(path.dirname(state), { recursive: true });
    fs.mkdirSync(path.dirname(state));
    fs.copyFileSync(bytes, state);
  };
  restore();
  demand(
    run(dynpart(['partitions', 'list', 'items', '--count'], folder)).stdout.includes(String(size)),
    'the state is read',
  );
  demand(
    run(dynpart(['sensor', 'tick', '--json'], folder)).stdout.includes('"SKIPPED"'),
    'the tick finds nothing new',
  );

  const row = (what, subject, limit) => ({
    what,
    baseline: limit === parsing ? 'parse of the state' : 'rewrite of the state',
    ...pairs({ count, subject, baseline: () => limit(bytes) }),
    later: 1.5,
    memoryMb: peakMemory(subject),
    baselineMemoryMb: peakMemory(() => limit(bytes)),
  });
  let added = 0;
  return [
    row('sensor tick, nothing new', () => dynpart(['sensor', 'tick'], folder), parsing),
    row(
      'partitions list --limit 10',
      () => dynpart(['partitions', 'list', 'items', '--limit', '10'], folder),
      parsing,
    ),
    row('status', () => dynpart(['status'], folder), parsing),
    row(
      'partitions add, one key',
      () => dynpart(['partitions', 'add', 'items', `one-${++added}`], folder),
      rewriting,
    ),
  ];
}

/** The document with so many keys, all of them materialized and their run keys spent. */
function grown(document, size) {
  const [[, at]] = document.sets.items.added;
  const status = 'm'.repeat(size);
  return {
    ...document,
    runs: [],
    executors: [],
    sets: { items: { ...document.sets.items, keys: keysFrom1To(size), added: [[size, at]] } },
    assets: { record: { set: 'items', status }, notes: { set: 'items', status } },
    sensors: {
      find: { ...document.sensors.find, runKeys: { ofKeys: { items: '1'.repeat(size) }, other: [] } },
    },
  };
}
