/** (g) What it costs to make one thing of many keys: memory by the number of keys, and a tick that finds nothing to make. */
import fs from 'node:fs';
import path from 'node:path';
import { settled } from './automation.mjs';
import {
  against,
  demand,
  dynpart,
  keysFrom1To,
  median,
  peakMemory,
  ratioRow,
  ratiosOf,
  round,
  words,
} from './harness.mjs';

/**
 * @import { Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 */

/** @param {'all' | 'none'} gathers */
const pipeline = (gathers) => `
import { allKeys, asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const text = asset({ name: 'text', partitions: items, automate: 'stale', materialize: ({ partitionKey }) => partitionKey });
const digest = asset({
  name: 'digest',
  automate: 'stale',
  ${gathers === 'all' ? 'inputs: { texts: allKeys(text) },' : ''}
  async materialize({ inputs }) {
    let letters = 0;
    for await (const [, value] of inputs.texts ?? []) letters += value.length;
    return letters;
  },
});
const find = sensor({
  name: 'find',
  evaluate: async ({ partitions }) => {
    const keys = await partitions(items).missing(['key-0000001']);
    return keys.length === 0 ? { skipReason: 'nothing new' } : { dynamicPartitionsRequests: [items.buildAddRequest(keys)] };
  },
});
export default definePipeline({ assets: [text, digest], sensors: [find] });
`;

export const name = 'gathering';
export const title = 'One thing made of many keys, in ratio to few keys, and to none';

const MANY = 100_000;
const FEW = 100;

/** Values of so many letters: all of them together are 200 MB. */
const LETTERS = 2000;

/** @param {Options} options */
export function measure({ quick }) {
  const many = quick ? MANY / 10 : MANY;
  return [memory(many, quick ? 1 : 3), noOpTick(MANY, quick ? 5 : 25)];
}

/**
 * @param {number} keys
 * @param {number} times
 * @returns {Row}
 */
function memory(keys, times) {
  const [subject, baseline] = [digestOf(keys), digestOf(FEW)];
  const own = Array.from({ length: times }, () => peakMemory(subject));
  const theirs = Array.from({ length: times }, () => peakMemory(baseline));
  return {
    ...ratioRow({
      id: 'gathering.memory',
      what: `memory of a digest over ${words(keys)} values of ${LETTERS} letters, at its peak`,
      aim: 2,
      ratios: ratiosOf(own, theirs),
    }),
    unit: 'MB',
    measured: round(median(own)),
    baseline: `over ${FEW} of them`,
    baselineMeasured: round(median(theirs)),
  };
}

/** @param {number} keys */
function digestOf(keys) {
  const folder = settled(pipeline('all'), { keys, version: null });
  const values = path.join(folder, '.dynpart', 'values', 'text');
  fs.mkdirSync(values, { recursive: true });
  for (const key of keysFrom1To(keys))
    fs.writeFileSync(path.join(values, `${key}.json`), `"${key.padEnd(LETTERS, '.')}"\n`);
  return () => dynpart(['materialize', 'digest'], folder);
}

/**
 * @param {number} keys
 * @param {number} count
 * @returns {Row}
 */
function noOpTick(keys, count) {
  const gathering = settled(pipeline('all'), { keys, version: null });
  const plain = settled(pipeline('none'), { keys, version: null });
  const state = path.join(gathering, '.dynpart', 'state.json');
  const before = fs.statSync(state).mtimeMs;
  return against({
    id: 'gathering.tick',
    what: `no-op tick, ${words(keys)} keys and what is made of all of them, automated`,
    aim: 1.2,
    count,
    subject: () => dynpart(['sensor', 'tick'], gathering),
    baseline: () => dynpart(['sensor', 'tick'], plain),
    baselineName: 'the same, made of none of them',
    check: () => demand(fs.statSync(state).mtimeMs === before, 'nothing is committed'),
  });
}
