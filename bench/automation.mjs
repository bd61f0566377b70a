/** (f) What keys that carry versions and assets that are automated cost, in ratio to the same without. */
import fs from 'node:fs';
import path from 'node:path';
import { against, demand, dynpart, folderWith, keysFrom1To, readState, run, words } from './harness.mjs';

/**
 * @import { StateDocument } from '../src/state/document/state-document.ts'
 * @import { Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 */

/**
 * A chain of assets over one set, and a sensor that finds nothing but a first key.
 * @param {number} assets
 * @param {boolean} automated
 */
export const pipeline = (assets, automated) => `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const assets = [];
for (let at = 0; at < ${assets}; at++)
  assets.push(asset({
    name: \`asset-\${at}\`,
    partitions: items,
    deps: assets.slice(-1),
    ${automated ? "automate: 'stale'," : ''}
    materialize: ({ partitionKey }) => partitionKey,
  }));
const find = sensor({
  name: 'find',
  assets,
  evaluate: async ({ partitions }) => {
    const keys = await partitions(items).missing(['key-0000001']);
    if (keys.length === 0) return { skipReason: 'nothing new' };
    return {
      dynamicPartitionsRequests: [items.buildAddRequest(keys)],
      runRequests: ${automated ? '[]' : 'keys.map((key) => ({ partitionKey: key }))'},
    };
  },
});
export default definePipeline({ assets, sensors: [find] });
`;

export const name = 'automation';
export const title = 'Keys with versions and automated assets, in ratio to the same without';

const TEN_THOUSAND = 10_000;
const MILLION = 1_000_000;

/** @param {Options} options */
export function measure({ quick, full }) {
  const count = quick ? 5 : 25;
  return [
    noOpTick('tick', { keys: TEN_THOUSAND, assets: 10, count }),
    ...(full ? [noOpTick('large-tick', { keys: MILLION, assets: 2, count: quick ? 5 : 15 })] : []),
    versions(TEN_THOUSAND, count),
    ...(full ? [versions(MILLION, quick ? 3 : 9)] : []),
  ];
}

/**
 * @param {string} id
 * @param {{ keys: number, assets: number, count: number }} options
 * @returns {Row}
 */
function noOpTick(id, { keys, assets, count }) {
  const automated = settled(pipeline(assets, true), { keys, version: null });
  const plain = settled(pipeline(assets, false), { keys, version: null });
  const before = fs.statSync(stateIn(automated)).mtimeMs;
  return against({
    id: `automation.${id}`,
    what: `no-op tick, ${words(keys)} keys × ${assets} automated assets`,
    aim: 1.1,
    count,
    subject: () => dynpart(['sensor', 'tick'], automated),
    baseline: () => dynpart(['sensor', 'tick'], plain),
    baselineName: 'the same without automation',
    check: () => demand(fs.statSync(stateIn(automated)).mtimeMs === before, 'nothing is committed'),
  });
}

/**
 * @param {number} keys
 * @param {number} count
 * @returns {Row}
 */
function versions(keys, count) {
  const carrying = settled(pipeline(2, false), { keys, version: (at) => `"etag-${at}"` });
  const plain = settled(pipeline(2, false), { keys, version: null });
  let added = 0;
  return against({
    id: `automation.versions-${keys}`,
    what: `partitions add, one key: load and save ${words(keys)} keys with versions`,
    aim: 1.4,
    count,
    subject: () => dynpart(['partitions', 'add', 'items', `one-${++added}`], carrying),
    baseline: () => dynpart(['partitions', 'add', 'items', `one-${added}`], plain),
    baselineName: 'the same keys without',
    check: () => demand(readableSize(carrying) > readableSize(plain), 'versions are kept'),
  });
}

/** @param {string} folder */
const stateIn = (folder) => path.join(folder, '.dynpart', 'state.json');

/** @param {string} folder */
const readableSize = (folder) => fs.statSync(stateIn(folder)).size;

/**
 * A folder with so many keys, for which everything is made.
 * @param {string} text
 * @param {{ keys: number, version: ((at: number) => string) | null }} options
 */
export function settled(text, { keys, version }) {
  const folder = folderWith('automated', { 'pipeline.ts': text });
  // The tool makes the state of one key, so that all of it is as the tool makes it, and its columns are made long here.
  run(dynpart(['sensor', 'tick'], folder));
  // What is made of all keys comes after them.
  run(dynpart(['sensor', 'tick'], folder));
  const file = stateIn(folder);
  const document = grown(readState(file), { keys, version });
  fs.rmSync(path.dirname(file), { recursive: true });
  fs.mkdirSync(path.dirname(file));
  fs.writeFileSync(file, `${JSON.stringify(document)}\n`);
  const { stdout } = run(dynpart(['sensor', 'tick', '--json'], folder));
  demand(!stdout.includes('"SUCCESS"'), 'everything is made');
  return folder;
}

/**
 * @param {StateDocument} document
 * @param {{ keys: number, version: ((at: number) => string) | null }} options
 * @returns {StateDocument}
 */
function grown(document, { keys, version }) {
  const { items } = document.sets;
  const [, at] = items?.added[0] ?? [];
  if (items === undefined || at === undefined) throw new Error('the first tick made no state');
  const all = keysFrom1To(keys);
  const assets = Object.entries(document.assets).map(([asset, entry]) => [
    asset,
    entry.set === null ? entry : { set: 'items', status: 'm'.repeat(keys) },
  ]);
  return {
    ...document,
    runs: [],
    executors: [],
    sets: {
      items: {
        ...items,
        keys: all,
        added: [[keys, at]],
        ...(version !== null && { versions: all.map((_, position) => version(position)).join('\n') }),
      },
    },
    assets: Object.fromEntries(assets),
  };
}
