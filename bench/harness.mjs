/** What every benchmark uses: whole processes in a clean environment, interleaved pairs, ratios with their spread. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

/** The folder of everything that a run of the benchmarks makes. It goes at the end only: files that are made right
 * after thousands were deleted are several times slower to open. */
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-bench-'));

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

/** The program that is measured; `--bin` names another one, to compare two checkouts. */
let bin = path.join(here, '..', 'bin', 'dynpart.cjs');

export function useBin(file) {
  bin = path.resolve(file);
}

// As cron has it, and nothing else: NODE_EXTRA_CA_CERTS alone triples the start of every node (research/speed.md).
// HOME is a temporary folder, so that the caches in it are those that this run warmed.
const home = freshFolder('home');
const env = { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: path.join(home, '.cache') };

/** A command: a program and its arguments, in a folder. */
export function command(program, args, cwd = root) {
  return { program, args, cwd };
}

export function node(args, cwd) {
  return command(process.execPath, args, cwd);
}

/** `node -e 0`: the least that a process of node costs. */
export const bareNode = node(['-e', '0']);

/** The tool itself, in the folder of a pipeline. */
export function dynpart(args, cwd) {
  return node([bin, ...args], cwd);
}

/** Reading and parsing a file, as a whole process: what no command that reads the state can be below. */
export function parsing(file) {
  return node([path.join(here, 'limit.cjs'), 'parse', file]);
}

/** Parsing it, writing it anew, fsync and rename: what no command that changes the state can be below. */
export function rewriting(file) {
  return node([path.join(here, 'limit.cjs'), 'rewrite', file]);
}

/** Runs a command to its end. Throws when it fails: what did not do its work must not be measured. */
export function run({ program, args, cwd }) {
  // Pipes, as under cron: /dev/null is a character device, and what looks for a terminal takes longer to refuse it.
  const began = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 30,
  });
  const ms = performance.now() - began;
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(
      `${path.basename(program)} ${args.join(' ')}: exit ${status}\n${stderr}${stdout.slice(0, 2000)}`,
    );
  return { ms, stdout };
}

/** Runs the tool once more and says how much memory it had at its peak, in MB. */
export function peakMemory(of) {
  const { program, args, cwd } = of();
  run({ program, args: ['--require', path.join(here, 'peak-memory.cjs'), ...args], cwd });
  const kb = Number(fs.readFileSync(path.join(home, 'peak-kb'), 'utf8'));
  return Math.round(kb / 1024);
}

/**
 * Runs a subject and its baseline in turn. Both are functions that prepare (not timed) and answer with the command.
 * Which one is first changes with every pair: the second of two may find the machine warmer.
 */
export function pairs({ count, warm = 1, subject, baseline, check = () => undefined }) {
  for (let i = 0; i < warm; i++) {
    run(baseline());
    run(subject());
  }
  const subjectMs = [];
  const baselineMs = [];
  for (let i = 0; i < count; i++) {
    const timed = (make, into) => into.push(run(make()).ms);
    const steps = [() => timed(baseline, baselineMs), () => timed(subject, subjectMs)];
    for (const step of i % 2 === 0 ? steps : steps.reverse()) step();
    check();
  }
  const ratios = subjectMs.map((ms, at) => ms / baselineMs[at]);
  return {
    pairs: count,
    ms: round(quantile(subjectMs, 0.5)),
    baselineMs: round(quantile(baselineMs, 0.5)),
    ratio: round(quantile(ratios, 0.5)),
    q1: round(quantile(ratios, 0.25)),
    q3: round(quantile(ratios, 0.75)),
  };
}

export function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

export function round(value) {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3));
}

/** Fails when a benchmark's work was not done. */
export function demand(holds, what) {
  if (!holds) throw new Error(`the benchmark did not do its work: ${what}`);
}

export function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/** Writes files into a fresh folder. */
export function folderWith(name, files) {
  const folder = freshFolder(name);
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
  return folder;
}

/** `key-0000001` …: as long as most ids are. */
export function keysFrom1To(count) {
  return Array.from({ length: count }, (_, at) => `key-${String(at + 1).padStart(7, '0')}`);
}
