/** What docs/postgresql.md tells an operator: which tables there are, what to ask of them, and how a backup comes back. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/state/document/fingerprint.ts';
import type { StateDocument } from '../../src/state/document/state-document.ts';
import { blocksOf } from '../support/docs-page.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project, root, type RunResult } from '../support/project.ts';

const PIPELINE = `
  import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
  const words = dynamicPartitions('words');
  const upper = asset({
    name: 'upper', partitions: words,
    materialize({ partitionKey }) {
      if (partitionKey === 'bad') throw new Error('not this one');
      return partitionKey.toUpperCase();
    },
  });
  const feed = sensor({
    name: 'feed', assets: [upper],
    evaluate: () => ({ dynamicPartitionsRequests: [words.buildAddRequest(['a', 'bad'])], runRequests: ['a', 'bad'].map((key) => ({ partitionKey: key, runKey: key })) }),
  });
  export default definePipeline({ assets: [upper], sensors: [feed] });
`;

const SHOWN = 'postgres://etl@127.0.0.1/';

interface Client {
  connect(): Promise<void>;
  query(sql: string): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
  end(): Promise<void>;
}

const pg = createRequire(import.meta.url)('pg') as { Client: new (config: object) => Client };

let cluster: PostgresCluster;
let project: Project;
let client: Client;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  project = new Project({ 'pipeline.ts': PIPELINE });
  client = new pg.Client({ connectionString: database('postgres') });
  await client.connect();
  await client.query('create database warehouse');
  await client.query('create database restored');
  await client.end();
  client = new pg.Client({ connectionString: database('warehouse') });
  await client.connect();
  const state = ['--state', database('warehouse')];
  expect(await run('state', 'migrate', ...state)).toMatchObject({ code: 0 });
  expect(await run('sensor', 'tick', ...state)).toMatchObject({ code: 1 });
  await run('partitions', 'add', 'words', 'c', ...state);
  expect(await run('materialize', '--missing', '--no-run', ...state)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await client.end();
  await project[Symbol.asyncDispose]();
  cluster[Symbol.dispose]();
});

function database(name: string): string {
  return cluster.url('').replace(/\/postgres\?.*/, `/${name}`);
}

function run(...args: string[]): Promise<RunResult> {
  return project.dynpart(args, { env: { DYNPART_STATE: '' } });
}

it('each table is told of, and no other', async () => {
  const page = fs.readFileSync(path.join(root, 'docs/postgresql.md'), 'utf8');
  const [, chapter] = /### What each table is for\n([^]*?)\n### /.exec(page)!;
  const told = [...chapter!.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!);
  const { rows } = await client.query(`select tablename from pg_tables where schemaname = 'dynpart'`);
  expect(told.toSorted()).toEqual(rows.map(({ tablename }) => tablename as string).toSorted());
});

it('the questions for a dashboard are answered to a role that may only look', async () => {
  const { text } = blocksOf('docs/postgresql.md').find(({ language }) => language === 'sql')!;
  await client.query(
    'create role looks; grant usage on schema dynpart to looks; grant select on all tables in schema dynpart to looks; set role looks',
  );
  const answers: Record<string, readonly Record<string, unknown>[]> = {};
  for (const [, what, sql] of text.matchAll(/^-- (.*)\n([^;]*);/gm))
    answers[what!] = (await client.query(sql!)).rows;
  await client.query('reset role');
  const of = (word: string) => Object.entries(answers).find(([what]) => what.startsWith(word))![1];
  expect(Object.keys(answers)).toHaveLength(7);
  expect(of('What waits')).toMatchObject([{ assets: ['upper'], waits: '1', at_work: '0' }]);
  expect(of('Keys')).toMatchObject([
    { asset: 'upper', set: 'words', count: '1' },
    { asset: 'upper', set: 'words', count: '1' },
  ]);
  expect(of('Runs')).toMatchObject([
    { status: 'FAILURE', count: '1' },
    { status: 'SUCCESS', count: '1' },
  ]);
  expect(of('The newest failures')).toMatchObject([{ key: 'bad', assets: ['upper'] }]);
  expect(of('Sensors')).toMatchObject([{ sensor: 'feed', status: 'SUCCESS' }]);
  expect(of('What takes')).toHaveLength(21);
});

it('a dump that is restored is the state that it was, and goes on', async () => {
  // Rights of roles that the server of the way back does not have.
  await client.query(
    'create role worker; grant usage on schema dynpart to worker; grant select on all tables in schema dynpart to worker',
  );
  const { text } = blocksOf('docs/postgresql.md').find((one) => one.text.startsWith('pg_dump'))!;
  const lines = text.replaceAll(SHOWN, database('')).trim().split('\n');
  for (const line of lines.filter((one) => one.startsWith('pg_'))) {
    if (line.startsWith('pg_restore')) await client.query('drop owned by worker; drop role worker');
    const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: project.folder, encoding: 'utf8' });
    expect([line, status, stderr]).toEqual([line, 0, stderr]);
  }
  const words = lines.at(-1)!.replaceAll("'", '').split(' ').slice(1);
  expect(await run(...words)).toMatchObject({ code: 0 });
  const exported = async (name: string) =>
    fingerprintOf(
      JSON.parse((await run('state', 'export', '--state', database(name))).stdout) as StateDocument,
    );
  expect(await exported('restored')).toEqual(await exported('warehouse'));
  const restored = ['--state', database('restored')];
  expect(await run('worker', '--once', ...restored)).toMatchObject({ code: 0 });
  expect((await run('value', 'show', 'upper', '--key', 'c', ...restored)).stdout).toContain('C');
});
