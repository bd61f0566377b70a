/** (e) Watching: what `sensor watch` costs while nothing happens, and whether ten thousand ticks leave anything behind. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  demand,
  dynpart,
  env,
  figureRow,
  folderWith,
  node,
  ratioRow,
  round,
  run,
  words,
} from './harness.mjs';

/**
 * @import { Command, Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 * @typedef {'heapUsed' | 'rss'} Field
 */

const here = path.dirname(fileURLToPath(import.meta.url));

const INTERVAL_S = 30;
const SENSORS = 10;

/** Ten sensors that ask for what is new and find nothing. */
const idle = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => partitionKey });
const known = Array.from({ length: 10 }, (_, at) => \`key-\${at}\`);
const sensors = Array.from({ length: ${SENSORS} }, (_, at) =>
  sensor({
    name: \`find_\${at}\`,
    assets: [record],
    minimumIntervalSeconds: ${INTERVAL_S},
    evaluate: async ({ partitions }) => {
      const keys = await partitions(items).missing(known);
      return keys.length === 0
        ? { skipReason: 'nothing new' }
        : { dynamicPartitionsRequests: [items.buildAddRequest(keys)] };
    },
  }),
);
export default definePipeline({ partitions: [items], assets: [record], sensors });
`;

/**
 * As many ticks as it can; each tenth moves the cursor, so that commits are among them.
 * @param {{ early: number, late: number, file: string }} options
 */
const busy = ({ early, late, file }) => `
import { appendFileSync } from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => partitionKey });
let ticks = 0;
const find = sensor({
  name: 'find',
  assets: [record],
  minimumIntervalSeconds: 0.001,
  evaluate: () => {
    ticks += 1;
    if (ticks === ${early} || ticks === ${late}) {
      (globalThis as unknown as { gc(): void }).gc();
      const { heapUsed, rss } = process.memoryUsage();
      appendFileSync(${JSON.stringify(file)}, \`\${JSON.stringify({ thread: 'sensor', heapUsed, rss })}\\n\`);
      process.kill(process.pid, 'SIGUSR2');
    }
    return ticks % 10 === 0 ? { cursor: String(ticks) } : { skipReason: 'nothing new' };
  },
});
export default definePipeline({ partitions: [items], assets: [record], sensors: [find] });
`;

export const name = 'watching';
export const title = 'sensor watch: idle, and after very many ticks';

/** @param {Options} options */
export async function measure({ quick, full }) {
  return [
    process.platform === 'linux'
      ? await idleShare({ windows: full ? 10 : quick ? 1 : 2 })
      : { id: 'watching.idle', what: 'idle', skipped: 'there is no /proc here' },
    ...(await afterTicks({ early: 1000, late: 10_000 })),
    // What is compiled and optimized on the way is over by the first of them.
    await afterReloads({ early: quick ? 10 : 50, late: quick ? 30 : 150 }),
    ...(await takenAfter({ count: quick ? 30 : 300 })),
  ];
}

/**
 * The share of one core over windows of one interval each, so that every sensor has its tick in each of them.
 * @param {{ windows: number }} options
 */
async function idleShare({ windows }) {
  const folder = folderWith('idle', { 'pipeline.ts': idle });
  const watching = started(dynpart(['sensor', 'watch'], folder));
  // It wakes as often as a watch looks for queued runs, and does nothing.
  const waking = started(node(['-e', 'setInterval(() => {}, 1000)']));
  try {
    await until(() => ticksOf(folder).length >= SENSORS, 60);
    // Start-up is over with the second tick of each: the first ones load and compile what all others find there.
    await seconds(INTERVAL_S + 3);
    const before = ticksOf(folder).length;
    const shares = { watching: /** @type {number[]} */ ([]), waking: /** @type {number[]} */ ([]) };
    for (let i = 0; i < windows; i++) {
      const began = performance.now();
      const at = { watching: cpuSeconds(watching.pid), waking: cpuSeconds(waking.pid) };
      await seconds(INTERVAL_S);
      const took = (performance.now() - began) / 1000;
      shares.watching.push(((cpuSeconds(watching.pid) - at.watching) / took) * 100);
      shares.waking.push(((cpuSeconds(waking.pid) - at.waking) / took) * 100);
    }
    const ticks = ticksOf(folder).length - before;
    // One more or less of each may fall on the edges.
    demand(ticks >= SENSORS * (windows - 1), `the watch ticked on: ${ticks} ticks`);
    return {
      ...figureRow({
        id: 'watching.idle',
        what: `idle, ${SENSORS} sensors every ${INTERVAL_S} s`,
        unit: '%',
        aim: 0.2,
        values: shares.watching,
      }),
      // Of the whole time: a median of windows would leave out what only happens in some of them.
      measured: round(mean(shares.watching)),
      baseline: 'a node that wakes each second',
      baselineMeasured: round(mean(shares.waking)),
      note: `of one core, ${windows} × ${INTERVAL_S} s, ${ticks} ticks`,
    };
  } finally {
    await watching.stop();
    await waking.stop();
  }
}

/**
 * What is in use after a collection, early and late, in the main thread and in that of the sensor.
 * @param {{ early: number, late: number }} options
 */
async function afterTicks({ early, late }) {
  const file = path.join(env.HOME, 'heap.jsonl');
  fs.rmSync(file, { force: true });
  const folder = folderWith('busy', { 'pipeline.ts': busy({ early, late, file }) });
  const watch = dynpart(['sensor', 'watch'], folder);
  const began = performance.now();
  const watching = started({
    ...watch,
    args: ['--expose-gc', '--require', path.join(here, 'watch-heap.cjs'), ...watch.args],
  });
  /** @returns {({ thread: string } & Record<Field, number>)[]} */
  const noted = () =>
    fs.existsSync(file)
      ? fs
          .readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
  try {
    await until(() => watching.ended() || noted().length === 4, 600);
    demand(noted().length === 4, `the watch made ${words(late)} ticks`);
  } finally {
    await watching.stop();
  }
  demand(watching.code() === 0, `the watch ended well, not with ${watching.code()}`);
  const took = Math.round((performance.now() - began) / 1000);
  /**
   * @param {string} id
   * @param {string} what
   * @param {{ thread: string, field: Field, aim?: number }} options
   * @returns {Row}
   */
  const row = (id, what, { thread, field, aim }) => {
    const [before = NaN, after = NaN] = noted()
      .filter((one) => one.thread === thread)
      .map((one) => one[field] / 1e6);
    return {
      ...ratioRow({ id: `watching.${id}`, what, aim, ratios: [after / before] }),
      unit: 'MB',
      measured: round(after),
      baseline: `at tick ${words(early)}`,
      baselineMeasured: round(before),
    };
  };
  // One record kept of each tick makes 1.17 of the main heap. The thread's is a third of that, and chance alone moves it
  // by a twentieth.
  return [
    {
      ...row('heap', `heap after ${words(late)} ticks`, { thread: 'main', field: 'heapUsed', aim: 1.05 }),
      note: `${took} s in all`,
    },
    row('sensor-heap', 'heap of the thread of the sensor', {
      thread: 'sensor',
      field: 'heapUsed',
      aim: 1.1,
    }),
    row('rss', 'resident memory of the process', { thread: 'main', field: 'rss' }),
  ];
}

/** Imports a module that is edited. */
const edited = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { word } from './word.ts';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: () => word });
const find = sensor({ name: 'find', assets: [record], minimumIntervalSeconds: 0.2, evaluate: () => ({ skipReason: word }) });
export default definePipeline({ partitions: [items], assets: [record], sensors: [find] });
`;

/**
 * What the main thread has in use after a collection, after a few edits and after many.
 * @param {{ early: number, late: number }} options
 */
export async function afterReloads({ early, late }) {
  const file = path.join(env.HOME, 'heap.jsonl');
  fs.rmSync(file, { force: true });
  const folder = folderWith('edited', { 'pipeline.ts': edited, 'word.ts': "export const word = '0';\n" });
  const watch = dynpart(['sensor', 'watch'], folder);
  const watching = started({
    ...watch,
    args: ['--expose-gc', '--require', path.join(here, 'watch-heap.cjs'), ...watch.args],
  });
  const noted = () =>
    fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').filter(Boolean) : [];
  try {
    await until(() => ticksFor(folder, 'find') > 0, 60);
    for (let edits = 1; edits <= late; edits++) {
      fs.writeFileSync(path.join(folder, 'word.ts'), `export const word = '${edits}';\n`);
      // Asked for: else the files are looked at once a second.
      watching.kill('SIGHUP');
      await until(() => watching.said().split('loaded anew').length > edits || watching.ended(), 60, 0.02);
      if (edits !== early && edits !== late) continue;
      watching.kill('SIGUSR2');
      await until(() => noted().length === (edits === early ? 1 : 2), 60, 0.02);
    }
  } finally {
    await watching.stop();
  }
  const [before = NaN, after = NaN] = noted().map((line) => JSON.parse(line).heapUsed / 1e6);
  return {
    ...ratioRow({
      id: 'watching.reloads',
      what: `heap after ${words(late - early)} more edits`,
      aim: 1.1,
      ratios: [after / before],
    }),
    unit: 'MB',
    measured: round(after),
    baseline: `after ${words(early)} edits`,
    baselineMeasured: round(before),
  };
}

/** So long it may take from the plan of another process to the user's code. */
const AIM_MS = 25;

/** Its value is when its code began. */
const waiting = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: () => Date.now() });
const find = sensor({ name: 'find', assets: [record], minimumIntervalSeconds: 3600, evaluate: () => ({ skipReason: 'nothing new' }) });
export default definePipeline({ partitions: [items], assets: [record], sensors: [find] });
`;

/**
 * From the plan of another process, before it commits, to the user's code in a watch.
 * @param {{ count: number }} options
 */
export async function takenAfter({ count }) {
  const folder = folderWith('waiting', { 'pipeline.ts': waiting });
  const watching = started(notingFsyncs(dynpart(['sensor', 'watch'], folder)));
  /** @type {{ key: string, took: number, sinceCommit: number, createdAt: number, began: number }[]} */
  const taken = [];
  /** @type {Map<string, number | undefined>} the process that queued a key */
  const queuedBy = new Map();
  /** @type {Map<string, number>} when the commit of a key was seen */
  const seen = new Map();
  try {
    await until(() => ticksFor(folder, 'find') > 0, 60);
    // It is at work when it has taken one: before that it still starts, and the first ones would wait for that together.
    run(dynpart(['materialize', 'record', '--key', 'first', '--add', '--no-run'], folder));
    await until(() => fs.existsSync(path.join(folder, '.dynpart/values/record/first.json')), 60);
    for (let at = 0; at < count; at++) {
      const key = `k${at}`;
      const queueing = started(
        notingFsyncs(dynpart(['materialize', 'record', '--key', key, '--add', '--no-run'], folder)),
      );
      queuedBy.set(key, queueing.pid);
      const watcher = fs.watch(path.join(folder, '.dynpart'), (_, file) => {
        if (file === 'state.json' && !seen.has(key)) seen.set(key, Date.now());
      });
      await until(() => queueing.ended() && seen.has(key), 60, 0.05);
      watcher.close();
    }
    const value = (/** @type {string} */ key) => path.join(folder, '.dynpart/values/record', `${key}.json`);
    await until(() => fs.existsSync(value(`k${count - 1}`)), 60, 0.02);
    const { stdout } = run(dynpart(['runs', 'list', '--limit', String(count), '--json'], folder));
    for (const run of JSON.parse(stdout).runs) {
      const key = run.partitionKey;
      const [createdAt, began] = [Date.parse(run.createdAt), Number(fs.readFileSync(value(key), 'utf8'))];
      const sinceCommit = began - (seen.get(key) ?? NaN);
      taken.push({ key, took: began - createdAt, sinceCommit, createdAt, began });
    }
  } finally {
    await watching.stop();
  }
  demand(taken.length === count, `all ${count} runs were taken`);
  const fsyncs = fsyncsIn(folder);
  const times = taken.map(({ took }) => took);
  const waited = taken.map(({ key, took, createdAt, began }) => {
    // Of the process that queues it the first one: with the second one the commit is seen already.
    const [first] = fsyncs.filter(({ pid }) => pid === queuedBy.get(key));
    const waits = fsyncs.filter((one) => one === first || one.pid === watching.pid);
    const disk = waits.reduce(
      (sum, one) => sum + Math.max(0, Math.min(one.end, began) - Math.max(one.begin, createdAt)),
      0,
    );
    return { key, took, disk };
  });
  const slow = waited.filter(({ took }) => took > AIM_MS).sort((one, other) => other.took - one.took);
  for (const { key, took, disk } of slow.slice(0, 10))
    console.error(`${key}: ${took} ms, of which ${round(disk)} ms for the disk`);
  return [
    {
      ...figureRow({
        id: 'watching.taken',
        what: 'queued by another process until its code begins',
        unit: 'ms',
        values: times,
      }),
      baseline: 'graphile-worker, as published',
      baselineMeasured: 4.2,
      note: 'with the commit that queues it',
    },
    figureRow({
      id: 'watching.taken-since-commit',
      what: 'the same, from its commit on',
      unit: 'ms',
      values: taken.map(({ sinceCommit }) => sinceCommit),
    }),
    {
      ...figureRow({
        id: 'watching.taken-p99',
        what: `of ${count} of these, all but a hundredth take no longer`,
        unit: 'ms',
        aim: AIM_MS,
        values: [p99(times)],
      }),
      baseline: 'an fsync of the same time, all but a hundredth',
      baselineMeasured: round(p99(fsyncs.map(({ begin, end }) => end - begin))),
      note: 'three of these are in it',
    },
    figureRow({
      id: 'watching.taken-without-disk-p99',
      what: 'the same, without what waits for fsync',
      unit: 'ms',
      values: [p99(waited.map(({ took, disk }) => Math.max(0, took - disk)))],
    }),
  ];
}

/** @param {Command} command */
function notingFsyncs(command) {
  return { ...command, args: ['--require', path.join(here, 'fsyncs.cjs'), ...command.args] };
}

/** @param {string} folder */
function fsyncsIn(folder) {
  const lines = fs.readFileSync(path.join(folder, 'fsyncs.txt'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [pid, begin = NaN, end = NaN] = line.split(' ').map(Number);
    return { pid, begin, end };
  });
}

/** @param {readonly number[]} values */
function p99(values) {
  return values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.99) - 1] ?? NaN;
}

/**
 * A process that goes on until it is stopped.
 * @param {Command} command
 */
function started({ program, args, cwd }) {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (text) => (said = `${said}${text}`.slice(-20_000)));
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    pid: child.pid,
    ended: () => child.exitCode !== null,
    code: () => child.exitCode,
    said: () => said,
    kill: (/** @type {NodeJS.Signals} */ signal) => child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      if (child.exitCode !== 0 && child.signalCode !== 'SIGTERM')
        throw new Error(`the watch failed: ${said}`);
    },
  };
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * User and system time of all its threads so far, those that ended too. In units of 10 ms.
 * @param {number | undefined} pid
 */
function cpuSeconds(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may have blanks and brackets in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / clockTicks;
}

const clockTicks = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

/**
 * @param {string} folder
 * @returns {unknown[]}
 */
function ticksOf(folder) {
  return Array.from({ length: SENSORS }, (_, at) => ticksBy(folder, `find_${at}`)).flat();
}

/**
 * @param {string} folder
 * @param {string} sensor
 */
function ticksFor(folder, sensor) {
  return ticksBy(folder, sensor).length;
}

/**
 * @param {string} folder
 * @param {string} sensor
 * @returns {unknown[]}
 */
function ticksBy(folder, sensor) {
  try {
    const { stdout } = run(dynpart(['sensor', 'history', sensor, '--limit', '1000', '--json'], folder));
    return JSON.parse(stdout).ticks;
  } catch {
    // Not known yet.
    return [];
  }
}

/**
 * @param {() => boolean} holds
 * @param {number} limitSeconds
 */
async function until(holds, limitSeconds, everySeconds = 0.5) {
  const end = performance.now() + limitSeconds * 1000;
  while (!holds()) {
    demand(performance.now() < end, `it took longer than ${limitSeconds} s`);
    await seconds(everySeconds);
  }
}

/** @param {number} count */
function seconds(count) {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
