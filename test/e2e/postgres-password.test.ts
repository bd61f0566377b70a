/** A server that asks for a password, which stands in ~/.pgpass as the docs say: it is found, and nobody hears of how. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project, type RunResult } from '../support/project.ts';

const PIPELINE = `
  import { existsSync } from 'node:fs';
  import { asset, definePipeline, dynamicPartitions } from 'dynpart';
  const words = dynamicPartitions('words');
  const upper = asset({ name: 'upper', partitions: words, materialize: async ({ partitionKey }) => {
    // As long as it takes for signs of life, which a thread gives by a connection of its own.
    while (!existsSync('seen')) await new Promise((resolve) => setTimeout(resolve, 50));
    return partitionKey.toUpperCase();
  } });
  export default definePipeline({ assets: [upper] });
`;

const { Client } = createRequire(import.meta.url)('pg') as {
  Client: new (config: object) => {
    connect(): Promise<void>;
    query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
    end(): Promise<void>;
  };
};

it('is found by each connection, without a warning', async () => {
  using cluster = await PostgresCluster.start();
  await using project = new Project({
    'pipeline.ts': PIPELINE,
    pgpass: `127.0.0.1:${cluster.port}:*:shy:a word\\: with a colon\n`,
  });
  fs.chmodSync(project.path('pgpass'), 0o600);
  const hba = path.join(cluster.folder, 'data', 'pg_hba.conf');
  fs.writeFileSync(hba, `host all shy 127.0.0.1/32 scram-sha-256\n${fs.readFileSync(hba, 'utf8')}`);
  const owner = new Client({ connectionString: cluster.server });
  await owner.connect();
  await owner.query(`create role shy login password 'a word: with a colon'`);
  await owner.query(`grant create on database postgres to shy`);
  await owner.query(`select pg_reload_conf()`);
  const state = cluster.url('quiet').replace('//dynpart@', '//shy@').concat('&lease=10');
  const dynpart = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> =>
    project.dynpart(args, { env: { DYNPART_STATE: state, PGPASSFILE: project.path('pgpass'), ...env } });

  expect((await dynpart(['state', 'migrate'])).code).toBe(0);
  for (const args of [
    ['partitions', 'add', 'words', 'a'],
    ['state', 'check'],
    ['state', 'export', 'copy.json'],
    ['runs', 'list'],
    ['materialize', 'upper', '--missing', '--no-run'],
  ])
    expect(await dynpart(args)).toMatchObject({ code: 0, stderr: '' });

  const working = dynpart(['worker', '--once']);
  const beats = new Set<unknown>();
  const beaten = async (): Promise<number> => {
    const { rows } = await owner.query(`select beat::text from quiet.executor`);
    for (const { beat } of rows) beats.add(beat);
    return beats.size;
  };
  await expect.poll(beaten, { timeout: 60_000, interval: 50 }).toBeGreaterThan(1);
  project.write({ seen: '' });
  expect(await working).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^1 run succeeded/) as string,
  });
  await owner.end();

  const wrong = await dynpart(['status'], { PGPASSFILE: project.path('none') });
  expect([wrong.code, wrong.stderr]).toEqual([
    5,
    expect.stringContaining('give the password in PGPASSWORD or in ~/.pgpass'),
  ]);
});
