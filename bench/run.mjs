/** `npm run bench`: measures whole processes against a baseline of the same run, and prints ratios; never a promise in milliseconds. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compare, recordInto, verdictInWords } from './compare.mjs';
import { fileSystemOf } from './file-system.mjs';
import { intoPage, page } from './page.mjs';
import { table } from './table.mjs';

/**
 * @import { Recorded, Row as MeasuredRow } from './compare.mjs'
 * @import { Benchmark, Machine, Result } from './page.mjs'
 * @typedef {{ at: string, machine: Pick<Machine, 'node' | 'platform' | 'cpus'>, rows: Record<string, Recorded> }} RecordedRun
 */

const here = path.dirname(fileURLToPath(import.meta.url));
const recordFile = path.join(here, 'recorded.json');

// What starts quick processes comes first, before the machine is busy writing back what the others left.
/** @type {readonly { name: string, only?: 'full' | 'peers' }[]} */
const benchmarks = [
  { name: 'start-up' },
  { name: 'watching' },
  { name: 'discovery' },
  { name: 'running' },
  { name: 'isolation' },
  { name: 'automation' },
  { name: 'gathering' },
  { name: 'looking' },
  { name: 'postgres', only: 'full' },
  { name: 'large-state', only: 'full' },
  { name: 'peers', only: 'peers' },
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true, default: [] },
    full: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    node: { type: 'string' },
    bin: { type: 'string' },
    check: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    into: { type: 'string' },
    from: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
options.only.push(...positionals);

const usage = `npm run bench -- [flags] [NAME…]

What
  NAME          (or --only NAME) ${benchmarks.map(({ name }) => name).join(', ')}
  --full        also a state in PostgreSQL (on a server of its own; pg-boss is installed once into ~/.cache/dynpart-bench),
                a million keys, a hundred thousand runs, five minutes of an idle watch: a quarter of an hour
  --quick       few rounds: a first look
  --peers       also Dagster, Luigi and GNU make on the same work; what is not there is skipped by name.
                Dagster and Luigi are installed once, with pip, into ~/.cache/dynpart-bench
  --node PATH   this node runs the tool and the baselines
  --bin FILE    another bin/dynpart.cjs than this checkout's

Then
  --check       say what got slower than in bench/recorded.json by more than the noise of both; exit code 1 when something did
  --record      write what was measured into bench/recorded.json
  --json        one JSON document instead of tables
  --markdown    the tables for docs/performance.md
  --into FILE   put these tables into that page, in place of the ones for the same Node.js release line
  --from FILE   nothing is measured: take the results of an earlier run (they are kept in bench/results)
`;

function main() {
  if (options.help) return process.stdout.write(usage);
  const unknown = options.only.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no benchmark is called ${unknown.join(', ')}\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
  const talks = !options.json && !options.markdown;
  const result =
    options.from === undefined ? measured(talks) : JSON.parse(fs.readFileSync(options.from, 'utf8'));
  if (options.from !== undefined && talks) for (const text of tables(result)) process.stdout.write(text);
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (options.markdown) process.stdout.write(page(result));
  if (options.into !== undefined)
    fs.writeFileSync(options.into, intoPage(fs.readFileSync(options.into, 'utf8'), result));
  if (options.check) check(result);
  if (options.record) record(result);
  return undefined;
}

/**
 * @param {boolean} talks
 * @returns {Result}
 */
function measured(talks) {
  const chosen = benchmarks.filter(({ name, only }) =>
    options.only.length > 0 ? options.only.includes(name) : only === undefined || options[only],
  );
  const benchmarksMade = /** @type {Benchmark[]} */ ([]);
  const result = { at: new Date().toISOString(), machine: machine(), benchmarks: benchmarksMade };
  if (talks) process.stdout.write(wordsFor(result.machine));
  for (const { name } of chosen) {
    process.stderr.write(`measuring ${name} …\n`);
    const one = measureOne(name);
    if (one === null) {
      // What the others measured is worth keeping.
      say(`the benchmark ${name} failed`);
      process.exitCode = 1;
      continue;
    }
    result.benchmarks.push(one);
    if (talks) process.stdout.write(titled(one));
  }
  const folder = path.join(here, 'results');
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${result.at.replaceAll(':', '-')}.json`);
  fs.writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

/**
 * The rows of one benchmark; `null` when it failed, which it has then said itself.
 * @param {string} name
 * @returns {Benchmark | null}
 */
function measureOne(name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-bench-result-'));
  try {
    const file = path.join(folder, 'rows.json');
    const { status } = spawnSync(
      process.execPath,
      [path.join(here, 'measure.mjs'), name, JSON.stringify(options), file],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    return status === 0 ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * @param {Result} result
 * @returns {MeasuredRow[]}
 */
function rowsOf(result) {
  const rows = result.benchmarks.flatMap((benchmark) => benchmark.rows);
  return /** @type {MeasuredRow[]} */ (rows.filter(({ skipped }) => skipped === undefined));
}

/**
 * Ratios differ from one release line of Node.js to the next: each has its record.
 * @param {Result} result
 */
function lineOf(result) {
  return `node ${result.machine.node.slice(1).split('.')[0]}`;
}

/** @returns {Record<string, RecordedRun>} */
function recorded() {
  return fs.existsSync(recordFile) ? JSON.parse(fs.readFileSync(recordFile, 'utf8')) : {};
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}

/** @param {Result} result */
function check(result) {
  const before = recorded()[lineOf(result)];
  if (before === undefined) say(`nothing is recorded for ${lineOf(result)}: run once with --record`);
  else if (before.machine.cpus !== result.machine.cpus)
    say(
      `recorded on another machine (${before.machine.cpus}): ratios carry over, but not all of them, and not quite`,
    );
  // What this run was not asked to measure is not missing.
  const names = new Set(result.benchmarks.map(({ name }) => name));
  const rows = Object.fromEntries(
    Object.entries(before?.rows ?? {}).filter(([id]) => names.has(id.split('.')[0] ?? id)),
  );
  const { lines, failed } = verdictInWords(compare(rowsOf(result), rows));
  for (const line of lines) say(line);
  if (failed) process.exitCode = 1;
}

/** @param {Result} result */
function record(result) {
  const all = recorded();
  const line = lineOf(result);
  const { node, platform, cpus } = result.machine;
  all[line] = {
    at: result.at,
    machine: { node, platform, cpus },
    rows: recordInto(all[line]?.rows ?? {}, rowsOf(result)),
  };
  fs.writeFileSync(recordFile, `${JSON.stringify(all, null, 2)}\n`);
}

/** @returns {Machine} */
function machine() {
  const cpus = os.cpus();
  return {
    node: versionOf(options.node ?? process.execPath),
    platform: `${process.platform} ${os.release()} ${process.arch}`,
    cpus: `${cpus.length} × ${cpus[0]?.model ?? 'unknown'}`,
    memoryGb: Math.round(os.totalmem() / 1e9),
    folder: os.tmpdir(),
    // On tmpfs a sync costs nothing: figures from there say nothing about a disk.
    fileSystem: fileSystemOf(os.tmpdir()),
    // Others at work on the same cores widen every spread: then the figures are worth less.
    load: os.loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

/** @param {string} node */
function versionOf(node) {
  const { stdout, error } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout.trim();
}

/** @param {Machine} machine */
function wordsFor({ node, platform, cpus, memoryGb, folder, fileSystem, load }) {
  const warning =
    fileSystem === 'tmpfs'
      ? 'a sync costs nothing there, on either side: set TMPDIR to a folder on a disk\n'
      : '';
  return `node ${node}, ${platform}, ${cpus}, ${memoryGb} GB, ${folder} on ${fileSystem}, load ${load.join(' ')}\n${warning}`;
}

/** @param {Result} result */
function tables(result) {
  return [wordsFor(result.machine), ...result.benchmarks.map(titled)];
}

/** @param {Benchmark} benchmark */
function titled({ title, rows }) {
  return `\n${title}\n\n${table(rows)}\n`;
}

main();
