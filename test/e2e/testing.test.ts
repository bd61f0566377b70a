/** `dynpart/testing` as users have it: from the package, with node's own runner, in ES modules and in CommonJS. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { Project, root } from '../support/project.ts';
import { runHere } from '../support/in-process.ts';

const PIPELINE = `
const letters = dynamicPartitions('letters');
const upper = asset({
  name: 'upper',
  partitions: letters,
  retry: { maxRetries: 1, delayMs: 60_000 },
  async materialize({ partitionKey, run, exec }) {
    if (run.attempt === 1) throw new Error('once');
    const { stdout } = await exec(process.execPath, ['-p', JSON.stringify(partitionKey) + '.toUpperCase()']);
    return stdout;
  },
});
const found = sensor({
  name: 'found',
  assets: [upper],
  async evaluate({ partitions }) {
    const all = (await (await fetch('https://letters.example')).text()).split('');
    const fresh = await partitions(letters).missing(all);
    return {
      dynamicPartitionsRequests: [letters.buildAddRequest(fresh)],
      runRequests: fresh.map((partitionKey) => ({ partitionKey })),
    };
  },
});
`;

const TEST = `
test('a pipeline', async () => {
  const testing = testPipeline(pipeline, { now: '2026-03-01', fetch: () => new Response('ab') });
  const tick = await testing.tick('found');
  assert.deepEqual(tick.runs.map(({ status }) => status), ['SUCCESS', 'SUCCESS']);
  assert.equal(await testing.value('upper', 'b'), 'B');
  assert.equal(testing.now.toISOString(), '2026-03-01T00:01:00.000Z');
  await assert.rejects(testing.tick('fund'), { code: 'unknown-sensor' });
});
test('killed anywhere', async () => {
  const crashes = await testPipeline(pipeline, { fetch: () => new Response('a') }).crashEverywhere(
    (testing) => testing.tick(),
    async (testing) => assert.equal(await testing.status('upper', 'a'), 'materialized'),
  );
  assert.equal(crashes.length, 4);
});
`;

/** A kill while a run is at work. */
const SLOW = `
test('killed while runs are at work: no timer of theirs is left', async () => {
  const letters = '01';
  const slow = asset({
    name: 'slow',
    partitions: dynamicPartitions('slow'),
    materialize: ({ partitionKey }) => new Promise((resolve) => setTimeout(resolve, partitionKey === '0' ? 1 : 150)),
  });
  const all = sensor({
    name: 'all',
    assets: [slow],
    evaluate: () => ({
      dynamicPartitionsRequests: [slow.options.partitions.buildAddRequest([...letters])],
      runRequests: [...letters].map((partitionKey) => ({ partitionKey })),
    }),
  });
  const crashes = await testPipeline(definePipeline({ assets: [slow], sensors: [all] })).crashEverywhere(
    (testing) => testing.tick(),
    async (testing) => assert.equal(await testing.status('slow', '1'), 'materialized'),
  );
  assert.ok(crashes.length > 4);
});
`;

test("works with node's own runner, from ES modules and CommonJS, and leaves nothing behind", async () => {
  const esm = ["import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';", PIPELINE];
  const cjs = ["const { asset, definePipeline, dynamicPartitions, sensor } = require('dynpart');", PIPELINE];
  const project = new Project({
    'pipeline.mjs': [...esm, 'export default definePipeline({ assets: [upper], sensors: [found] });'].join(
      '',
    ),
    'pipeline.cjs': [...cjs, 'module.exports = definePipeline({ assets: [upper], sensors: [found] });'].join(
      '',
    ),
    'one.test.mjs': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart'; import assert from 'node:assert'; import test from 'node:test';
import { testPipeline } from 'dynpart/testing'; import pipeline from './pipeline.mjs';${TEST}${SLOW}`,
    'two.test.cjs': `const assert = require('node:assert'); const test = require('node:test');
const { testPipeline } = require('dynpart/testing'); const pipeline = require('./pipeline.cjs');${TEST}`,
  });
  onTestFinished(() => project[Symbol.asyncDispose]());
  fs.mkdirSync(project.path('node_modules'));
  fs.symlinkSync(root, project.path('node_modules/dynpart'));
  const before = fs.readdirSync(project.folder);
  const files = [project.path('one.test.mjs'), project.path('two.test.cjs')];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--test', '--test-reporter=tap', ...files],
    {
      cwd: project.folder,
      env: { PATH: process.env['PATH'] },
      // A timer that is left would keep node for days.
      timeout: 150_000,
    },
  );
  expect(stdout).toMatch(/^# pass 5$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(fs.readdirSync(project.folder)).toEqual(before);
});

test('a pipeline file may bring its tests along', async () => {
  const project = new Project({
    'pipeline.ts': `import { testPipeline } from 'dynpart/testing';
import { asset, definePipeline } from 'dynpart';
const pipeline = definePipeline({ assets: [asset({ name: 'one', materialize: () => 1 })] });
const test = testPipeline(pipeline);
if ((await test.materialize('one')).status !== 'SUCCESS') throw new Error('it does not');
export default pipeline;
`,
  });
  onTestFinished(() => project[Symbol.asyncDispose]());
  expect(await runHere(project, ['check'])).toMatchObject({ code: 0, stderr: '' });
});
