/** `dynpart/sources` through the real binary: from a folder without `node_modules`, in a tick and in a watch. */
import fs from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { AnsweringServer } from '../support/answering-server.ts';
import { canMount, HangingMount } from '../support/hanging-mount.ts';
import { ProjectHere } from '../support/in-process.ts';
import { type Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { each, feed, type FeedItem } from 'dynpart/sources';
const episodes = dynamicPartitions<FeedItem>('episodes');
const record = asset({ name: 'record', partitions: episodes, materialize: ({ item }) => item.title });
const urls = process.env['FEEDS']!.split(' ');
const news = sensor({ name: 'news', minimumIntervalSeconds: 1, evaluate: each(urls, (url) => feed(episodes, url)) });
export default definePipeline({ assets: [record], sensors: [news] });
`;

const rss = (id: string, title: string): string =>
  `<rss><channel><item><guid>${id}</guid><title>${title}</title></item></channel></rss>`;

function projectWith(pipeline: string): Project {
  const project = new ProjectHere({ 'pipeline.ts': pipeline });
  onTestFinished(() => project[Symbol.asyncDispose]());
  return project;
}

test('a feed fills a set with items and versions; one of several that fails is named, exit code 3', async () => {
  const titles: Record<string, string> = { a: 'A', b: 'B' };
  const server = await AnsweringServer.answering((request, response) => {
    const id = request.url!.slice(1);
    if (titles[id] === undefined) response.writeHead(500).end();
    else response.end(rss(id, titles[id]));
  });
  const project = projectWith(PIPELINE);
  const env = { FEEDS: `${server.url}/a ${server.url}/b` };
  const first = await project.json(['sensor', 'tick'], { env });
  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(first.document.ticks[0]).toMatchObject({
    partitions: [{ added: ['a'] }, { added: ['b'] }],
    failures: [],
  });
  const shown = (await project.json(['partitions', 'list', 'episodes'])).document.keys[0];
  expect(shown).toMatchObject({
    key: 'a',
    version: expect.stringMatching(/^[\w-]{22}$/),
    item: { id: 'a', title: 'A' },
  });

  titles['a'] = 'A, edited';
  delete titles['b'];
  const dry = await project.dynpart(['sensor', 'tick', '--dry-run'], { env });
  expect([dry.code, dry.stdout.split('\n').filter((line) => line.includes('\tupdate\t'))]).toEqual([
    3,
    ['news\tupdate\tepisodes\ta'],
  ]);
  const second = await project.json(['sensor', 'tick'], { env });
  expect(second.code).toBe(3);
  const why = `cannot read the feed ${server.url}/b: the server answered 500 Internal Server Error`;
  expect(second.document.ticks[0]).toMatchObject({
    status: 'SUCCESS',
    partitions: [{ added: [], updated: ['a'] }],
    failures: [{ name: `${server.url}/b`, error: why }],
    error: null,
  });
  const third = await project.dynpart(['sensor', 'tick'], { env });
  expect(third).toMatchObject({ code: 3, stdout: '' });
  expect(third.stderr).toContain(`sensor 'news' could not look at ${server.url}/b: ${why}`);
  const { document } = await project.json(['sensor', 'history', 'news']);
  expect(document.ticks.map((tick: { failures: unknown[] }) => tick.failures.length)).toEqual([1, 1, 0]);
  const table = await project.dynpart(['sensor', 'history', 'news']);
  expect(table.stdout).toContain('1 part failed');

  // A plain mend of the source is all that it takes.
  titles['b'] = 'B';
  expect((await project.dynpart(['sensor', 'tick'], { env })).code).toBe(0);
});

test('a dry run names what fails, and a watch names it once', async () => {
  const server = await AnsweringServer.answering((_, response) => response.writeHead(500).end());
  const project = projectWith(PIPELINE);
  const env = { FEEDS: `${server.url}/a` };
  const dry = await project.dynpart(['sensor', 'tick', '--dry-run'], { env });
  expect([dry.code, dry.stderr]).toEqual([
    3,
    expect.stringContaining(`sensor 'news' could not look at ${server.url}/a: `),
  ]);
  // It commits nothing.
  expect(dry.stderr).not.toContain('committed');
  const watch = project.start(['sensor', 'watch'], { env });
  await watch.saw('could not look at');
  while (server.asked.length < 4) await new Promise((resolve) => setTimeout(resolve, 50));
  watch.process.kill('SIGTERM');
  const { stderr } = await watch.done;
  expect(stderr.match(/could not look at/g)).toHaveLength(1);
});

test('files are relative to the pipeline file, wherever the command is started', async () => {
  const project = projectWith(`import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { files, type FileItem } from 'dynpart/sources';
const uploads = dynamicPartitions<FileItem>('uploads');
const size = asset({ name: 'size', partitions: uploads, materialize: ({ item }) => item.bytes });
export default definePipeline({
  assets: [size],
  sensors: [sensor({ name: 'new-files', evaluate: files(uploads, 'inbox/*.csv', { settle: '0s' }) })],
});
`);
  project.write({ 'inbox/a.csv': 'one' });
  const { code, document } = await project.json(['-f', project.path('pipeline.ts'), 'sensor', 'tick'], {
    cwd: '/',
  });
  expect([code, document.ticks[0].partitions[0].added]).toEqual([0, ['inbox/a.csv']]);
  fs.rmSync(project.path('inbox'), { recursive: true });
  const gone = await project.dynpart(['sensor', 'tick']);
  expect([gone.code, gone.stderr]).toEqual([
    3,
    expect.stringContaining(
      `cannot look for files in ${project.path('inbox')}: there is no such file or folder (ENOENT)`,
    ),
  ]);
});

test.skipIf(!canMount).each([
  ['tick', 143],
  ['watch', 0],
] as const)('a folder that hangs keeps no %s from ending (FUSE, as root)', async (command, code) => {
  const project = projectWith(`import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { files, type FileItem } from 'dynpart/sources';
const uploads = dynamicPartitions<FileItem>('uploads');
const find = sensor({ name: 'find', evaluate: files(uploads, 'mount/*.csv') });
export default definePipeline({ partitions: [uploads], sensors: [find] });
`);
  await using mount = await HangingMount.on(project.path('mount'), 'getattr:');
  const looking = project.start(['sensor', command]);
  await mount.hangs();
  looking.process.kill('SIGTERM');
  // One that does not end is killed, and has no code.
  expect((await looking.done).code).toBe(code);
});

test('a wrong import is named, and what fails in a user’s own function is said with its line', async () => {
  const project = projectWith(`import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { http } from 'dynpart/sources';
const things = dynamicPartitions('things');
const find = sensor({
  name: 'find',
  evaluate: http(things, {
    url: process.env['API']!,
    items: (body: { rows: string[] }) => body.rows.map((row) => row),
    key: (row) => row,
  }),
});
export default definePipeline({ sensors: [find], partitions: [things] });
`);
  const server = await AnsweringServer.answering((_, response) => response.end('{}'));
  const { code, stderr } = await project.dynpart(['sensor', 'tick'], { env: { API: server.url } });
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /TypeError: Cannot read properties of undefined \(reading 'map'\)\n.*pipeline\.ts:8/s,
  );
  const why = "'dynpart/sources' has no export feeds; did you mean feed?";
  project.write({ 'pipeline.ts': "import { feeds } from 'dynpart/sources';\nexport default feeds;\n" });
  const wrong = await project.dynpart(['check']);
  expect(wrong.stderr + wrong.stdout).toContain(why);
  project.write({ 'a.cjs': "const { feeds } = require('dynpart/sources');\nmodule.exports = feeds;\n" });
  const required = await project.dynpart(['-f', 'a.cjs', 'check']);
  expect(required.stderr + required.stdout).toContain(why);
});
