/** (c) Running: very many runs that each write one small value, in ratio to GNU make doing the same with -j2. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {
  against,
  command,
  demand,
  dynpart,
  env,
  folderWith,
  freshFolder,
  keepingValues,
  keysFrom1To,
  median,
  ratioRow,
  ratiosOf,
  readState,
  round,
  run,
  words,
} from './harness.mjs';

/**
 * @import { Options } from './harness.mjs'
 * @import { Row } from './table.mjs'
 * @typedef {{ keys: number, runs: number }} Work so many runs in a set of so many keys
 */

const pipeline = `
import { asset, definePipeline, dynamicPartitions } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => \`value of \${partitionKey}\` });
export default definePipeline({ partitions: [items], assets: [record] });
`;

export const name = 'running';
export const title =
  'Runs that each write one small value, in ratio to GNU make -s -j2 writing the same files';

/** @param {Options} options */
export function measure({ quick, full }) {
  const folder = runningFolder();
  const withMake = hasMake();
  return [
    backfill(folder, { size: 1000, count: quick ? 3 : 9, withMake }),
    backfill(folder, { size: 10_000, count: quick ? 3 : 7, aim: 0.5, withMake }),
    costOfARun(folder, {
      id: 'running.cost-in-a-large-set',
      what: 'a run of 1,000, in a set of 100,000 keys',
      large: { keys: 100_000, runs: 1000 },
      count: quick ? 3 : 7,
    }),
    ...(full
      ? [
          costOfARun(folder, {
            id: 'running.cost-of-100000',
            what: 'a run of 100,000, in a set of 100,000 keys',
            large: { keys: 100_000, runs: 100_000 },
            count: 3,
          }),
        ]
      : []),
  ];
}

export function hasMake() {
  return spawnSync('make', ['--version'], { env, encoding: 'utf8' }).stdout?.startsWith('GNU Make') ?? false;
}

/**
 * @param {string} folder
 * @param {{ size: number, count: number, aim?: number, withMake: boolean }} options
 */
export function backfill(folder, { size, count, aim, withMake }) {
  const keys = keysFrom1To(size);
  const what = `materialize --all, ${words(size)} runs`;
  let [state, out, kept] = ['', '', ''];
  const subject = () => {
    state = stateWith(folder, size);
    return materialize(folder, state, ['--all']);
  };
  const make = () => {
    out = folderWith('make', { Makefile: makefile(keys) });
    fs.mkdirSync(path.join(out, 'values'));
    return command('make', ['-s', '-j2'], out);
  };
  const limit = () => {
    kept = freshFolder('values');
    return keepingValues(size, kept);
  };
  return against({
    id: `running.${size}`,
    what,
    ...(withMake && { aim }),
    count,
    subject,
    baseline: withMake ? make : limit,
    baselineName: withMake ? 'make -s -j2' : 'files kept by node (make is not there)',
    limit,
    limitName: 'files kept by node',
    check: () => {
      demandRun(state, size);
      demand(fs.readdirSync(kept).length === size, `the limit kept as many: ${what}`);
      if (withMake)
        demand(fs.readdirSync(path.join(out, 'values')).length === size, `make did, too: ${what}`);
    },
  });
}

/**
 * What a run costs among very many, in ratio to one of 1,000 in a set of 1,000. The same command with one run is taken
 * off on both sides: it is what starting, reading the state and committing once cost.
 * @param {string} folder
 * @param {{ id: string, what: string, large: Work, count: number }} options
 * @returns {Row}
 */
function costOfARun(folder, { id, what, large, count }) {
  const small = { keys: 1000, runs: 1000 };
  const costs = { large: /** @type {number[]} */ ([]), small: /** @type {number[]} */ ([]) };
  for (let i = 0; i < count; i++) {
    const steps = [
      () => costs.large.push(costOf(folder, large)),
      // Short ones vary more: a few of them beside each long one.
      () => costs.small.push(median([0, 1, 2].map(() => costOf(folder, small)))),
    ];
    for (const step of i % 2 === 0 ? steps : steps.reverse()) step();
  }
  return {
    ...ratioRow({ id, what, aim: 1.3, ratios: ratiosOf(costs.large, costs.small) }),
    unit: 'µs',
    measured: round(median(costs.large)),
    baseline: 'a run of 1,000, in a set of 1,000',
    baselineMeasured: round(median(costs.small)),
  };
}

/**
 * Microseconds for each run beyond the command itself.
 * @param {string} folder
 * @param {Work} work
 */
export function costOf(folder, { keys, runs }) {
  /** @param {number} many */
  const timed = (many) => {
    const state = stateWith(folder, keys);
    const { ms } = run(materialize(folder, state, ['--all', '--limit', String(many)]));
    demandRun(state, many);
    return ms;
  };
  const one = median([timed(1), timed(1), timed(1)]);
  return ((timed(runs) - one) * 1000) / (runs - 1);
}

/**
 * A state of its own, its keys added before any clock starts.
 * @param {string} folder
 * @param {number} keys
 */
export function stateWith(folder, keys) {
  const home = freshFolder('state');
  const list = path.join(home, 'keys.txt');
  fs.writeFileSync(list, `${keysFrom1To(keys).join('\n')}\n`);
  const state = path.join(home, 'state.json');
  run(dynpart(['partitions', 'add', 'items', '--from', list, '--state', state], folder));
  return state;
}

export function runningFolder() {
  return folderWith('running', { 'pipeline.ts': pipeline });
}

/**
 * @param {string} folder
 * @param {string} state
 * @param {readonly string[]} args
 */
export function materialize(folder, state, args) {
  return dynpart(['materialize', ...args, '--json', '--summary', '--state', state], folder);
}

/**
 * @param {string} state
 * @param {number} many
 */
export function demandRun(state, many) {
  const values = fs
    .readdirSync(path.join(path.dirname(state), 'values', 'record'))
    .filter((file) => file.endsWith('.json'));
  demand(values.length === many, `${many} values were written, not ${values.length}`);
  const { status = '' } = readState(state).assets['record'] ?? {};
  demand(
    status.startsWith('m'.repeat(many)) && status.at(many) !== 'm',
    `${many} are on record as materialized`,
  );
}

/**
 * One process a target, which writes the same bytes as the tool does.
 * @param {readonly string[]} keys
 */
export function makefile(keys) {
  return `all: ${keys.map((key) => `values/${key}.json`).join(' ')}\nvalues/%.json:\n\tprintf '"value of %s"\\n' $* > $@\n`;
}
