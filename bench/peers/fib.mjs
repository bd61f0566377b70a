/**
 * Work that computes, as Windmill's public benchmark has it: ten tasks of fib(33), and four hundred of fib(10), one after another. By node
 * alone, by dynpart in its own process and in processes of the assets' own (one at a time, and as many as there are cores), by Luigi, Dagster
 * and Prefect.
 *
 *     node bench/peers/fib.mjs [--rounds 3] [--only node,dynpart,processes,cores,luigi,dagster,prefect]
 *
 * Each figure is a whole command, its start included. Python takes some thirty times as long for fib(33) as node does: what the tool itself
 * adds is the difference to Python alone, which is measured, too.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { command, dynpart, folderWith, freshFolder, median, node, removeFolders, run } from '../harness.mjs';
import { pythonPeers } from './python.mjs';

/** @import { Command } from '../harness.mjs' */

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: 'node,dynpart,processes,cores,python,luigi,dagster,prefect' },
  },
});
const here = import.meta.dirname;
const WORK = [
  { count: 10, n: 33 },
  { count: 400, n: 10 },
];

const FIB = 'const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));';

/**
 * @param {{ count: number, n: number }} work
 * @param {string} isolation
 * @param {number} limit
 */
const pipeline = ({ count, n }, isolation, limit) => `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));
const tasks = dynamicPartitions('tasks');
const task = asset({ name: 'task', partitions: tasks, isolation: '${isolation}', materialize: () => fib(${n}) });
const find = sensor({
  name: 'find', assets: [task],
  evaluate: ({ cursor }) => {
    if (cursor !== null) return { skipReason: 'nothing new' };
    const keys = Array.from({ length: ${count} }, (_, at) => \`task-\${at + 1}\`);
    return { cursor: '1', dynamicPartitionsRequests: [tasks.buildAddRequest(keys)], runRequests: keys.map((key) => ({ partitionKey: key })) };
  },
});
export default definePipeline({ assets: [task], sensors: [find], concurrency: ${limit}, processes: { limit: ${limit} } });
`;

/** @typedef {{ name: string, of: (work: { count: number, n: number }) => () => Command, missing?: string | undefined }} Side */

/** @param {string} isolation @param {number} limit @returns {Side['of']} */
const dynpartSide = (isolation, limit) => (work) => {
  const folder = folderWith('fib', { 'pipeline.ts': pipeline(work, isolation, limit) });
  return () => {
    fs.rmSync(path.join(folder, '.dynpart'), { recursive: true, force: true });
    return dynpart(['sensor', 'tick'], folder);
  };
};

const only = flags.only.split(',');
const peers = pythonPeers(['luigi', 'dagster', 'prefect'].filter((name) => only.includes(name)));

/** @param {string} name @returns {Side} */
const pythonSide = (name) => {
  const { programs, missing, version } = peers[name] ?? {
    missing: 'requirements.txt does not name it',
    version: '',
  };
  return {
    name: `${name[0]?.toUpperCase()}${name.slice(1)} ${version}`,
    missing,
    of:
      ({ count, n }) =>
      () => {
        const home = freshFolder(name);
        return {
          ...command(
            path.join(programs ?? '', 'python'),
            [path.join(here, `fib_${name}.py`), String(count), String(n)],
            home,
          ),
          env: { DAGSTER_HOME: home, PREFECT_HOME: home, PYTHONDONTWRITEBYTECODE: '1', DO_NOT_TRACK: '1' },
        };
      },
  };
};

/** @type {Record<string, () => Side>} */
const SIDES = {
  node: () => ({
    name: 'node alone',
    of:
      ({ count, n }) =>
      () =>
        node(['-e', `${FIB} for (let at = 0; at < ${count}; at++) if (fib(${n}) < 0) throw new Error();`]),
  }),
  dynpart: () => ({ name: 'dynpart, in its own process', of: dynpartSide('none', 1) }),
  processes: () => ({ name: "dynpart, isolation: 'process', one at a time", of: dynpartSide('process', 1) }),
  cores: () => ({ name: "dynpart, isolation: 'process', two at a time", of: dynpartSide('process', 2) }),
  python: () => ({
    name: 'Python alone',
    of:
      ({ count, n }) =>
      () =>
        command('python3', [
          '-c',
          `import sys; sys.path.insert(0, ${JSON.stringify(here)}); from fib import fib\nfor _ in range(${count}): fib(${n})`,
        ]),
  }),
  luigi: () => pythonSide('luigi'),
  dagster: () => pythonSide('dagster'),
  prefect: () => pythonSide('prefect'),
};

try {
  for (const work of WORK) {
    console.log(
      `\n| ${work.count} × fib(${work.n}) | time | a task | in ratio to node alone |\n| --- | ---: | ---: | ---: |`,
    );
    const sides = only.map((name) => {
      const side = SIDES[name]?.();
      if (side === undefined) throw new Error(`nobody is called ${name}`);
      return { ...side, next: side.of(work), ms: /** @type {number[]} */ ([]) };
    });
    for (let round = 0; round < Number(flags.rounds); round++)
      for (const { next, ms, missing } of sides) if (missing === undefined) ms.push(run(next()).ms);
    const least = median(sides.find(({ name }) => name === 'node alone')?.ms ?? [NaN]);
    for (const { name, ms, missing } of sides)
      console.log(
        missing === undefined
          ? `| ${name} | ${(median(ms) / 1000).toFixed(2)} s | ${(median(ms) / work.count).toFixed(1)} ms | ${(median(ms) / least).toFixed(1)} |`
          : `| ${name} | skipped: ${missing} | | |`,
      );
  }
} finally {
  removeFolders();
}
