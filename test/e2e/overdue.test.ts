/** What is overdue, as `status` tells it of a real state: in a file, in PostgreSQL, and in tables that were brought forward. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../src/state/postgres/schema.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

const { Client } = createRequire(import.meta.url)('pg') as {
  Client: new (config: object) => {
    connect(): Promise<void>;
    query(sql: string): Promise<unknown>;
    end(): Promise<void>;
  };
};

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const raw = asset({ name: 'raw', partitions: keys, freshFor: { fail: '1ms' }, materialize: () => 1 });
const feed = sensor({ name: 'feed', assets: [raw], expectNewKeysEvery: '1ms', evaluate: ({ cursor }) => cursor === null
  ? { cursor: 'a', dynamicPartitionsRequests: [keys.buildAddRequest(['a'])], runRequests: [{ partitionKey: 'a' }] }
  : undefined });
const quiet = sensor({ name: 'quiet', expectNewKeysEvery: '1ms', evaluate: () => undefined });
const fine = sensor({ name: 'fine', expectNewKeysEvery: '1w', evaluate: () => undefined });
export default definePipeline({ assets: [raw], sensors: [feed, quiet, fine] });
`;

async function expectOverdue(project: Project, env: Record<string, string>): Promise<void> {
  expect((await project.dynpart(['sensor', 'tick'], { env })).code).toBe(0);
  const { code, document } = await project.json(['status', '--exit-code'], { env });
  const { runs } = (await project.json(['runs', 'list'], { env })).document as {
    runs: { finishedAt: string }[];
  };
  const { ticks } = (await project.json(['sensor', 'history', 'feed'], { env })).document as {
    ticks: { finishedAt: string }[];
  };
  expect(code).toBe(10);
  expect(document.assets).toMatchObject([
    { asset: 'raw', materialized: 1, freshness: 'fail', overdue: true, madeAt: runs[0]!.finishedAt },
  ]);
  const by = new Date(Date.parse(ticks[0]!.finishedAt) + 1).toISOString();
  expect(document.sensors).toMatchObject([
    { sensor: 'feed', overdue: true, newKeysBy: by },
    { sensor: 'quiet', overdue: true },
    { sensor: 'fine', overdue: false },
  ]);
}

it('of a state in a file', async () => {
  await using project = new Project({ 'pipeline.ts': PIPELINE });
  await expectOverdue(project, {});
});

it('of a state in PostgreSQL whose tables were of an older version', async () => {
  await using project = new Project({ 'pipeline.ts': PIPELINE });
  const env = { DYNPART_STATE: cluster.url('overdue') };
  await project.dynpart(['state', 'migrate'], { env });
  const client = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
  await client.connect();
  await client.query(
    'alter table overdue.sensor drop quiet_since; alter table overdue.asset drop made_at; alter table overdue.meta drop incidents; update overdue.meta set schema_version = 3',
  );
  await client.end();
  const refused = await project.dynpart(['sensor', 'tick'], { env });
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('dynpart state migrate')]);
  expect((await project.json(['state', 'migrate'], { env })).document).toEqual({
    from: 3,
    to: SCHEMA_VERSION,
  });
  await expectOverdue(project, env);
});
