/** Assets with a process of their own, and many keys in one call: what both gain, and what a process costs a run that does nothing. */
import fs from 'node:fs';
import path from 'node:path';
import {
  demand,
  dynpart,
  folderWith,
  freshFolder,
  keysFrom1To,
  node,
  ratioRow,
  readState,
  run,
} from './harness.mjs';

/**
 * @import { Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 */

const pipeline = `
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const each = { partitions: items, materialize: ({ partitionKey }) => partitionKey } as const;
export default definePipeline({
  processes: { limit: 2 },
  assets: [
    asset({ name: 'busy', partitions: items, isolation: 'process', materialize: () => fib(40) }),
    asset({ name: 'isolated', ...each, isolation: 'process' }),
    asset({ name: 'single', partitions: items, async materialize({ partitionKey }) { await sleep(50); return partitionKey; } }),
    asset({ name: 'batch', partitions: items, batch: 500, async *materialize({ keys }) {
      await sleep(50);
      for (const { partitionKey } of keys) yield [partitionKey, partitionKey];
    } }),
  ],
});
`;

/** A process and the one that started it, a message there and one back for each. */
const messages = (/** @type {number} */ count) => `
const { fork } = require('node:child_process');
if (process.send !== undefined) process.on('message', (message) => process.send(message));
else {
  const child = fork(__filename, [], { serialization: 'advanced' });
  let left = ${count};
  child.on('message', (message) => (--left > 0 ? child.send(message) : child.disconnect()));
  child.send({ type: 'try', key: 'a' });
}
`;

export const name = 'isolation';
export const title = 'Processes for assets, and many keys in one call';

/**
 * @param {Options} options
 * @returns {Promise<Row[]>}
 */
export async function measure({ quick }) {
  const rounds = quick ? 3 : 5;
  const many = quick ? 2000 : 10_000;
  const folder = folderWith('isolation', { 'pipeline.ts': pipeline });
  const script = path.join(folder, 'messages.cjs');
  fs.writeFileSync(script, messages(many));
  const keys = path.join(folder, 'keys.txt');
  fs.writeFileSync(keys, `${keysFrom1To(many).join('\n')}\n`);
  /**
   * Milliseconds of one command on a state of its own.
   * @param {string} asset
   * @param {number} count
   */
  const made = (asset, count) => {
    const state = path.join(freshFolder('state'), 'state.json');
    run(dynpart(['partitions', 'add', 'items', '--from', keys, '--state', state], folder));
    const { ms } = run(
      dynpart(
        ['materialize', asset, '--all', '--limit', String(count), '--summary', '--json', '--state', state],
        folder,
      ),
    );
    const { status = '' } = readState(state).assets[asset] ?? {};
    demand(status.startsWith('m'.repeat(count)), `${count} of ${asset} are on record`);
    return ms;
  };
  const each = Array.from({ length: rounds }, () => {
    const start = made('isolated', 1);
    const [one, two] = [made('busy', 1), made('busy', 2)];
    const isolated = made('isolated', many) - start;
    const { ms: there } = run(node([script], folder));
    const [single, batch] = [made('single', 2000) - start, made('batch', 2000) - start];
    return { cores: two / one, messages: isolated / there, batch: batch / single };
  });
  return [
    ratioRow({
      id: 'isolation.cores',
      what: 'two CPU-bound keys in two processes, to one of them',
      aim: 1.11,
      ratios: each.map(({ cores }) => cores),
    }),
    ratioRow({
      id: 'isolation.messages',
      what: `${many} isolated runs that do nothing, to as many messages to a process and back`,
      ratios: each.map((one) => one.messages),
    }),
    ratioRow({
      id: 'isolation.batch',
      what: '2,000 keys in calls of 500 to what answers in 50 ms, to one call each (ten at once)',
      aim: 0.3,
      ratios: each.map(({ batch }) => batch),
    }),
  ];
}
