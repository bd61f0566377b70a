/** `npm run bench`: measures whole processes against a baseline of the same run, and prints ratios; never a promise in milliseconds. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as discovery from './discovery.mjs';
import { removeFolders, useBin } from './harness.mjs';
import * as largeState from './large-state.mjs';
import * as running from './running.mjs';
import * as startUp from './start-up.mjs';
import { table } from './table.mjs';

const benchmarks = [startUp, discovery, running, largeState];

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    full: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    bin: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const usage = `npm run bench -- [--only NAME]… [--full] [--quick] [--json] [--bin FILE]

  --only NAME   ${benchmarks.map(({ name }) => name).join(', ')}
  --full        also a million keys and a hundred thousand runs: several minutes
  --quick       few pairs: a first look
  --json        one JSON document instead of tables
  --bin FILE    another bin/dynpart.cjs than this checkout's
`;

function main() {
  if (options.help) return process.stdout.write(usage);
  const unknown = options.only.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no benchmark is called ${unknown.join(', ')}\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
  if (options.bin !== undefined) useBin(options.bin);
  const chosen = benchmarks.filter(({ name, onlyFull }) =>
    options.only.length > 0 ? options.only.includes(name) : options.full || onlyFull !== true,
  );
  const result = { at: new Date().toISOString(), machine: machine(), benchmarks: [] };
  if (!options.json) process.stdout.write(`${wordsFor(result.machine)}\n`);
  for (const { name, title, measure } of chosen) {
    if (!options.json) process.stderr.write(`measuring ${name} …\n`);
    const rows = measure(options);
    result.benchmarks.push({ name, title, rows });
    if (!options.json) process.stdout.write(`\n${title}\n\n${table(rows)}\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'results');
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${result.at.replaceAll(':', '-')}.json`);
  fs.writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return undefined;
}

function machine() {
  const cpus = os.cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${os.release()} ${process.arch}`,
    cpus: `${cpus.length} × ${cpus[0]?.model ?? 'unknown'}`,
    // Others at work on the same cores widen every spread: then the figures are worth less.
    load: os.loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

function wordsFor({ node, platform, cpus, load }) {
  return `node ${node}, ${platform}, ${cpus}, load ${load.join(' ')}`;
}

try {
  main();
} finally {
  removeFolders();
}
