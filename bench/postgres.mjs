/** (g) A state in PostgreSQL: ticks and runs in ratio to plain inserts and to pg-boss, on a server of the benchmark's own that syncs. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { PostgresCluster } from '../test/support/postgres-cluster.mjs';
import {
  against,
  demand,
  dynpart,
  env,
  figureRow,
  folderWith,
  median,
  node,
  ratioRow,
  ratiosOf,
  round,
  rounds,
  run,
  words,
} from './harness.mjs';
import { BOSS, findBoss } from './postgres/boss.mjs';
import { compute } from './postgres/digests.mjs';

/**
 * @import { Command, Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 * @typedef {{ cluster: PostgresCluster, client: Client, boss: string }} Server
 * @typedef {{ schema: string, url: string }} State
 */

const here = import.meta.dirname;

export const name = 'postgres';
export const title = 'A state in PostgreSQL, in ratio to plain inserts of the same rows and to pg-boss';

const TEN_THOUSAND = 10_000;
const MILLION = 1_000_000;

/** So many runs at the same time, as many as pg-boss takes at a time. */
const AT_ONCE = 100;

/**
 * Of two workers in ratio to one: so many that a start (0.3 s) and the last runs (a hand full for each) do not count for much. What a
 * run costs beside its code is the same for both, so that it counts for less where the code takes longer.
 */
const COMPUTING = [
  { runs: 1500, ms: 10 },
  { runs: 300, ms: 50 },
];

/** How many rounds of a digest take so long here. */
function roundsFor(/** @type {number} */ ms) {
  const rounds = 200_000;
  const began = performance.now();
  compute('key', rounds);
  return Math.ceil((rounds * ms) / (performance.now() - began));
}

/**
 * A sensor that brings so many keys, a no-op, an asset that computes for about ten milliseconds and one that says when it began.
 * @param {number} keys
 * @param {number} [rounds] of what the asset computes
 */
const pipeline = (keys, rounds = 1) => `
import { pbkdf2Sync } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: () => undefined });
const computed = asset({
  name: 'computed',
  partitions: items,
  materialize: ({ partitionKey }) => pbkdf2Sync(partitionKey, 'salt', ${rounds}, 32, 'sha256').toString('hex'),
});
const told = asset({
  name: 'told',
  partitions: items,
  materialize: ({ partitionKey }) =>
    appendFileSync('began.txt', \`\${partitionKey} \${performance.timeOrigin + performance.now()}\\n\`),
});
const find = sensor({
  name: 'find',
  assets: [record],
  evaluate: ({ cursor }) => {
    if (cursor !== null) return { skipReason: 'nothing new' };
    const keys = Array.from({ length: ${keys} }, (_, at) => \`key-\${String(at + 1).padStart(7, '0')}\`);
    return {
      cursor: '1',
      dynamicPartitionsRequests: [items.buildAddRequest(keys)],
      runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ partitions: [items], assets: [record, computed, told], sensors: [find], concurrency: ${AT_ONCE} });
`;

/** @param {Options} options */
export async function measure({ quick, full }) {
  const found = findBoss();
  if (found.missing !== undefined) return [{ id: 'postgres', what: BOSS, skipped: found.missing }];
  const cluster = await PostgresCluster.start({ syncs: true });
  const client = new Client({ connectionString: addressOf(cluster) });
  try {
    await client.connect();
    const server = { cluster, client, boss: found.folder };
    run(raw(server, 'prepare'));
    return [
      await bigTick(server, quick ? 3 : 7),
      await noOps(server, quick ? 3 : 5),
      ...(await each(COMPUTING, (computing) => twoWorkers(server, quick ? 1 : 3, computing))),
      ...(await largeState(server, quick ? 5 : 15)),
      await calls(server, quick ? 20 : 100),
      await takenOver(server, 10, 15),
      ...(full ? [await takenOver(server, null, 60)] : []),
    ];
  } finally {
    await client.end();
    cluster[Symbol.dispose]();
  }
}

const nothing = () => undefined;

/** @param {PostgresCluster} cluster */
function addressOf(cluster) {
  return cluster.url('public').replace(/\?.*/, '');
}

/**
 * @param {Server} server
 * @param {string} what
 * @param {State} [state]
 * @param {number} [count]
 * @returns {Command}
 */
function raw({ cluster, boss }, what, state, count = 0) {
  return {
    ...node([path.join(here, 'postgres', 'raw.mjs'), what, state?.schema ?? '', String(count)]),
    env: { DYNPART_BENCH_SERVER: addressOf(cluster), DYNPART_BENCH_BOSS: boss },
  };
}

let states = 0;

/**
 * A state of its own, with the tables made and nothing in it.
 * @param {Server} server
 * @param {string} folder
 * @returns {State}
 */
function freshState({ cluster }, folder) {
  const schema = `bench_${++states}`;
  const url = cluster.url(schema);
  run({ ...dynpart(['state', 'migrate'], folder), env: { DYNPART_STATE: url } });
  return { schema, url };
}

/**
 * @param {readonly string[]} args
 * @param {string} folder
 * @param {State} state
 * @returns {Command}
 */
function withState(args, folder, { url }) {
  return { ...dynpart(args, folder), env: { DYNPART_STATE: url } };
}

/**
 * @param {Server} server
 * @param {string} sql
 */
async function countOf({ client }, sql) {
  const { rows } = await client.query(sql);
  return Number(rows[0].n);
}

/**
 * One transaction: keys, run keys, runs, the cursor.
 * @param {Server} server
 * @param {number} count
 * @returns {Promise<Row>}
 */
async function bigTick(server, count) {
  const folder = folderWith('postgres-tick', { 'pipeline.ts': pipeline(TEN_THOUSAND) });
  /** @type {State[]} */
  const made = [];
  const fresh = () => {
    const state = freshState(server, folder);
    made.push(state);
    return state;
  };
  const row = against({
    id: 'postgres.tick',
    what: `a tick that adds ${words(TEN_THOUSAND)} keys and runs`,
    aim: 1.3,
    count,
    subject: () => withState(['sensor', 'tick', '--no-run'], folder, fresh()),
    baseline: () => raw(server, 'rows-and-jobs', fresh(), TEN_THOUSAND),
    baselineName: 'the same rows, and pg-boss’s insert',
    limit: () => raw(server, 'rows', fresh(), TEN_THOUSAND),
    limitName: 'the same rows',
  });
  for (const { schema } of made)
    demand(
      (await countOf(
        server,
        `select count(*) as n from ${schema}.run r join ${schema}.key k using (key)`,
      )) === TEN_THOUSAND,
      `${schema} has all keys and runs`,
    );
  await server.client.query('truncate pgboss.job');
  return row;
}

/**
 * @param {Server} server
 * @param {number} count
 * @returns {Promise<Row>}
 */
async function noOps(server, count) {
  const folder = folderWith('postgres-runs', { 'pipeline.ts': pipeline(TEN_THOUSAND) });
  /** @type {State[]} */
  const made = [];
  const row = against({
    id: 'postgres.runs',
    what: `${words(TEN_THOUSAND)} no-op runs, one worker, ${AT_ONCE} at once`,
    aim: 1.5,
    count,
    subject: () => {
      const state = freshState(server, folder);
      made.push(state);
      run(withState(['sensor', 'tick', '--no-run'], folder, state));
      return withState(['worker', '--once', '--summary', '--json'], folder, state);
    },
    baseline: () => {
      run(raw(server, 'queue', { schema: `round_${states}`, url: '' }, TEN_THOUSAND));
      return raw(server, 'work', undefined, TEN_THOUSAND);
    },
    baselineName: `raw pg-boss, batches of ${AT_ONCE}`,
  });
  for (const { schema } of made)
    demand(
      (await countOf(server, `select count(*) as n from ${schema}.history where status = 'SUCCESS'`)) ===
        TEN_THOUSAND,
      `${schema} has all ends on record`,
    );
  return row;
}

/**
 * One after the other.
 * @template T, R
 * @param {readonly T[]} list
 * @param {(one: T) => Promise<R>} measured
 */
async function each(list, measured) {
  const results = [];
  for (const one of list) results.push(await measured(one));
  return results;
}

/**
 * @param {Server} server
 * @param {number} count
 * @param {{ readonly runs: number, readonly ms: number }} computing
 * @returns {Promise<Row>}
 */
async function twoWorkers(server, count, { runs, ms }) {
  const turns = roundsFor(ms);
  const folder = folderWith(`postgres-workers-${ms}`, { 'pipeline.ts': pipeline(runs, turns) });
  /** @type {State[]} */
  const made = [];
  /**
   * @param {number} processes
   * @param {string} program
   * @param {readonly string[]} args
   */
  const together = (processes, program, args) =>
    node([path.join(here, 'postgres', 'together.mjs'), String(processes), program, ...args], folder);
  /** @param {number} workers */
  const workers = (workers) => () => {
    const state = freshState(server, folder);
    made.push(state);
    run(withState(['sensor', 'tick', '--no-run'], folder, state));
    // The tick's own runs are no-ops: what is measured computes.
    run(withState(['runs', 'cancel', '--status', 'QUEUED'], folder, state));
    run(withState(['materialize', 'computed', '--all', '--no-run'], folder, state));
    const { program, args } = dynpart(['worker', '--once', '--summary', '--concurrency', '8'], folder);
    return { ...together(workers, program, args), env: { DYNPART_STATE: state.url } };
  };
  // What the machine and the server have to give: jobs of pg-boss that compute alike, and processes that do nothing else.
  let jobs = 0;
  /** @param {number} workers */
  const jobsOfBoss = (workers) => () => {
    run(raw(server, 'queue', { schema: `jobs_${ms}_${++jobs}`, url: '' }, runs));
    const { program, args, env: where = {} } = raw(server, 'compute', undefined, runs);
    return { ...together(workers, program, [...args, String(turns)]), env: where };
  };
  /** @param {number} processes */
  const plain = (processes) => () => {
    const args = [path.join(here, 'postgres', 'compute.mjs'), String(runs / processes), String(turns)];
    return together(processes, process.execPath, args);
  };
  await server.client.query('truncate pgboss.job');
  const sides = [workers, jobsOfBoss, plain].flatMap((side) => [side(2), side(1)]);
  const [two = [], one = [], bossTwo = [], bossOne = [], plainTwo = [], plainOne = []] = rounds(sides, count);
  for (const { schema } of made)
    demand(
      (await countOf(server, `select count(*) as n from ${schema}.status where letter = 'm'`)) === runs,
      `${schema} has all of them`,
    );
  const done = await countOf(server, "select count(*) as n from pgboss.job where state = 'completed'");
  demand(done === jobs * runs, 'pg-boss has completed all jobs');
  const [boss, alone] = [ratiosOf(bossTwo, bossOne), ratiosOf(plainTwo, plainOne)].map((ratios) =>
    round(median(ratios)),
  );
  return {
    ...ratioRow({
      id: `postgres.two-workers${ms === 10 ? '' : `-${ms}-ms`}`,
      what: `${words(runs)} runs that compute for about ${ms} ms, two workers`,
      aim: round(1 / 1.8),
      ratios: ratiosOf(two, one),
    }),
    unit: 'ms',
    measured: round(median(two)),
    baseline: 'one worker',
    baselineMeasured: round(median(one)),
    note: `of one: two of pg-boss ${boss}, two that only compute ${alone}; dynpart of pg-boss: one ${round(median(ratiosOf(one, bossOne)))}, two ${round(median(ratiosOf(two, bossTwo)))}`,
  };
}

/**
 * @param {Server} server
 * @param {number} count
 * @returns {Promise<Row[]>}
 */
async function largeState(server, count) {
  const folder = folderWith('postgres-large', { 'pipeline.ts': pipeline(1) });
  const [small, large] = [await filled(server, folder, 1000), await filled(server, folder, MILLION)];
  const rows = [
    against({
      id: 'postgres.no-op-tick',
      what: `no-op tick, ${words(MILLION)} keys`,
      aim: 1.3,
      count,
      subject: () => withState(['sensor', 'tick'], folder, large),
      baseline: () => withState(['sensor', 'tick'], folder, small),
      baselineName: 'the same, 1,000 keys',
    }),
    against({
      id: 'postgres.one-key',
      what: `adding one key to ${words(MILLION)}`,
      aim: 1.3,
      count,
      subject: () => withState(['partitions', 'add', 'items', `another ${++states}`], folder, large),
      baseline: () => withState(['partitions', 'add', 'items', `another ${++states}`], folder, small),
      baselineName: 'the same, 1,000 keys',
    }),
  ];
  await server.client.query(`drop schema ${large.schema} cascade`);
  return rows;
}

/**
 * A state of so many keys, all of them made.
 * @param {Server} server
 * @param {string} folder
 * @param {number} keys
 */
async function filled(server, folder, keys) {
  const state = freshState(server, folder);
  const { schema } = state;
  run(withState(['sensor', 'tick'], folder, state));
  await server.client.query(
    `insert into ${schema}.key (set_id, key, pos, added_at)
       select id, 'filled-' || n, next_pos + n, now() from ${schema}.key_set, generate_series(1, ${keys}) n;
     insert into ${schema}.status (set_id, key, asset, letter)
       select set_id, key, 'record', 'm' from ${schema}.key on conflict do nothing;
     update ${schema}.key_set set size = size + ${keys}, next_pos = next_pos + ${keys} + 1;
     analyze ${schema}.key; analyze ${schema}.status`,
  );
  return state;
}

/**
 * From the call that something was queued, as a process hears it that only listens, to user code in a worker.
 * @param {Server} server
 * @param {number} count
 * @returns {Promise<Row>}
 */
async function calls(server, count) {
  const folder = folderWith('postgres-calls', { 'pipeline.ts': pipeline(count) });
  const state = freshState(server, folder);
  run(withState(['sensor', 'tick'], folder, state));
  const listener = new Client({ connectionString: addressOf(server.cluster) });
  await listener.connect();
  await listener.query(`listen "dynpart ${state.schema}"`);
  await listener.query('listen "round trip"');
  /** @type {(channel: string) => void} */
  let called = nothing;
  listener.on('notification', ({ channel }) => called(channel));
  /** @param {string} wanted @returns {Promise<number>} when it was called */
  const call = (wanted) =>
    new Promise((resolve) => {
      called = (channel) => channel === wanted && resolve(performance.timeOrigin + performance.now());
    });
  const worker = started(withState(['worker'], folder, state));
  const began = path.join(folder, 'began.txt');
  /** @type {number[]} */
  const trips = [];
  /** @type {number[]} */
  const delays = [];
  try {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (let at = 1; at <= count; at++) {
      const key = `key-${String(at).padStart(7, '0')}`;
      const heard = call('round trip');
      const asked = performance.timeOrigin + performance.now();
      await server.client.query('notify "round trip"');
      trips.push((await heard) - asked);
      const queued = call(`dynpart ${state.schema}`);
      const enqueuing = started(withState(['materialize', 'told', '--key', key, '--no-run'], folder, state));
      const at0 = await queued;
      await enqueuing.ended;
      const line = await seen(began, `${key} `);
      delays.push(Number(line.split(' ').at(-1)) - at0);
    }
  } finally {
    worker.process.kill('SIGTERM');
    await worker.ended;
    await listener.end();
  }
  return {
    ...figureRow({
      id: 'postgres.call',
      what: 'queued in one process → user code in another, p99',
      aim: 25,
      unit: 'ms',
      values: delays,
    }),
    measured: round(percentile(delays, 0.99)),
    baseline: 'a NOTIFY round trip, p99',
    baselineMeasured: round(percentile(trips, 0.99)),
    note: `above it; median ${round(median(delays))} ms`,
  };
}

/**
 * A worker on another machine, as far as anybody can see from here, is killed.
 * @param {Server} server
 * @param {number | null} lease in seconds; `null`: as it is by default
 * @param {number} aim
 * @returns {Promise<Row>}
 */
async function takenOver(server, lease, aim) {
  const id = `postgres.killed${lease === null ? '' : `-lease-${lease}`}`;
  const what = `runs of a killed worker at work again, lease ${lease ?? '45 (default)'}`;
  const folder = folderWith('postgres-killed', {
    'pipeline.ts': `
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline } from 'dynpart';
const long = asset({ name: 'long', materialize: async ({ signal }) => { appendFileSync('began.txt', 'began\\n'); await sleep(600_000, undefined, { signal }); } });
export default definePipeline({ assets: [long] });
`,
  });
  const state = freshState(server, folder);
  const address = { ...state, url: lease === null ? state.url : `${state.url}&lease=${lease}` };
  run(withState(['materialize', 'long', '--no-run'], folder, address));
  const worker = withState(['worker'], folder, address);
  const elsewhere = ['--pid', '--fork', '--mount-proc', '--kill-child', worker.program, ...worker.args];
  const first = started({ ...worker, program: 'unshare', args: elsewhere });
  const began = path.join(folder, 'began.txt');
  await Promise.race([seen(began, 'began'), first.ended]);
  if (first.process.exitCode !== null) return { id, what, skipped: 'no process namespaces here (unshare)' };
  const second = started(worker);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  first.process.kill('SIGKILL');
  const killed = performance.now();
  await seen(began, 'began\nbegan');
  const seconds = (performance.now() - killed) / 1000;
  second.process.kill('SIGKILL');
  await second.ended;
  return figureRow({ id, what, aim, unit: 's', values: [seconds] });
}

/** @param {Command} command */
function started({ program, args, cwd, env: more = {} }) {
  const child = spawn(program, args, {
    stdio: 'ignore',
    ...(cwd !== undefined && { cwd }),
    env: { ...env, ...more },
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return { process: child, ended };
}

/**
 * The line that holds a text, when it is there.
 * @param {string} file
 * @param {string} text
 */
async function seen(file, text) {
  for (let tries = 0; tries < 60_000; tries++) {
    const said = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    const at = said.indexOf(text);
    if (at !== -1 && said.indexOf('\n', at + text.length) !== -1)
      return said.slice(at, said.indexOf('\n', at + text.length));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`${text} was never seen in ${file}`);
}

/**
 * @param {readonly number[]} values
 * @param {number} share
 */
function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
