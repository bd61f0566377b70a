/** A writer that pauses right behind the link of its commit, while others go on. Many of them at random: `test/crash/hammer.mjs`. */
import fs from 'node:fs';
import { expect, it } from 'vitest';
import { Project, type RunResult } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const found = dynamicPartitions('found');
const copy = asset({
  name: 'copy',
  partitions: found,
  materialize: ({ partitionKey }) => partitionKey,
});
const feed = sensor({
  name: 'feed',
  assets: [copy],
  evaluate({ partitions, cursor }) {
    const lines = fs.readFileSync(new URL('feed.txt', import.meta.url), 'utf8').split('\\n').filter((line) => line !== '');
    const fresh = partitions(found).missing(lines);
    return {
      cursor: String(lines.length),
      dynamicPartitionsRequests: [found.buildAddRequest(fresh)],
      // All of them, each time: that each run key launches one run is not the sensor's to see to.
      runRequests: lines.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
    };
  },
});
export default definePipeline({ assets: [copy], sensors: [feed], partitions: [items] });
`;

/** The one document of a command that must not fail. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
function documentOf({ code, stdout, stderr }: RunResult, what: string): any {
  expect({ what, code, stderr }).toEqual({ what, code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Put into a process before dynpart: it is stopped for a while right behind the link that makes its commit a fact. */
const PAUSE = `const fs = require('node:fs');
const { linkSync } = fs;
let paused = false;
fs.linkSync = (from, to) => {
  linkSync(from, to);
  if (paused || !/\\.json\\.0*[0-9]+$/.test(String(to))) return;
  paused = true;
  fs.writeFileSync('linked', '');
  while (!fs.existsSync('go-on')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
};
`;

it('a writer that pauses right after it published, while others build on its commit, has committed once and knows it', async () => {
  await using project = new Project({ 'pipeline.ts': PIPELINE, 'feed.txt': 'f1\nf2\n', 'pause.cjs': PAUSE });
  await project.dynpart(['partitions', 'add', 'items', 'first']);
  const env = { NODE_OPTIONS: `--require ${project.path('pause.cjs')}` };
  const paused = async (args: readonly string[], other: string) => {
    for (const name of ['linked', 'go-on']) fs.rmSync(project.path(name), { force: true });
    const writer = project.start([...args, '--json'], { env });
    for (const until = Date.now() + 20_000; !project.exists('linked');) {
      if (Date.now() > until) throw new Error('it never published');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await project.dynpart(['partitions', 'add', 'items', other])).code).toBe(0);
    project.write({ 'go-on': '' });
    return documentOf(await writer.done, args.join(' '));
  };
  const added = await paused(['partitions', 'add', 'items', 'mine'], 'other 1');
  expect(added).toEqual({ set: 'items', added: ['mine'], skipped: [] });
  const { ticks } = await paused(['sensor', 'tick'], 'other 2');
  expect(ticks[0]).toMatchObject({
    status: 'SUCCESS',
    partitions: [{ set: 'found', added: ['f1', 'f2'] }],
    runs: [
      { partitionKey: 'f1', status: 'SUCCESS' },
      { partitionKey: 'f2', status: 'SUCCESS' },
    ],
  });
  expect((await project.dynpart(['partitions', 'list', 'items'])).stdout.split('\n').toSorted()).toEqual([
    '',
    'first',
    'mine',
    'other 1',
    'other 2',
  ]);
  expect((await project.json(['runs', 'list'])).document.runs).toHaveLength(2);
  expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
});
