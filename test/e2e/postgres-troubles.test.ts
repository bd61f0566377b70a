/** What a server may do to a state in the middle of something: no room left on its disk, a migration that is killed, rights that are not there. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ProjectHere } from '../support/in-process.ts';
import type { Project } from '../support/project.ts';

const PIPELINE = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const copy = asset({ name: 'copy', partitions: items, materialize: ({ partitionKey }) => partitionKey.padEnd(20_000, '.') });
const find = sensor({
  name: 'find',
  assets: [copy],
  evaluate: ({ cursor }) => {
    if (cursor !== null) return { skipReason: 'nothing new' };
    const keys = Array.from({ length: 60 }, (_, at) => 'item ' + at);
    return { cursor: '1', dynamicPartitionsRequests: [items.buildAddRequest(keys)], runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })) };
  },
});
export default definePipeline({ assets: [copy], sensors: [find], concurrency: 4 });
`;

let cluster: PostgresCluster;
let client: Client;
let project: Project;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  client = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
  await client.connect();
  project = new ProjectHere({ 'pipeline.ts': PIPELINE });
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await client.end();
  cluster[Symbol.dispose]();
});

const MEGABYTES = 32;
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mounts();

/** Whether file systems can be mounted here. */
function mounts(): boolean {
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
}

describe.skipIf(!canMount)('a disk of the server without room (wants root, to mount a small one)', () => {
  let disk: string;

  beforeAll(() => {
    disk = fs.mkdtempSync('/tmp/dynpart-disk-');
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${MEGABYTES}m`, 'tmpfs', disk]);
    fs.mkdirSync(`${disk}/tables`);
    execFileSync('chown', ['postgres', disk, `${disk}/tables`]);
  });
  afterAll(async () => {
    await client.query('drop database if exists small with (force)');
    await client.query('drop tablespace if exists small');
    execFileSync('umount', [disk]);
    fs.rmdirSync(disk);
  });

  it('keeps what was committed, says what is wrong, and nothing is lost or half done', async () => {
    await client.query(`create tablespace small location '${disk}/tables'`);
    await client.query('create database small tablespace small');
    const env = { DYNPART_STATE: cluster.url('full').replace('/postgres?', '/small?') };
    expect(await project.dynpart(['state', 'migrate'], { env })).toMatchObject({ code: 0 });
    const fill = (): void => {
      const file = fs.openSync(`${disk}/ballast`, 'w');
      const zeros = Buffer.alloc(64 * 1024);
      try {
        for (;;) fs.writeSync(file, zeros);
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      } finally {
        fs.closeSync(file);
      }
    };
    const full = {
      code: 5,
      document: { error: { code: 'database-refuses', hint: expect.stringContaining('make room') } },
    };
    fill();
    const keys = Array.from({ length: 20_000 }, (_, at) => `key ${at}`).join('\n');
    expect(
      await project.json(['partitions', 'add', 'items', '--from', '-'], { env, input: keys }),
    ).toMatchObject(full);
    expect(await project.json(['state', 'check'], { env })).toMatchObject({
      document: { ok: true, serial: 0 },
    });
    fs.rmSync(`${disk}/ballast`);
    expect(await project.dynpart(['sensor', 'tick', '--no-run'], { env })).toMatchObject({ code: 0 });
    fill();
    // The values are larger than what is left in pages that are there already.
    expect(await project.json(['worker', '--once'], { env })).toMatchObject({ code: 5 });
    expect(await project.json(['state', 'check'], { env })).toMatchObject({ document: { ok: true } });
    fs.rmSync(`${disk}/ballast`);
    expect(await project.dynpart(['worker', '--once'], { env })).toMatchObject({ code: 0 });
    const { document } = await project.json(['runs', 'list', '--limit', '100'], { env });
    expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(Array(60).fill('SUCCESS'));
    expect(await project.json(['state', 'check'], { env })).toMatchObject({ document: { ok: true } });
  });
});

it('a migration that is killed has made nothing, and the next one makes all of it', async () => {
  const env = { DYNPART_STATE: cluster.url('killed') };
  // It waits for this one in the middle of its transaction.
  await client.query('begin; create schema killed');
  const migrating = project.start(['state', 'migrate'], { env });
  const watching = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
  await watching.connect();
  const waits = `select count(*)::int as n from pg_stat_activity where query like 'create schema%' and wait_event_type = 'Lock'`;
  for (let tries = 0; (await watching.query(waits)).rows[0].n === 0; tries++) {
    expect(tries).toBeLessThan(1200);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await watching.end();
  migrating.process.kill('SIGKILL');
  await migrating.done;
  await client.query('rollback');
  expect(await project.json(['status'], { env })).toMatchObject({
    code: 5,
    document: { error: { code: 'database-not-migrated' } },
  });
  expect(await project.json(['state', 'migrate'], { env })).toMatchObject({
    code: 0,
    document: { from: null },
  });
  expect(await project.json(['state', 'check'], { env })).toMatchObject({ document: { ok: true } });
});

it('a role with the rights that migrate prints works, and may not migrate', async () => {
  const env = { DYNPART_STATE: cluster.url('roles') };
  const made = await project.dynpart(['state', 'migrate'], { env });
  // Roles may come when the tables are there.
  const { stdout } = await project.dynpart(['state', 'migrate'], { env });
  expect(stdout).toBe(made.stdout);
  await client.query('create role works login; create role looks login');
  await client.query(stdout.replaceAll('WORKER', 'works').replaceAll('READER', 'looks'));
  const works = { DYNPART_STATE: env.DYNPART_STATE.replace('dynpart@', 'works@') };
  expect(await project.dynpart(['sensor', 'tick', '--no-run'], { env: works })).toMatchObject({ code: 0 });
  expect(await project.dynpart(['worker', '--once'], { env: works })).toMatchObject({ code: 0 });
  expect(await project.dynpart(['runs', 'list'], { env: works })).toMatchObject({ code: 0 });
  const looks = { DYNPART_STATE: env.DYNPART_STATE.replace('dynpart@', 'looks@') };
  for (const args of [['status'], ['runs', 'list'], ['state', 'check'], ['state', 'export', '-']])
    expect([args, (await project.dynpart(args, { env: looks })).code]).toEqual([args, 0]);
  expect(await project.json(['materialize', 'copy', '--all'], { env: looks })).toMatchObject({
    code: 5,
    document: { error: { code: 'database-refuses', message: expect.stringContaining('permission') } },
  });
});

async function numberOf(sql: string): Promise<number> {
  return (await client.query(sql)).rows[0].n;
}

it('connections that are ended over and over keep a worker from nothing', async () => {
  const env = { DYNPART_STATE: cluster.url('ended') };
  expect(await project.dynpart(['state', 'migrate'], { env })).toMatchObject({ code: 0 });
  await project.dynpart(['sensor', 'tick', '--no-run'], { env });
  const working = project.start(['worker', '--once', '--concurrency', '2'], { env });
  let ended = 0;
  let isOver = false;
  const ending = (async () => {
    // Once more when another run is on record, and each two seconds: a slow machine takes its time to connect again.
    for (
      let made = 0, at = performance.now();
      !isOver;
      await new Promise((resolve) => setTimeout(resolve, 20))
    ) {
      const now = await numberOf('select count(*)::int as n from ended.history');
      if (now === made && performance.now() - at < 2000) continue;
      [made, at] = [now, performance.now()];
      ended += await numberOf(
        `select count(pg_terminate_backend(pid))::int as n from pg_stat_activity where application_name like 'dynpart%'`,
      );
    }
  })();
  const { code } = await working.done;
  isOver = true;
  await ending;
  expect(code).toBe(0);
  expect(ended).toBeGreaterThan(1);
  const { document } = await project.json(['runs', 'list', '--limit', '100'], { env });
  expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(Array(60).fill('SUCCESS'));
  expect(await project.json(['state', 'check'], { env })).toMatchObject({ document: { ok: true } });
});
