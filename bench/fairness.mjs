/**
 * One tenant of many keys, queued first, beside 999 of one key: how long until those 999 are made, in ratio to when they are alone.
 *
 *     node bench/fairness.mjs [--keys 100000] [--tenants 999] [--on file,postgres]
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PostgresCluster } from '../test/support/postgres-cluster.mjs';
import { dynpart, env, folderWith, run } from './harness.mjs';

const { values: flags } = parseArgs({
  options: {
    keys: { type: 'string', default: '100000' },
    tenants: { type: 'string', default: '999' },
    on: { type: 'string', default: 'file,postgres' },
  },
});
const [KEYS, TENANTS] = [Number(flags.keys), Number(flags.tenants)];

/** Each tenant has a sensor, and asks for its runs by itself. @param {number} keys of the large one; 0: it is not there */
const pipeline = (keys) => `
import { appendFileSync } from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const record = asset({
  name: 'record', partitions: items,
  materialize: ({ partitionKey }) => appendFileSync(new URL('made', import.meta.url), \`\${Date.now()} \${partitionKey}\\n\`),
});
const tenant = (name, count) => sensor({
  name, assets: [record], minimumIntervalSeconds: 3600,
  evaluate: () => {
    const keys = Array.from({ length: count }, (_, at) => \`\${name}-\${at}\`);
    return { dynamicPartitionsRequests: [items.buildAddRequest(keys)], runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })) };
  },
});
const small = Array.from({ length: ${TENANTS} }, (_, at) => tenant(\`small\${at}\`, 1));
export default definePipeline({ assets: [record], sensors: [${keys > 0 ? `tenant('large', ${keys}),` : ''} ...small], concurrency: 8 });
`;

/**
 * @param {number} keys
 * @param {string | null} url
 * @returns {Promise<{ seconds: number, beside: number }>} until the last of the small ones was made, and how many of the large one were by then
 */
async function untilSmallAreMade(keys, url) {
  const folder = folderWith('fairness', { 'pipeline.ts': pipeline(keys) });
  const more = url === null ? {} : { DYNPART_STATE: url };
  /** @param {string[]} args */
  const command = (...args) => ({ ...dynpart(args, folder), env: more });
  if (url !== null) run(command('state', 'migrate'));
  run(command('sensor', 'tick', '--no-run', '--quiet'));
  const { program, args } = command('worker');
  const worker = spawn(program, args, { cwd: folder, stdio: 'ignore', env: { ...env, ...more } });
  const made = path.join(folder, 'made');
  let lines = [''];
  for (let small = 0; small < TENANTS;) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    lines = fs.existsSync(made) ? fs.readFileSync(made, 'utf8').trim().split('\n') : [];
    small = lines.filter((line) => line.includes(' small')).length;
  }
  worker.kill('SIGKILL');
  const last = lines.findLastIndex((line) => line.includes(' small'));
  const [begin, end] = [lines[0], lines[last]].map((line) => Number(line?.split(' ')[0]));
  return { seconds: ((end ?? 0) - (begin ?? 0)) / 1000, beside: last + 1 - TENANTS };
}

const cluster = flags.on.includes('postgres') ? await PostgresCluster.start({ syncs: true }) : null;
try {
  console.log(
    `| on | ${TENANTS} alone | beside one of ${KEYS} keys | ratio | made of that one by then |\n| --- | ---: | ---: | ---: | ---: |`,
  );
  for (const on of flags.on.split(',')) {
    const alone = await untilSmallAreMade(0, on === 'file' ? null : (cluster?.url('alone') ?? null));
    const beside = await untilSmallAreMade(KEYS, on === 'file' ? null : (cluster?.url('beside') ?? null));
    const ratio = (beside.seconds / alone.seconds).toFixed(2);
    console.log(
      `| ${on} | ${alone.seconds.toFixed(1)} s | ${beside.seconds.toFixed(1)} s | ${ratio} | ${beside.beside} |`,
    );
  }
} finally {
  cluster?.[Symbol.dispose]();
}
