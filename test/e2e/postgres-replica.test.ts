/** What docs/postgresql.md says of a server that fails over to a replica that was behind. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

/** Finds a key for each file of a folder, and notes what it makes. `slow` goes on until somebody says that it may end. */
const PIPELINE = `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const at = (name) => new URL(name, import.meta.url);
const keys = dynamicPartitions('keys');
const made = asset({ name: 'made', partitions: keys, materialize: async ({ partitionKey }) => {
  fs.appendFileSync(at('notes'), partitionKey + '\\n');
  while (partitionKey === 'slow' && !fs.existsSync(at('go'))) await new Promise((resolve) => setTimeout(resolve, 20));
  return partitionKey.toUpperCase();
} });
const found = sensor({ name: 'found', assets: [made], evaluate: ({ cursor }) => {
  const fresh = fs.readdirSync(at('in')).toSorted().filter((name) => name > (cursor ?? ''));
  if (fresh.length === 0) return { skipReason: 'nothing new' };
  return { cursor: fresh.at(-1), dynamicPartitionsRequests: [keys.buildAddRequest(fresh)],
    runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })) };
} });
export default definePipeline({ assets: [made], sensors: [found], concurrency: 4 });
`;

interface Client {
  connect(): Promise<void>;
  query(sql: string): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
  end(): Promise<void>;
}

const pg = createRequire(import.meta.url)('pg') as { Client: new (config: object) => Client };

async function ask(cluster: PostgresCluster, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
  await client.connect();
  try {
    const { rows } = await client.query(sql);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

it('a replica that was behind is a sound state of a moment before: what came later is found and made again, and nothing is lost', async () => {
  using primary = await PostgresCluster.start();
  await using project = new Project({ 'pipeline.ts': PIPELINE, 'in/a': '', 'in/b': '' });
  const before = ['--state', primary.url('ops')];
  expect((await project.dynpart(['state', 'migrate', ...before])).code).toBe(0);
  using replica = await primary.follower();
  expect((await project.json(['sensor', 'tick', ...before])).code).toBe(0);
  project.write({ 'in/slow': '' });
  const dies = project.start(['sensor', 'tick', '-v', ...before]);
  await dies.saw('started: made for slow');
  // The state shows that it has begun, and so does the replica.
  await expect
    .poll(
      async () => (await project.json(['runs', 'list', '--status', 'STARTED', ...before])).document.runs,
      { timeout: 60_000 },
    )
    .toHaveLength(1);
  const there = String(await ask(primary, 'select pg_current_wal_lsn()'));
  await expect
    .poll(() => ask(replica, `select pg_last_wal_replay_lsn() >= '${there}'`), { timeout: 60_000 })
    .toBe(true);
  // From here on it hears nothing, and nobody waits for it.
  await ask(replica, `alter system set primary_conninfo = ''`);
  await ask(replica, 'select pg_reload_conf()');
  await expect
    .poll(() => ask(replica, 'select count(*)::int from pg_stat_wal_receiver'), { timeout: 60_000 })
    .toBe(0);
  project.write({ 'in/t': '', 'in/u': '' });
  const acknowledged = await project.json(['sensor', 'tick', ...before]);
  expect([acknowledged.code, acknowledged.document.ticks[0].runs.length]).toEqual([0, 2]);
  dies.process.kill('SIGKILL');
  await dies.done;
  primary.stop('immediate');
  replica.promote();

  const after = ['--state', replica.url('ops')];
  expect(await project.json(['state', 'check', ...after])).toMatchObject({
    code: 0,
    document: { problems: [] },
  });
  const stands = (await project.json(['partitions', 'list', 'keys', ...after])).document;
  expect(stands.keys.map(({ key }: { key: string }) => key)).toEqual(['a', 'b', 'slow']);
  project.write({ go: '' });
  const next = await project.json(['sensor', 'tick', ...after]);
  expect(next.code).toBe(0);
  expect(next.document.resumed.map(({ partitionKey }: { partitionKey: string }) => partitionKey)).toEqual([
    'slow',
  ]);
  const notes = fs.readFileSync(project.path('notes'), 'utf8').trim().split('\n').toSorted();
  expect(notes).toEqual(['a', 'b', 'slow', 'slow', 't', 't', 'u', 'u']);
  expect((await project.json(['status', ...after])).document.assets[0]).toMatchObject({
    materialized: 5,
    missing: 0,
    inProgress: 0,
  });
  expect((await project.dynpart(['value', 'show', 'made', '--key', 't', ...after])).stdout).toBe('"T"\n');
  expect((await project.json(['state', 'check', ...after])).document.problems).toEqual([]);
});
