/**
 * `state move` of a large state to PostgreSQL and back, in ratio to COPY of the same rows into the same tables, with their indexes; and what
 * a key costs there, in bytes.
 *
 *     node bench/moving.mjs [--keys 1000000] [--rounds 3] [--bin bin/dynpart.cjs]
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { PostgresCluster } from '../test/support/postgres-cluster.mjs';
import {
  dynpart,
  folderWith,
  keysFrom1To,
  median,
  readState,
  removeFolders,
  run,
  use,
  words,
} from './harness.mjs';

const { values: flags } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    bin: { type: 'string' },
  },
});
const KEYS = Number(flags.keys);
use({ ...(flags.bin !== undefined && { bin: flags.bin }) });

const PIPELINE = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: () => undefined });
const find = sensor({
  name: 'find', assets: [record],
  evaluate: () => ({ dynamicPartitionsRequests: [items.buildAddRequest(['key-0000001'])], runRequests: [{ partitionKey: 'key-0000001', runKey: 'key-0000001' }] }),
});
export default definePipeline({ assets: [record], sensors: [find] });
`;

/** A row of each for each key. */
const TABLES = ['key_set', 'key', 'status', 'run_key'];

/** All made, all run keys spent. @returns its folder */
function stateOf(/** @type {number} */ size) {
  const folder = folderWith('moving', { 'pipeline.ts': PIPELINE });
  run(dynpart(['sensor', 'tick'], folder));
  const file = path.join(folder, '.dynpart/state.json');
  const document = readState(file);
  const { items } = document.sets;
  const { find } = document.sensors;
  const { record } = document.assets;
  if (!items || !find || !record) throw new Error('the tick made no state');
  const grown = {
    ...document,
    sets: { items: { ...items, keys: keysFrom1To(size), added: [[size, items.added[0]?.[1]]] } },
    assets: { record: { ...record, status: 'm'.repeat(size) } },
    sensors: { find: { ...find, runKeys: { ofKeys: { items: '1'.repeat(size) }, other: [] } } },
  };
  fs.rmSync(path.dirname(file), { recursive: true });
  fs.mkdirSync(path.dirname(file));
  fs.writeFileSync(file, `${JSON.stringify(grown)}\n`);
  return folder;
}

/** @param {() => unknown} work @returns {Promise<number>} seconds */
async function timed(work) {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

const cluster = await PostgresCluster.start({ syncs: true });
const client = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
/** @type {{ there: number, back: number, copy: number, out: number }[]} */
const rounds = [];
let last = '';
try {
  await client.connect();
  const folder = stateOf(KEYS);
  for (let round = 0; round < Number(flags.rounds); round++) {
    const [moved, copied] = [`moved_${round}`, `copied_${round}`];
    for (const schema of [moved, copied])
      run(dynpart(['state', 'migrate', '--state', cluster.url(schema)], folder));
    const there = await timed(() => run(dynpart(['state', 'move', '--to', cluster.url(moved)], folder)));
    /** @param {string} schema @param {string} table */
    const file = (schema, table) => path.join(cluster.folder, `${schema}.${table}`);
    const out = await timed(async () => {
      for (const table of TABLES) await client.query(`copy ${moved}."${table}" to '${file(moved, table)}'`);
    });
    const copy = await timed(async () => {
      await client.query('begin');
      for (const table of TABLES)
        await client.query(`copy ${copied}."${table}" from '${file(moved, table)}'`);
      await client.query('commit');
    });
    await client.query(`drop schema ${copied} cascade`);
    last = moved;
    const back = await timed(() =>
      run(dynpart(['state', 'move', '--state', cluster.url(moved), '--to', '.dynpart/state.json'], folder)),
    );
    rounds.push({ there, back, copy, out });
  }
  /** @param {(round: { there: number, back: number, copy: number, out: number }) => number} of */
  const middle = (of) => median(rounds.map(of)).toFixed(2);
  console.log(`${words(KEYS)} keys, each with a status and a spent run key; medians of ${rounds.length}\n`);
  console.log('| | state move | COPY | ratio |\n| --- | ---: | ---: | ---: |');
  console.log(
    `| to PostgreSQL | ${middle((one) => one.there)} s | ${middle((one) => one.copy)} s | ${middle((one) => one.there / one.copy)} |`,
  );
  console.log(
    `| back, COPY to files | ${middle((one) => one.back)} s | ${middle((one) => one.out)} s | ${middle((one) => one.back / one.out)} |\n`,
  );
  await client.query('vacuum analyze');
  console.log('| table | rows | bytes a row | of these its indexes |\n| --- | ---: | ---: | ---: |');
  for (const table of TABLES.slice(1)) {
    const { rows } = await client.query(
      `select count(*)::float8 as rows, pg_total_relation_size('${last}."${table}"')::float8 as all, pg_indexes_size('${last}."${table}"')::float8 as indexes from ${last}."${table}"`,
    );
    const [{ rows: count, all, indexes }] = rows;
    console.log(
      `| \`${table}\` | ${words(count)} | ${Math.round(all / count)} | ${Math.round(indexes / count)} |`,
    );
  }
} finally {
  await client.end();
  cluster[Symbol.dispose]();
  removeFolders();
}
