/** (d) A large state: commands that touch next to nothing of a million keys, in ratio to parsing or rewriting the bytes. */
import fs from 'node:fs';
import path from 'node:path';
import {
  against,
  demand,
  dynpart,
  folderWith,
  freshFolder,
  keysFrom1To,
  parsing,
  peakMemory,
  readState,
  rewriting,
  run,
  words,
} from './harness.mjs';

/**
 * @import { StateDocument } from '../src/state/document/state-document.ts'
 * @import { Options, Prepared } from './harness.mjs'
 * @import { Row } from './table.mjs'
 */

/** @param {number} count */
const pipeline = (count) => `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => partitionKey });
const notes = asset({ name: 'notes', partitions: items, inputs: { record }, materialize: ({ inputs }) => inputs.record });
const find = sensor({
  name: 'find',
  assets: [record, notes],
  evaluate: async ({ partitions, cursor }) => {
    const newest = Array.from({ length: 10 }, (_, at) => \`key-\${String(cursor === null ? 1 : ${count} - 9 + at).padStart(7, '0')}\`);
    const keys = await partitions(items).missing(newest);
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

/** @param {Options} options */
export function measure({ quick }) {
  const count = quick ? 5 : 15;
  const size = 1_000_000;
  const folder = folderWith('large', { 'pipeline.ts': pipeline(size) });
  const state = path.join(folder, '.dynpart', 'state.json');
  // The tool makes the state of one key, so that all of it is as the tool makes it, and its columns are made long here.
  run(dynpart(['sensor', 'tick'], folder));
  const bytes = path.join(freshFolder('bytes'), 'state.json');
  fs.writeFileSync(bytes, `${JSON.stringify(grown(readState(state), size))}\n`);
  fs.rmSync(path.dirname(state), { recursive: true });
  fs.mkdirSync(path.dirname(state));
  fs.copyFileSync(bytes, state);
  /** @param {readonly string[]} args */
  const said = (args) => run(dynpart(args, folder)).stdout;
  demand(said(['partitions', 'list', 'items', '--count']).includes(String(size)), 'the state is read');
  demand(said(['sensor', 'tick', '--json']).includes('"SKIPPED"'), 'the tick finds nothing new');

  /**
   * @param {string} id
   * @param {string} what
   * @param {{ subject: Prepared, limit: typeof parsing, check: (out: string) => boolean }} options
   * @returns {Row}
   */
  const row = (id, what, { subject, limit, check }) => ({
    ...against({
      id: `large-state.${id}`,
      what,
      aim: 1.5,
      count,
      subject,
      baseline: () => limit(bytes),
      baselineName: limit === parsing ? 'parse of the state' : 'rewrite of the state',
      check: ({ subject: out }) => demand(check(out), what),
    }),
    note: `${Math.round(peakMemory(subject))} MB at its peak, baseline ${Math.round(peakMemory(() => limit(bytes)))} MB`,
  });
  let added = 0;
  const untouched = fs.statSync(state).size;
  const isUntouched = () => fs.statSync(state).size === untouched;
  const rows = [
    row('tick', 'sensor tick, nothing new', {
      subject: () => dynpart(['sensor', 'tick'], folder),
      limit: parsing,
      check: isUntouched,
    }),
    row('list', 'partitions list --limit 10', {
      subject: () => dynpart(['partitions', 'list', 'items', '--limit', '10'], folder),
      limit: parsing,
      check: (out) => out.split('\n').filter((line) => line.startsWith('key-')).length === 10,
    }),
    row('status', 'status', {
      subject: () => dynpart(['status'], folder),
      limit: parsing,
      check: (out) => out.includes(String(size)),
    }),
    row('add', 'partitions add, one key', {
      subject: () => dynpart(['partitions', 'add', 'items', `one-${++added}`], folder),
      limit: rewriting,
      check: () => fs.statSync(state).size > untouched,
    }),
  ];
  const { total } = JSON.parse(said(['partitions', 'list', 'items', '--count', '--json']));
  demand(total === size + added, `each add added its key: ${words(total)}`);
  return rows;
}

/**
 * The document with so many keys, all of them materialized and their run keys spent.
 * @param {StateDocument} document
 * @param {number} size
 * @returns {StateDocument}
 */
function grown(document, size) {
  const { items } = document.sets;
  const { find } = document.sensors;
  const [, at] = items?.added[0] ?? [];
  if (items === undefined || find === undefined || at === undefined)
    throw new Error('the first tick made no state');
  const status = 'm'.repeat(size);
  return {
    ...document,
    runs: [],
    executors: [],
    sets: { items: { ...items, keys: keysFrom1To(size), added: [[size, at]] } },
    assets: { record: { set: 'items', status }, notes: { set: 'items', status } },
    sensors: {
      find: { ...find, runKeys: { ofKeys: { items: '1'.repeat(size) }, other: [] } },
    },
  };
}
