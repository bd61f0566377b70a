/**
 * What the rows of the PostgreSQL benchmark are compared with, as processes of their own: plain inserts of the same rows, and pg-boss
 * with the same batches. `raw.mjs WHAT SCHEMA COUNT ROUNDS`, with the server in DYNPART_BENCH_SERVER and pg-boss's folder in DYNPART_BENCH_BOSS.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { Client } from 'pg';
import { compute } from './digests.mjs';

const [, , what = '', schema = '', size = '', rounds = ''] = process.argv;
const connectionString = process.env['DYNPART_BENCH_SERVER'] ?? '';
const count = Number(size);
const QUEUE = 'runs';
/** As many jobs at a time as the worker beside it executes at once. */
const BATCH = 100;
/** As many as a worker beside it that executes eight at once takes for a beginning. */
const COMPUTING_BATCH = 16;

/**
 * The part of pg-boss that is used.
 * @typedef {object} Boss
 * @property {() => Promise<unknown>} start
 * @property {(options: object) => Promise<void>} stop
 * @property {(queue: string, options: object) => Promise<void>} createQueue
 * @property {(queue: string, jobs: readonly object[], options?: object) => Promise<unknown>} insert
 * @property {(queue: string, options: object) => Promise<{ id: string }[]>} fetch
 * @property {(queue: string, ids: readonly string[]) => Promise<unknown>} complete
 * @property {(event: 'error', listener: (error: Error) => void) => unknown} on
 */

/** @param {boolean} migrate whether it makes its tables */
async function bossOf(migrate) {
  const folder = process.env['DYNPART_BENCH_BOSS'] ?? '';
  const { PgBoss } = createRequire(path.join(folder, 'index.js'))('pg-boss');
  /** @type {Boss} */
  const boss = new PgBoss({ connectionString, migrate, supervise: false, schedule: false });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  return boss;
}

/** @type {Record<string, () => Promise<void>>} */
const programs = {
  /** Its tables and a queue, once. */
  prepare: async () => {
    const boss = await bossOf(true);
    await boss.createQueue(QUEUE, { policy: 'singleton', retryLimit: 2 });
    await boss.stop({ graceful: false });
  },
  /** The rows that a tick adds. */
  rows: () => tick(null),
  /** The same, and a job for each run, in the same transaction. */
  'rows-and-jobs': async () => {
    const boss = await bossOf(false);
    await tick(boss);
    await boss.stop({ graceful: false });
  },
  /** Jobs that wait. */
  queue: async () => {
    const boss = await bossOf(false);
    await boss.insert(QUEUE, jobs());
    await boss.stop({ graceful: false });
  },
  /** Takes and completes them all, and does nothing in between. */
  work: async () => {
    const done = await workOff(BATCH, () => undefined);
    if (done !== count) throw new Error(`${done} jobs instead of ${count}`);
  },
  /** The same with others, where each job computes. */
  compute: async () => {
    await workOff(COMPUTING_BATCH, ({ id }) => compute(id, Number(rounds)));
  },
};

/**
 * @param {number} batchSize
 * @param {(job: { id: string }) => void} execute
 */
async function workOff(batchSize, execute) {
  const boss = await bossOf(false);
  let done = 0;
  for (;;) {
    const taken = await boss.fetch(QUEUE, { batchSize });
    if (taken.length === 0) break;
    for (const job of taken) execute(job);
    await boss.complete(
      QUEUE,
      taken.map(({ id }) => id),
    );
    done += taken.length;
  }
  await boss.stop({ graceful: false });
  return done;
}

function jobs() {
  return Array.from({ length: count }, (_, at) => ({
    singletonKey: `${schema} ${at}`,
    data: { run: `r${at}` },
  }));
}

/** @param {Boss | null} boss */
async function tick(boss) {
  const client = new Client({ connectionString });
  await client.connect();
  const keys = Array.from({ length: count }, (_, at) => `key-${String(at + 1).padStart(7, '0')}`);
  const ids = keys.map((_, at) => `0m0000000000000-${at}`);
  const at = new Date().toISOString();
  await client.query('begin');
  const set = `insert into ${schema}.key_set (name, size, next_pos) values ('items', $1::int, $1::int + 1) returning id`;
  const { rows: sets } = await client.query(set, [count]);
  const [{ id }] = sets;
  await client.query(
    `insert into ${schema}.key (set_id, key, pos, added_at) select $1, k.key, k.n, $3 from unnest($2::text[]) with ordinality as k(key, n)`,
    [id, keys, at],
  );
  await client.query(
    `insert into ${schema}.run_key (sensor, run_key, set_id, key) select 'find', k, $1, k from unnest($2::text[]) as k`,
    [id, keys],
  );
  const head = `insert into ${schema}.run_head (run_group, created_at, sensor, set_id, assets, tags, origin) values ('0m0000000000000', $2, 'find', $1, '{record}', '{}', 'worker') returning n`;
  const { rows: heads } = await client.query(head, [id, at]);
  await client.query(
    `insert into ${schema}.run (id, head, number, key, run_key) select r.id, $1, r.n - 1, r.key, r.key from unnest($2::text[], $3::text[]) with ordinality as r(id, key, n)`,
    [heads[0].n, ids, keys],
  );
  await client.query(`insert into ${schema}.sensor (name, version, cursor) values ('find', 1, '"1"')`);
  if (boss !== null) {
    /** @param {string} text @param {unknown[]} values */
    const executeSql = (text, values) => client.query(text, values);
    await boss.insert(QUEUE, jobs(), { db: { executeSql }, returnId: false });
  }
  await client.query('commit');
  await client.end();
}

const program = programs[what];
if (program === undefined) throw new Error(`no program is called ${what}`);
await program();
