/** (b) Discovery: one tick that finds very many keys, and the same keys added by hand. */
import fs from 'node:fs';
import path from 'node:path';
import {
  against,
  demand,
  dynpart,
  figureRow,
  folderWith,
  freshFolder,
  keysFrom1To,
  peakMemory,
  readState,
  rewriting,
  round,
  run,
  words,
} from './harness.mjs';

/**
 * @import { StateDocument } from '../src/state/document/state-document.ts'
 * @import { Command, Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 * @typedef {{ count: number, aim?: number | undefined }} Wanted of a row
 */

/** @param {number} count */
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

const MILLION = 1_000_000;

/** @param {Options} options */
export function measure({ quick, full }) {
  const count = quick ? 5 : 11;
  const peaks = quick ? 1 : 3;
  /** @type {Row[]} */
  const rows = [
    tick(100_000, { count, aim: 2 }),
    adding(100_000, { count }),
    ...(full ? [tick(MILLION, { count: 5 }), adding(MILLION, { count: 5, aim: 2.5 })] : []),
  ];
  const { fresh, bytes } = ticking(MILLION);
  rows.push({
    ...figureRow({
      id: 'discovery.tick-1000000-memory',
      what: `memory of a tick that finds ${words(MILLION)} keys, at its peak`,
      unit: 'MB',
      aim: 1000,
      values: Array.from({ length: peaks }, () => peakMemory(fresh)),
    }),
    baseline: 'rewrite of the state',
    baselineMeasured: round(peakMemory(() => rewriting(bytes))),
  });
  return rows;
}

/**
 * @param {number} keys
 * @param {Wanted} options
 */
function tick(keys, { count, aim }) {
  const id = `discovery.tick-${keys}`;
  return row({ id, what: `sensor tick --no-run, ${words(keys)} new keys`, count, aim, ...ticking(keys) });
}

/** @param {number} keys */
function ticking(keys) {
  const folder = folderWith('discovery', { 'pipeline.ts': pipelineOf(keys) });
  return inFreshStates({
    // A state of its own for each tick, and one folder for the pipeline: its compiled code is found by its path.
    subject: (state) => dynpart(['sensor', 'tick', '--no-run', '--state', state], folder),
    check: ({ sets, runs }) => sets['items']?.keys.length === keys && runs[0]?.keys.length === keys,
    what: 'all keys are there, and their runs',
  });
}

/**
 * @param {number} keys
 * @param {Wanted} options
 */
function adding(keys, { count, aim }) {
  const id = `discovery.add-${keys}`;
  return row({ id, what: `partitions add --from, ${words(keys)} keys`, count, aim, ...addingByHand(keys) });
}

/**
 * The keys of a file added to a fresh state; also what Dagster's way of adding is measured against.
 * @param {number} keys
 */
export function addingByHand(keys) {
  const folder = folderWith('adding', {
    'pipeline.ts': pipelineOf(keys),
    'keys.txt': `${keysFrom1To(keys).join('\n')}\n`,
  });
  return inFreshStates({
    subject: (state) =>
      dynpart(['partitions', 'add', 'items', '--from', 'keys.txt', '--state', state], folder),
    check: ({ sets }) => sets['items']?.keys.length === keys,
    what: 'all keys are there',
  });
}

/** @param {{ subject: (state: string) => Command, check: (state: StateDocument) => boolean, what: string }} options */
function inFreshStates({ subject, check, what }) {
  let state = '';
  const fresh = () => {
    state = path.join(freshFolder('state'), 'state.json');
    return subject(state);
  };
  // The bytes that the baseline works on are those that the tool really writes.
  run(fresh());
  demand(check(readState(state)), what);
  const bytes = path.join(freshFolder('bytes'), 'state.json');
  fs.copyFileSync(state, bytes);
  // Two states of the same keys differ in times and ids alone: the size is enough to know that the work was done.
  const least = fs.statSync(bytes).size * 0.99;
  const done = () => demand(fs.statSync(state).size > least, what);
  return { fresh, bytes, done };
}

/** @param {Wanted & ReturnType<typeof inFreshStates> & { id: string, what: string }} options */
function row({ id, what, count, aim, fresh, bytes, done }) {
  return {
    ...against({
      id,
      what,
      aim,
      count,
      subject: fresh,
      baseline: () => rewriting(bytes),
      baselineName: 'rewrite of the state',
      check: done,
    }),
    note: `${Math.round(peakMemory(fresh))} MB at its peak, baseline ${Math.round(peakMemory(() => rewriting(bytes)))} MB`,
  };
}
