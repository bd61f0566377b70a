/**
 * One job for all: find so many keys, make each once, with two workers of which one is killed in the middle. On dynpart with a file,
 * dynpart with PostgreSQL, pg-boss by itself, and Dagster with PostgreSQL.
 *
 *     node bench/peers/worker-killed.mjs [--keys 1000] [--dagster-keys 16] [--only file,postgres,boss,dagster]
 *
 * Making takes 20 ms of waiting. What counts is what user code appended to a file: when it began with a key, and when it had made it.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PostgresCluster } from '../../test/support/postgres-cluster.mjs';
import { dynpart, env, folderWith, run } from '../harness.mjs';
import { BOSS, findBoss } from '../postgres/boss.mjs';

/**
 * @typedef {{ program: string, args: readonly string[], cwd?: string | undefined, env?: Record<string, string> | undefined }} Program
 * @typedef {{ what: string, keys: number, seconds: number, lost: number, twice: number, begunTwice: number }} Result
 */

const { values: flags } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000' },
    'dagster-keys': { type: 'string', default: '16' },
    only: { type: 'string', default: 'file,postgres,boss,dagster' },
  },
});
const KEYS = Number(flags.keys);
const DAGSTER = ['dagster==1.13.27', 'dagster-postgres==0.29.27'];
const here = import.meta.dirname;

const pipeline = `
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const note = (what, key) => appendFileSync(new URL('notes', import.meta.url), \`\${what} \${key} \${process.pid}\\n\`);
const record = asset({
  name: 'record', partitions: items,
  materialize: async ({ partitionKey }) => { note('begun', partitionKey); await sleep(20); note('made', partitionKey); },
});
const find = sensor({
  name: 'find', assets: [record],
  evaluate: ({ cursor }) => {
    if (cursor !== null) return { skipReason: 'nothing new' };
    const keys = Array.from({ length: ${KEYS} }, (_, at) => \`key-\${at + 1}\`);
    return {
      cursor: '1', dynamicPartitionsRequests: [items.buildAddRequest(keys)],
      runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ assets: [record], sensors: [find], concurrency: 8 });
`;

/** @param {Program} program */
function start({ program, args, cwd, env: more = {} }) {
  const child = spawn(program, args, { stdio: 'ignore', env: { ...env, ...more }, ...(cwd && { cwd }) });
  return { child, ended: new Promise((resolve) => child.on('exit', resolve)) };
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {string} notes @param {string} what @returns {string[]} keys, and who noted them */
function noted(notes, what) {
  const lines = fs.existsSync(notes) ? fs.readFileSync(notes, 'utf8').split('\n') : [];
  return lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));
}

/** @param {number} pid @returns {boolean} whether it was there to be killed */
function killed(pid) {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** @param {readonly string[]} keys */
const repeated = (keys) => keys.length - new Set(keys.map((key) => key.split(' ')[0])).size;

/**
 * @param {string} what
 * @param {string} notes
 * @param {number} keys
 * @param {number} began
 * @returns {Result}
 */
function result(what, notes, keys, began) {
  const made = noted(notes, 'made');
  const lost = keys - new Set(made.map((key) => key.split(' ')[0])).size;
  const seconds = (Date.now() - began) / 1000;
  return { what, keys, seconds, lost, twice: repeated(made), begunTwice: repeated(noted(notes, 'begun')) };
}

/**
 * Two workers, of which the one that made a key last is killed in the middle.
 * @param {string} what
 * @param {string} notes
 * @param {() => Promise<void> | void} find
 * @param {Program} worker
 */
async function withTwo(what, notes, find, worker) {
  const began = Date.now();
  await find();
  const workers = [start(worker), start(worker)];
  let hasKilled = false;
  for (let made = 0; made < KEYS; await sleep(5)) {
    const lines = noted(notes, 'made');
    made = new Set(lines.map((line) => line.split(' ')[0])).size;
    if (hasKilled || made < KEYS / 2) continue;
    process.kill(Number(lines.at(-1)?.split(' ')[1]), 'SIGKILL');
    hasKilled = true;
  }
  const found = result(what, notes, KEYS, began);
  for (const { child } of workers) child.kill('SIGTERM');
  await Promise.all(workers.map(({ ended }) => ended));
  return found;
}

/** @param {string} what @param {string | null} url */
async function onDynpart(what, url) {
  const folder = folderWith('killed', { 'pipeline.ts': pipeline });
  const more = url === null ? {} : { DYNPART_STATE: url };
  /** @param {string[]} args */
  const command = (...args) => ({ ...dynpart(args, folder), env: more });
  if (url !== null) run(command('state', 'migrate'));
  const find = () => void run(command('sensor', 'tick', '--no-run'));
  return withTwo(what, path.join(folder, 'notes'), find, command('worker'));
}

/** @param {PostgresCluster} cluster */
async function onBoss(cluster) {
  const found = findBoss();
  if (found.missing !== undefined) return null;
  const folder = folderWith('killed-boss', {});
  const notes = path.join(folder, 'notes');
  /** @param {string} role */
  const program = (role) => ({
    program: process.execPath,
    args: [path.join(here, 'boss-worker.mjs'), role, String(KEYS), notes],
    env: { DYNPART_BENCH_SERVER: cluster.url('x').replace(/\?.*/, ''), DYNPART_BENCH_BOSS: found.folder },
  });
  run(program('prepare'));
  const find = () => void run(program('queue'));
  return withTwo(`${BOSS.replace('@', ' ')}, heartbeat 10 s`, notes, find, program('work'));
}

/** Its runs are processes of their own: the one that made its part when half of all were made is killed. @param {PostgresCluster} cluster */
async function onDagster(cluster) {
  const keys = Number(flags['dagster-keys']);
  const cache = path.join(
    process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'),
    'dynpart-bench',
  );
  const venv = path.join(cache, 'dagster-postgres');
  const bin = path.join(venv, 'bin');
  if (!fs.existsSync(path.join(bin, 'dagster-daemon'))) {
    spawnSync('python3', ['-m', 'venv', venv]);
    const { status } = spawnSync(path.join(bin, 'pip'), ['install', '--quiet', ...DAGSTER], {
      stdio: 'inherit',
    });
    if (status !== 0) return null;
  }
  const url = cluster.url('x').replace(/\?.*/, '').replace('postgres://', 'postgresql+psycopg2://');
  const home = folderWith('killed-dagster', {
    'dagster.yaml': [
      'telemetry: { enabled: false }',
      `storage: { postgres: { postgres_url: "${url}" } }`,
      'run_coordinator: { module: dagster.core.run_coordinator, class: QueuedRunCoordinator, config: { max_concurrent_runs: 4, dequeue_interval_seconds: 1 } }',
      'run_monitoring: { enabled: true, poll_interval_seconds: 5 }',
      'run_retries: { enabled: true, max_retries: 2 }',
    ].join('\n'),
  });
  const notes = path.join(home, 'notes');
  const more = { DAGSTER_HOME: home, BENCH_KEYS: String(keys), BENCH_NOTES: notes };
  const began = Date.now();
  const args = ['run', '-f', path.join(here, 'dagster_noted.py')];
  const daemon = start({ program: path.join(bin, 'dagster-daemon'), args, cwd: home, env: more });
  let hasKilled = false;
  while (Date.now() - began < 900_000) {
    const made = new Set(noted(notes, 'made').map((line) => line.split(' ')[0]));
    if (made.size >= keys) break;
    const last = noted(notes, 'begun').at(-1);
    if (!hasKilled && made.size >= keys / 2 && last !== undefined)
      hasKilled = killed(Number(last.split(' ')[1]));
    await sleep(5);
  }
  const found = result(
    `${DAGSTER.join(', ').replaceAll('==', ' ')}${hasKilled ? '' : ' (nobody was killed)'}`,
    notes,
    keys,
    began,
  );
  daemon.child.kill('SIGTERM');
  await daemon.ended;
  return found;
}

const only = flags.only.split(',');
const cluster = await PostgresCluster.start({ syncs: true });
/** @type {(Result | null)[]} */
const results = [];
try {
  if (only.includes('file')) results.push(await onDynpart('dynpart, a file', null));
  if (only.includes('postgres')) results.push(await onDynpart('dynpart, PostgreSQL', cluster.url('killed')));
  if (only.includes('boss')) results.push(await onBoss(cluster));
  if (only.includes('dagster')) results.push(await onDagster(cluster));
} finally {
  cluster[Symbol.dispose]();
}
console.log(
  '| on | keys | time | a key | lost | made twice | begun again |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
);
for (const found of results) {
  if (found === null) continue;
  const { what, keys, seconds, lost, twice, begunTwice } = found;
  const each = ((seconds * 1000) / keys).toFixed(seconds / keys < 0.1 ? 1 : 0);
  console.log(
    `| ${what} | ${keys} | ${seconds.toFixed(1)} s | ${each} ms | ${lost} | ${twice} | ${begunTwice} |`,
  );
}
