/** (b) Discovery: one tick that finds very many keys, and the same keys added by hand. */
import fs from 'node:fs';
import path from 'node:path';
import {
  demand,
  dynpart,
  folderWith,
  freshFolder,
  keysFrom1To,
  pairs,
  peakMemory,
  readJson,
  rewriting,
  run,
} from './harness.mjs';

const pipelineOf = (count) => `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => partitionKey });
const find = sensor({
  name: 'find',
  assets: [record],
  evaluate: () => {
    const keys = Array.from({ length: ${count} }, (_, at) => \`key-\${String(at + 1).padStart(7, '0')}\`);
    return {
      cursor: keys.at(-1),
      dynamicPartitionsRequests: [items.buildAddRequest(keys)],
      runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ partitions: [items], assets: [record], sensors: [find] });
`;

export const name = 'discovery';
export const title = 'Very many keys, in ratio to parsing, stringifying and syncing the same bytes';

export function measure({ quick, full }) {
  const count = quick ? 3 : 9;
  const rows = [tick(100_000, { count, aim: 3, later: 2 }), add(100_000, { count })];
  if (full) rows.push(tick(1_000_000, { count: 3, later: 2 }), add(1_000_000, { count: 3, later: 2.5 }));
  return rows;
}

function tick(keys, { count, aim, later }) {
  const folder = folderWith('discovery', { 'pipeline.ts': pipelineOf(keys) });
  // A state of its own for each tick, and one folder for the pipeline: its compiled code is found by its path.
  const subject = (state) => dynpart(['sensor', 'tick', '--no-run', '--state', state], folder);
  const check = ({ sets, runs }) => sets.items.keys.length === keys && runs[0].keys.length === keys;
  return row(`sensor tick --no-run, ${words(keys)} new keys`, { subject, check, count, aim, later });
}

function add(keys, { count, aim, later }) {
  const folder = folderWith('adding', {
    'pipeline.ts': pipelineOf(keys),
    'keys.txt': `${keysFrom1To(keys).join('\n')}\n`,
  });
  const subject = (state) =>
    dynpart(['partitions', 'add', 'items', '--from', 'keys.txt', '--state', state], folder);
  const check = ({ sets }) => sets.items.keys.length === keys;
  return row(`partitions add --from, ${words(keys)} keys`, { subject, check, count, aim, later });
}

function row(what, { subject, check, count, aim, later }) {
  let state;
  const fresh = () => {
    state = path.join(freshFolder('state'), 'state.json');
    return subject(state);
  };
  // The bytes that the baseline works on are those that the tool really writes.
  run(fresh());
  demand(check(readJson(state)), what);
  const bytes = path.join(freshFolder('bytes'), 'state.json');
  fs.copyFileSync(state, bytes);
  return {
    what,
    baseline: 'rewrite of the state',
    ...pairs({
      count,
      subject: fresh,
      baseline: () => rewriting(bytes),
      check: () => demand(fs.statSync(state).size > keysAtLeast(bytes), what),
    }),
    aim,
    later,
    memoryMb: peakMemory(fresh),
    baselineMemoryMb: peakMemory(() => rewriting(bytes)),
  };
}

/** Two states of the same keys differ in times and ids alone. */
function keysAtLeast(bytes) {
  return fs.statSync(bytes).size * 0.99;
}

function words(count) {
  return count.toLocaleString('en');
}
