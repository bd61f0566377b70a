/** (c) Running: very many runs that each write one small value, in ratio to GNU make doing the same with -j2. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {
  command,
  demand,
  dynpart,
  folderWith,
  freshFolder,
  keysFrom1To,
  pairs,
  readJson,
  round,
  run,
} from './harness.mjs';

const pipeline = `
import { asset, definePipeline, dynamicPartitions } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => \`value of \${partitionKey}\` });
export default definePipeline({ partitions: [items], assets: [record] });
`;

export const name = 'running';
export const title =
  'Runs that each write one small value, in ratio to GNU make -s -j2 writing the same files';

export function measure({ quick, full }) {
  const withMake =
    spawnSync('make', ['--version'], { encoding: 'utf8' }).stdout?.startsWith('GNU Make') ?? false;
  const sizes = [
    { size: 1000, count: quick ? 3 : 9 },
    { size: 10_000, count: quick ? 3 : 7, aim: 1, later: 0.5 },
    ...(full ? [{ size: 100_000, count: 3 }] : []),
  ];
  const folder = folderWith('running', { 'pipeline.ts': pipeline });
  const rows = sizes.map((size) => against(folder, withMake, size));
  const [small] = rows;
  for (const one of rows.slice(1))
    one.note += `; ${round(one.usPerRun / small.usPerRun)} × the cost of one of 1,000`;
  return rows;
}

function against(folder, withMake, { size, count, aim, later }) {
  const keys = keysFrom1To(size);
  const list = path.join(freshFolder('keys'), 'keys.txt');
  fs.writeFileSync(list, `${keys.join('\n')}\n`);
  let state;
  let out;
  /** Every round has a state of its own, its keys added before the clock starts. */
  const prepared = (args) => {
    state = path.join(freshFolder('state'), 'state.json');
    run(dynpart(['partitions', 'add', 'items', '--from', list, '--state', state], folder));
    return dynpart([...args, '--json', '--summary', '--state', state], folder);
  };
  const subject = () => prepared(['materialize', '--all']);
  const making = () => {
    out = folderWith('make', { Makefile: makefile(keys) });
    fs.mkdirSync(path.join(out, 'values'));
    return command('make', ['-s', '-j2'], out);
  };
  // What a run costs beyond the command itself: the same command with one run is taken off.
  const one = () => prepared(['materialize', '--all', '--limit', '1']);
  const check = () => {
    const made = fs
      .readdirSync(path.join(path.dirname(state), 'values', 'record'))
      .filter((file) => file.endsWith('.json'));
    demand(made.length === size, `${size} values were written, not ${made.length}`);
    const { assets } = readJson(state);
    demand(assets.record.status === 'm'.repeat(size), 'all of them are materialized');
    if (withMake) demand(fs.readdirSync(path.join(out, 'values')).length === size, 'make wrote as many');
  };
  const single = pairs({ count: 3, subject: one, baseline: one }).ms;
  const measured = pairs({ count, warm: 1, subject, baseline: withMake ? making : one, check });
  const usPerRun = ((measured.ms - single) * 1000) / (size - 1);
  return {
    what: `materialize --all, ${size.toLocaleString('en')} runs`,
    baseline: withMake ? 'make -s -j2' : 'one run (make is not there)',
    ...measured,
    ...(withMake && { aim, later }),
    usPerRun: round(usPerRun),
    note: `${Math.round(usPerRun)} µs a run`,
  };
}

/** One process a target, which writes the same bytes as the tool does. */
function makefile(keys) {
  return `all: ${keys.map((key) => `values/${key}.json`).join(' ')}\nvalues/%.json:\n\tprintf '"value of %s"\\n' $* > $@\n`;
}
