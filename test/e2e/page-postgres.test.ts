/** The page of a state in PostgreSQL: the same as that of a file, and live. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageData, PageKeyDetails } from '../../src/report/page-data.ts';
import { LivePage } from '../support/live-page.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const fetched = asset({ name: 'fetched', partitions: items, materialize({ partitionKey, log, addMetadata }) {
  log.info('fetching https://a.example/?token=SECRET');
  addMetadata({ source: 'https://a.example/?token=SECRET' });
  if (partitionKey === 'bad') throw new Error('no luck');
  return 1;
} });
const once = asset({ name: 'once', materialize: () => 1 });
export default definePipeline({
  assets: [fetched, once],
  sensors: [sensor({ name: 'feed', evaluate: () => ({ skipReason: 'nothing new' }) })],
});
`;

const COMMANDS = [
  [
    'partitions',
    'add',
    'items',
    'good',
    '--version',
    'v1',
    '--item',
    '{"url":"https://a.example/?token=SECRET"}',
  ],
  ['partitions', 'add', 'items', 'bad', 'later'],
  ['materialize', 'fetched', '--key', 'good', '--key', 'bad', '--concurrency', '1'],
  ['materialize', 'fetched', '--key', 'later', '--no-run'],
  ['sensor', 'tick'],
] as const;

let cluster: PostgresCluster;
let schemas = 0;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

/** What differs from one run of the same commands to the next is taken out. */
function comparable(data: PageData): unknown {
  const ids = new Map(data.runs.map(({ id }, at) => [id, `run ${at}`]));
  const text = JSON.stringify({ ...data, at: '', place: '', serial: 0 })
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'then')
    .replace(/\/tmp\/dynpart-test-\w+/g, 'here');
  return JSON.parse([...ids].reduce((all, [id, name]) => all.replaceAll(id, name), text));
}

describe('the page of a state in PostgreSQL', () => {
  it('has what that of a file has', async () => {
    const pages: unknown[] = [];
    for (const url of [null, cluster.url(`page_${++schemas}`)]) {
      await using project = new Project({ 'pipeline.ts': PIPELINE });
      const env = url === null ? undefined : { DYNPART_STATE: url };
      if (env !== undefined) await project.dynpart(['state', 'migrate'], { env });
      for (const args of COMMANDS) await project.dynpart(args, { ...(env && { env }) });
      const { code } = await project.dynpart(['status', '--html', 'page.html'], { ...(env && { env }) });
      expect(code).toBe(0);
      const html = project.read('page.html');
      expect(html).not.toContain('SECRET');
      const data = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(html)![1]!) as PageData;
      expect(data.sets.map(({ set, states }) => [set, states])).toEqual([
        ['items', { fetched: 'mfp' }],
        [null, { once: '.' }],
      ]);
      pages.push(comparable(data));
    }
    expect(pages[1]).toEqual(pages[0]);
  });

  it('shows live what is committed, a tick that changed nothing, and all of one key', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const env = { DYNPART_STATE: cluster.url(`page_${++schemas}`) };
    await project.dynpart(['state', 'migrate'], { env });
    const live = await LivePage.start(project, [], { env });
    const events = live.events();
    await events.next();
    await project.dynpart(['partitions', 'add', 'items', 'bad', '--materialize'], { env });
    let data = await live.data();
    while (data.runs[0]?.status !== 'FAILURE') {
      await events.next();
      data = await live.data();
    }
    expect(data.sets[0]!.states).toEqual({ fetched: 'f' });
    expect(data.place).not.toContain('password');
    const asked = encodeURIComponent(JSON.stringify(['items', 'bad']));
    const { runs, logs } = JSON.parse((await live.get(`key.json?of=${asked}`)).text) as PageKeyDetails;
    expect(runs.map(({ status }) => status)).toEqual(['FAILURE']);
    expect(logs[runs[0]!.id]![0]!.text).toBe('fetching https://a.example/?…');
    await project.dynpart(['sensor', 'tick'], { env });
    while ((await live.data()).sensors[0]!.ticks[0]?.status !== 'SKIPPED') await events.next();
    await events.return(undefined);
    expect(await live.end()).toMatchObject({ code: 0 });
  });
});
