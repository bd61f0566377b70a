/** What every benchmark uses: whole processes in a clean environment, interleaved rounds, ratios with their spread. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, round, spread } from './statistics.mjs';

/**
 * @import { StateDocument } from '../src/state/document/state-document.ts'
 * @import { Row } from './table.mjs'
 */

/**
 * What was asked for on the command line of run.mjs, as far as a benchmark wants to know.
 * @typedef {object} Options
 * @property {boolean} quick
 * @property {boolean} full
 * @property {string} [node]
 * @property {string} [bin]
 */

/**
 * A program and its arguments, in a folder.
 * @typedef {object} Command
 * @property {string} program
 * @property {readonly string[]} args
 * @property {string} [cwd]
 * @property {Readonly<Record<string, string>>} [env]
 */

/** @typedef {() => Command} Prepared prepares, which is not timed, and answers with the command */

export { median, round, spread };

const here = path.dirname(fileURLToPath(import.meta.url));

/** The folder of everything that a run of the benchmarks makes. It goes at the end only: files that are made right
 * after thousands were deleted are several times slower to open. */
export const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-bench-'));

let folders = 0;

/** A fresh folder. */
export function freshFolder(name = 'work') {
  const folder = path.join(root, `${name}-${++folders}`);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

export function removeFolders() {
  fs.rmSync(root, { recursive: true, force: true });
}

let bin = path.join(here, '..', 'bin', 'dynpart.cjs');
let nodeFile = process.execPath;

/**
 * What is measured: `--bin` names another bin/dynpart.cjs, to compare two checkouts, `--node` another node.
 * @param {Pick<Options, 'bin' | 'node'>} options
 */
export function use(options) {
  if (options.bin !== undefined) bin = path.resolve(options.bin);
  if (options.node !== undefined) nodeFile = path.resolve(options.node);
}

// As cron has it, and nothing else: NODE_EXTRA_CA_CERTS alone triples the start of every node, and NODE_OPTIONS may do
// anything. HOME is a temporary folder, so that the caches in it are those that this run warmed.
const home = freshFolder('home');
export const env = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_CACHE_HOME: path.join(home, '.cache') };

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function command(program, args, cwd = root) {
  return { program, args, cwd };
}

/**
 * The node that is measured; baselines run with the same one.
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
export function node(args, cwd) {
  return command(nodeFile, args, cwd);
}

/** `node -e 0`: the least that a process of node costs. */
export const bareNode = () => node(['-e', '0']);

/**
 * The tool itself, in the folder of a pipeline.
 * @param {readonly string[]} args
 * @param {string} cwd
 */
export function dynpart(args, cwd) {
  return node([bin, ...args], cwd);
}

/**
 * Reading and parsing a file, as a whole process: what no command that reads the state can be below.
 * @param {string} file
 */
export function parsing(file) {
  return node([path.join(here, 'limit.cjs'), 'parse', file]);
}

/**
 * Parsing it, writing it anew, fsync and rename: what no command that changes the state can be below.
 * @param {string} file
 */
export function rewriting(file) {
  return node([path.join(here, 'limit.cjs'), 'rewrite', file]);
}

/**
 * So many small values written, synced in batches, renamed: what no command that keeps as many can be below.
 * @param {number} count
 * @param {string} folder
 */
export function keepingValues(count, folder) {
  return node([path.join(here, 'limit.cjs'), 'values', folder, String(count)]);
}

/**
 * Runs a command to its end. Throws when it fails: what did not do its work must not be measured.
 * @param {Command} command
 */
export function run({ program, args, cwd, env: more = {} }) {
  // Pipes, as under cron: /dev/null is a character device, and what looks for a terminal takes longer to refuse it.
  const began = performance.now();
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env: { ...env, ...more },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 30,
  });
  const ms = performance.now() - began;
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(
      `${path.basename(program)} ${args.join(' ')}: exit ${status ?? signal}\n${stderr}${stdout.slice(0, 2000)}`,
    );
  return { ms, stdout, stderr };
}

/**
 * Runs a command of node's once more and says how much memory it had at its peak, in MB (10^6 bytes).
 * @param {Prepared} of
 */
export function peakMemory(of) {
  const { program, args, cwd } = of();
  const file = path.join(home, 'peak-kb');
  fs.rmSync(file, { force: true });
  run({
    program,
    args: ['--require', path.join(here, 'peak-memory.cjs'), ...args],
    ...(cwd !== undefined && { cwd }),
  });
  return (Number(fs.readFileSync(file, 'utf8')) * 1024) / 1e6;
}

/**
 * Runs commands in turn, round by round. Who is first changes from round to round: what comes later may find the machine warmer.
 * @param {readonly Prepared[]} commands
 * @param {number} count
 * @param {(said: readonly string[]) => void} [check] gets what the commands of a round printed
 * @returns {number[][]} for each command its milliseconds
 */
export function rounds(commands, count, check = () => undefined) {
  const sides = commands.map((prepared) => ({ prepared, ms: /** @type {number[]} */ ([]), said: '' }));
  for (let i = 0; i < count; i++) {
    const turned = [...sides.slice(i % sides.length), ...sides.slice(0, i % sides.length)];
    for (const side of Math.floor(i / sides.length) % 2 === 0 ? turned : turned.reverse()) {
      const { ms, stdout } = run(side.prepared());
      side.ms.push(ms);
      side.said = stdout;
    }
    check(sides.map(({ said }) => said));
  }
  return sides.map(({ ms }) => ms);
}

/**
 * @typedef {object} Against
 * @property {string} id
 * @property {string} what
 * @property {Prepared} subject
 * @property {Prepared} baseline
 * @property {string} baselineName
 * @property {Prepared} [limit]
 * @property {string} [limitName]
 * @property {number | undefined} [aim]
 * @property {number} count of rounds
 * @property {number} [warm] rounds before these, which do not count
 * @property {(said: { readonly subject: string, readonly baseline: string }) => void} [check] what the two of a round printed
 */

/**
 * A row of the table: a subject against its baseline, and against the physical limit where that is something else.
 * @param {Against} options
 * @returns {Row}
 */
export function against({ id, what, count, warm = 1, check = () => undefined, ...sides }) {
  const { subject, baseline, limit, baselineName, limitName, aim } = sides;
  const commands = [subject, baseline, ...(limit === undefined ? [] : [limit])];
  for (let i = 0; i < warm; i++) for (const prepared of commands) run(prepared());
  const [own = [], theirs = [], least = []] = rounds(commands, count, ([ours = '', others = '']) =>
    check({ subject: ours, baseline: others }),
  );
  return {
    ...ratioRow({ id, what, aim, ratios: ratiosOf(own, theirs) }),
    unit: 'ms',
    measured: round(median(own)),
    baseline: baselineName,
    baselineMeasured: round(median(theirs)),
    ...(limitName !== undefined && {
      limit: limitName,
      limitMeasured: round(median(least)),
      overLimit: round(median(ratiosOf(own, least))),
    }),
  };
}

/**
 * Of what was measured round by round on both sides.
 * @param {readonly number[]} over
 * @param {readonly number[]} under
 */
export function ratiosOf(over, under) {
  return over.map((one, at) => one / (under[at] ?? NaN));
}

/**
 * A row whose aim is about a ratio.
 * @param {{ id: string, what: string, aim?: number | undefined, ratios: readonly number[] }} options
 * @returns {Row}
 */
export function ratioRow({ id, what, aim, ratios }) {
  const { median: ratio, q1, q3, count } = spread(ratios);
  return { id, what, of: 'ratio', ratio, q1, q3, count, ...(aim !== undefined && { aim }) };
}

/**
 * A row whose aim is about the figure itself: memory, a share of a core.
 * @param {{ id: string, what: string, aim?: number | undefined, unit: string, values: readonly number[] }} options
 * @returns {Row}
 */
export function figureRow({ id, what, aim, unit, values }) {
  const { median: measured, q1, q3, count } = spread(values);
  return { id, what, of: 'measured', unit, measured, q1, q3, count, ...(aim !== undefined && { aim }) };
}

/**
 * Fails when a benchmark's work was not done.
 * @param {boolean} holds
 * @param {string} what
 */
export function demand(holds, what) {
  if (!holds) throw new Error(`the benchmark did not do its work: ${what}`);
}

/**
 * The state in a file, which the tool wrote.
 * @param {string} file
 * @returns {StateDocument}
 */
export function readState(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/**
 * Writes files into a fresh folder.
 * @param {string} name
 * @param {Readonly<Record<string, string>>} files
 */
export function folderWith(name, files) {
  const folder = freshFolder(name);
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
  return folder;
}

/**
 * `key-0000001` …: as long as most ids are.
 * @param {number} count
 */
export function keysFrom1To(count) {
  return Array.from({ length: count }, (_, at) => `key-${String(at + 1).padStart(7, '0')}`);
}

/**
 * 100,000 rather than 100000.
 * @param {number} count
 */
export function words(count) {
  return count.toLocaleString('en');
}
