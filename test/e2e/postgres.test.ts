/** A state in PostgreSQL through the real binary: what is the same as with a file, and what only a database can do to it. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../src/state/postgres/schema.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ProjectHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const { Client } = createRequire(import.meta.url)('pg') as {
  Client: new (config: object) => {
    connect(): Promise<void>;
    query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
    end(): Promise<void>;
  };
};

let cluster: PostgresCluster;
let schemas = 0;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const PIPELINE = `
  import fs from 'node:fs';
  import path from 'node:path';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
  const at = (name) => path.join(import.meta.dirname, name);
  const letters = dynamicPartitions('letters');
  const upper = asset({
    name: 'upper', partitions: letters,
    async materialize({ partitionKey, log, run, addMetadata }) {
      fs.appendFileSync(at('begun.txt'), partitionKey + ' ' + process.pid + '\\n');
      await sleep(Number(fs.existsSync(at('ms.txt')) ? fs.readFileSync(at('ms.txt'), 'utf8') : 0));
      log.info('making ' + partitionKey);
      addMetadata({ letters: partitionKey.length });
      if (partitionKey === 'bad') throw new Error('not this one');
      return new TextEncoder().encode(partitionKey.toUpperCase());
    },
  });
  const twice = asset({
    name: 'twice', partitions: letters, inputs: { upper },
    materialize: ({ inputs }) => ({ text: new TextDecoder().decode(inputs.upper).repeat(2), odd: 'a\\u0000é' }),
  });
  const large = asset({ name: 'large', materialize: () => new Uint8Array(17 * 1024 * 1024) });
  const feed = sensor({
    name: 'feed', assets: [upper, twice], minimumIntervalSeconds: 0.01,
    async evaluate({ cursor, partitions, log }) {
      const keys = fs.readFileSync(at('keys.txt'), 'utf8').split('\\n').filter(Boolean);
      log.info('looked at ' + keys.length);
      const fresh = await partitions(letters).missing(keys);
      if (fresh.length === 0) return { skipReason: 'nothing new' };
      return {
        cursor: String(keys.length),
        dynamicPartitionsRequests: [letters.buildAddRequest(fresh)],
        runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
      };
    },
  });
  export default definePipeline({ assets: [upper, twice, large], sensors: [feed], concurrency: 4 });
`;

/** As on another machine: it cannot be seen from here whether its process lives. */
const ELSEWHERE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;
const noElsewhere = spawnSync('unshare', [...ELSEWHERE.slice(1), 'true']).status !== 0;

const begun = (project: Project): string[] =>
  project.exists('begun.txt') ? project.read('begun.txt').split('\n').filter(Boolean) : [];

interface Place {
  readonly project: Project;
  readonly url: string;
  readonly env: Record<string, string>;
}

async function place(keys: readonly string[] = ['a', 'b', 'bad']): Promise<Place> {
  const url = cluster.url(`e2e_${++schemas}`);
  const project = new ProjectHere({ 'pipeline.ts': PIPELINE, 'keys.txt': keys.join('\n') });
  const env = { DYNPART_STATE: url };
  expect(await project.dynpart(['state', 'migrate'], { env })).toMatchObject({ code: 0 });
  return { project, url, env };
}

async function asked(sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const COMMANDS: readonly (readonly string[])[] = [
  ['sensor', 'tick', '--dry-run'],
  ['sensor', 'tick'],
  ['sensor', 'tick'],
  ['sensor', 'list'],
  ['sensor', 'history', 'feed'],
  ['sensor', 'cursor', 'feed'],
  ['sensor', 'stop', 'feed'],
  ['sensor', 'tick'],
  ['partitions', 'list'],
  ['partitions', 'list', 'letters'],
  ['partitions', 'list', 'letters', '--status', 'failed'],
  ['partitions', 'list', 'letters', '--limit', '1', '--after', 'a'],
  ['partitions', 'add', 'letters', 'a', 'c', '--materialize'],
  ['partitions', 'remove', 'letters', 'b', '--keep-out'],
  ['partitions', 'remove', 'letters', '--keep-last', '1', '--dry-run'],
  ['materialize', '--missing', 'upper', 'twice'],
  ['materialize', 'twice', '--failed', '--dry-run'],
  ['materialize', 'upper', '--key', 'nowhere'],
  ['materialize', 'upper', '--key', 'c', '--no-run'],
  ['status'],
  ['runs', 'list'],
  ['runs', 'list', '--key', 'c', '--limit', '1'],
  ['runs', 'cancel', '--key', 'c'],
  ['runs', 'retry', '--key', 'bad'],
  ['worker', '--once'],
  ['assets', 'list'],
  ['assets', 'mark', 'upper', '--as', 'skipped', '--key', 'a'],
  ['assets', 'mark', 'upper', '--as', 'materialized', '--missing', '--failed'],
  ['assets', 'mark', 'twice', '--as', 'missing', '--all'],
  ['why', 'twice'],
  ['why', 'twice', '--key', 'bad'],
  ['why', 'upper', '--key', 'a'],
  ['why', 'large'],
  ['state', 'check'],
];

/** What differs between any two runs of a command. */
function withoutChance(text: string): unknown {
  const ids = new Map<string, string>();
  return JSON.parse(
    text
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(
        /\b0m[0-9a-z]{13}\b/g,
        (id) => ids.get(id) ?? (ids.set(id, `ID${ids.size}`), `ID${ids.size - 1}`),
      )
      .replace(/"(serial|pid)":\d+/g, '"$1":0'),
  );
}

describe('a state in PostgreSQL', () => {
  it('answers each command as a file does: output, JSON and exit code', async () => {
    const { project, env } = await place();
    const inFile = new ProjectHere({ 'pipeline.ts': PIPELINE, 'keys.txt': 'a\nb\nbad' });
    for (const command of COMMANDS) {
      const args = [...command, '--json', '--concurrency', '1'].slice(
        0,
        /tick|materialize|retry|worker/.test(command.join(' ')) && !command.includes('add') ? undefined : -2,
      );
      const database = await project.dynpart(args, { env });
      const file = await inFile.dynpart(args, {
        env: { DYNPART_STATE: inFile.path('.dynpart', 'state.json') },
      });
      const shown = (text: string, folder: string): unknown =>
        withoutChance(text.replaceAll(folder, 'FOLDER'));
      expect([command, shown(database.stdout, project.folder)]).toEqual([
        command,
        shown(file.stdout, inFile.folder),
      ]);
      expect([command, database.code]).toEqual([command, file.code]);
    }
    await project[Symbol.asyncDispose]();
    await inFile[Symbol.asyncDispose]();
  }, 400_000);

  it('is not there before it was migrated, and says how', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'keys.txt': 'a' });
    const env = { DYNPART_STATE: cluster.url('never') };
    const before = await project.dynpart(['status'], { env });
    expect(before.code).toBe(5);
    expect(before.stderr).toContain('dynpart state migrate');
    expect(await asked(`select count(*)::int as n from pg_namespace where nspname = 'never'`)).toEqual([
      { n: 0 },
    ]);
    const made = await project.json(['state', 'migrate'], { env });
    expect(made).toMatchObject({ code: 0, document: { from: null, to: SCHEMA_VERSION } });
    expect(await project.json(['state', 'migrate'], { env })).toMatchObject({
      document: { from: SCHEMA_VERSION, to: SCHEMA_VERSION },
    });
    // All at once: one of them makes the tables.
    const many = await Promise.all(
      Array.from({ length: 4 }, () =>
        project.json(['state', 'migrate'], { env: { DYNPART_STATE: cluster.url('at_once') } }),
      ),
    );
    expect(many.filter(({ document }) => document.from === null)).toHaveLength(1);
    expect(many.map(({ document }) => document.to)).toEqual(Array(4).fill(SCHEMA_VERSION));
    expect(project.exists('.dynpart')).toBe(false);
  });

  it('keeps values, up to a limit, and leaves none staged', async () => {
    const { project, env, url } = await place();
    await project.dynpart(['sensor', 'tick'], { env });
    const schema = new URL(url).searchParams.get('schema');
    expect(
      await asked(
        `select asset, key, codec, convert_from(bytes, 'UTF8') as text from ${schema}.value order by 1, 2`,
      ),
    ).toEqual([
      { asset: 'twice', key: 'a', codec: 'json', text: '{"text":"AA","odd":"a\\u0000é"}\n' },
      { asset: 'twice', key: 'b', codec: 'json', text: '{"text":"BB","odd":"a\\u0000é"}\n' },
      { asset: 'upper', key: 'a', codec: 'bin', text: 'A' },
      { asset: 'upper', key: 'b', codec: 'bin', text: 'B' },
    ]);
    const { code, document } = await project.json(['materialize', 'large'], { env });
    expect(code).toBe(1);
    expect(document.runs[0].error.message).toContain(
      '17825792 bytes, and a state in PostgreSQL keeps 16777216 at most',
    );
    expect(await asked(`select count(*)::int as n from ${schema}.staged`)).toEqual([{ n: 0 }]);
    await project.dynpart(['partitions', 'remove', 'letters', 'a', '--purge'], { env });
    expect(await asked(`select count(*)::int as n from ${schema}.value where key = 'a'`)).toEqual([{ n: 0 }]);
    const count = () =>
      asked(`select count(*)::int as n from ${schema}.value where asset = 'upper' and key = 'b'`);
    expect(await count()).toEqual([{ n: 1 }]);
    await project.dynpart(['assets', 'mark', 'upper', '--as', 'skipped', '--key', 'b'], { env });
    expect(await count()).toEqual([{ n: 0 }]);
    await project[Symbol.asyncDispose]();
  });

  it('goes into a file and comes back: export, restore', async () => {
    const { project, env } = await place();
    await project.dynpart(['sensor', 'tick'], { env });
    await project.dynpart(['materialize', 'upper', '--key', 'a', '--no-run'], { env });
    const before = await project.json(['status'], { env });
    expect(await project.dynpart(['state', 'export', 'copy.json'], { env })).toMatchObject({ code: 0 });
    const other = { DYNPART_STATE: project.path('elsewhere', 'state.json') };
    expect(await project.dynpart(['state', 'restore', 'copy.json'], { env: other })).toMatchObject({
      code: 0,
    });
    expect((await project.json(['status'], { env: other })).document.assets).toEqual(before.document.assets);
    await project.dynpart(['partitions', 'remove', 'letters', 'a', 'b'], { env });
    const restored = await project.json(['state', 'restore', 'copy.json'], { env });
    expect(restored).toMatchObject({
      code: 0,
      document: { kept: [expect.stringContaining('before-restore-')] },
    });
    expect((await project.json(['status'], { env })).document.assets).toEqual(before.document.assets);
    expect(await project.json(['state', 'check'], { env })).toMatchObject({
      code: 0,
      document: { ok: true },
    });
    expect(await project.dynpart(['state', 'restore', '--last'], { env })).toMatchObject({ code: 5 });
    expect(await project.json(['worker', '--once'], { env })).toMatchObject({
      document: { runs: [{ partitionKey: 'a', status: 'SUCCESS' }] },
    });
    await project[Symbol.asyncDispose]();
  });

  it('is watched: sensors are evaluated in threads of their own', async () => {
    const { project, env } = await place(['a']);
    const watching = project.start(['sensor', 'watch'], { env });
    await watching.saw('1 key added');
    project.write({ 'keys.txt': 'a\nb' });
    // Both of them at once, where two ticks were quicker than the first run.
    await watching.saw('succeeded in');
    for (let tries = 0; tries < 200; tries++) {
      const { document } = await project.json(['status', 'twice'], { env });
      if (document.assets[0].materialized === 2) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await project.json(['status', 'twice'], { env })).document.assets[0].materialized).toBe(2);
    watching.process.kill('SIGTERM');
    expect((await watching.done).code).toBe(0);
    await project[Symbol.asyncDispose]();
  });
});

describe('what is wrong with a database is said in words', () => {
  let project: Project;
  const status = async (state: string, env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await project.dynpart(['status', '--json', '--state', state], { env });
    expect(stdout + stderr).not.toMatch(/secret|^\s+at /m);
    return {
      exit: code,
      ...(JSON.parse(stdout) as { error: { code: string; message: string; hint: string } }).error,
    };
  };

  beforeAll(() => {
    project = new Project({ 'pipeline.ts': PIPELINE, 'keys.txt': 'a' });
  });
  afterAll(() => project[Symbol.asyncDispose]());

  it.each([
    ['mysql://host/db', 'mysql://'],
    ['postgres:host', 'cannot be read'],
    ['postgres://db.example.org/x', 'sslmode'],
    ['postgres://db.example.org/x?sslmode=require', 'sslmode=require'],
    ['postgres://127.0.0.1/x?schema=no-good', "'no-good' is no name for a schema"],
    ['postgres://127.0.0.1/x?schema=pg_mine', "'pg_mine' is no name for a schema"],
    ['postgres://127.0.0.1/x?shema=typo', "'shema'"],
    ['postgres://127.0.0.1/x?lease=1', 'lease=1'],
    ['postgres://u:secret@127.0.0.1/x?lease=never', 'lease=never'],
  ])('an address: %s', async (address, words) => {
    const { exit, message } = await status(address);
    expect(exit).toBe(2);
    expect(message).toContain(words);
  });

  it('a server that is not there, a database that is not, a login that is refused', async () => {
    expect(await status('postgres://u:secret@127.0.0.1:1/x')).toMatchObject({
      code: 'database-unreachable',
      message: expect.stringContaining('postgres://u@127.0.0.1:1/x'),
    });
    expect(await status(cluster.url('x').replace('/postgres?', '/nowhere?'))).toMatchObject({
      code: 'database-refuses',
      message: expect.stringContaining('"nowhere" does not exist'),
    });
    expect(await status(cluster.url('x').replace('dynpart@', 'nobody:secret@'))).toMatchObject({
      code: 'database-refuses',
    });
    const { code } = await project.dynpart(['status', '--state', 'postgres://127.0.0.1:1/x']);
    expect(code).toBe(5);
  });

  it('another program’s schema, tables of a newer dynpart, and a role without rights', async () => {
    await asked(
      `create schema theirs; create table theirs.meta (one int); create table theirs.key (one int)`,
    );
    expect(await status(cluster.url('theirs'))).toMatchObject({ code: 'database-foreign' });
    const refused = await project.json(['state', 'migrate', '--state', cluster.url('theirs')]);
    expect(refused).toMatchObject({ code: 5, document: { error: { code: 'database-foreign' } } });
    const { url, project: other } = await place();
    await other[Symbol.asyncDispose]();
    const schema = new URL(url).searchParams.get('schema');
    await asked(`update ${schema}.meta set schema_version = 99`);
    expect(await status(url)).toMatchObject({
      code: 'database-version',
      hint: expect.stringContaining('newer dynpart'),
    });
    await asked(
      `update ${schema}.meta set schema_version = ${SCHEMA_VERSION}; create role reader login; create role stranger login`,
    );
    const strange = url.replace('dynpart@', 'stranger@');
    expect(await status(strange)).toMatchObject({
      code: 'database-refuses',
      message: expect.stringContaining('permission'),
    });
    // What migrate prints for readers is enough to look, and not to change.
    await asked(
      `grant usage on schema ${schema} to reader; grant select on all tables in schema ${schema} to reader`,
    );
    const readers = url.replace('dynpart@', 'reader@');
    expect(await project.dynpart(['runs', 'list', '--state', readers])).toMatchObject({ code: 0 });
    expect(await project.json(['partitions', 'add', 'letters', 'x', '--state', readers])).toMatchObject({
      code: 5,
      document: { error: { code: 'database-refuses' } },
    });
  });

  it('the driver that is not installed', async () => {
    // A copy of dynpart with nothing beside it.
    const alone = new Project();
    fs.cpSync(new URL('../../dist', import.meta.url), alone.path('alone', 'dist'), { recursive: true });
    fs.cpSync(new URL('../../bin', import.meta.url), alone.path('alone', 'bin'), { recursive: true });
    fs.cpSync(new URL('../../package.json', import.meta.url), alone.path('alone', 'package.json'));
    let said = '';
    try {
      execFileSync(
        process.execPath,
        [alone.path('alone', 'bin', 'dynpart.cjs'), 'status', '--state', cluster.url('x')],
        {
          cwd: alone.folder,
          stdio: 'pipe',
        },
      );
    } catch (error) {
      expect((error as { status: number }).status).toBe(2);
      said = String((error as { stderr: Buffer }).stderr);
    }
    expect(said).toContain('npm install pg@8');
    await alone[Symbol.asyncDispose]();
  });
});

describe('several workers on one state in PostgreSQL', () => {
  const KEYS = Array.from({ length: 40 }, (_, at) => `key ${at}`);

  it('make each key once, and go on where one of them was killed', async () => {
    const { project, env } = await place(KEYS);
    project.write({ 'ms.txt': '100' });
    await project.dynpart(['sensor', 'tick', '--no-run'], { env });
    const workers = Array.from({ length: 3 }, () => project.start(['worker', '--concurrency', '6'], { env }));
    await until(() => begun(project).length > 0);
    const [first] = begun(project);
    const victim = workers.find(({ process: { pid } }) => pid === Number(first!.split(' ').at(-1)))!;
    victim.process.kill('SIGKILL');
    await victim.done;
    for (let tries = 0; tries < 200; tries++) {
      const { document } = await project.json(['status', 'twice'], { env });
      if (document.assets[0].materialized === KEYS.length) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    for (const worker of workers) worker.process.kill('SIGTERM');
    await Promise.all(workers.map(({ done }) => done));
    const { document } = await project.json(['runs', 'list', '--limit', '100'], { env });
    expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(KEYS.map(() => 'SUCCESS'));
    const made = begun(project).map((line) => line.replace(/ \d+$/, ''));
    expect(new Set(made)).toEqual(new Set(KEYS));
    // Only what the killed one had begun is made again.
    expect(made.length).toBeLessThanOrEqual(KEYS.length + 6);
    expect(await project.json(['state', 'check'], { env })).toMatchObject({ document: { ok: true } });
    await project[Symbol.asyncDispose]();
  });

  it('outlive a crash of the server: nothing is lost, nothing recorded twice', async () => {
    const { project, env } = await place(KEYS);
    project.write({ 'ms.txt': '60' });
    const workers = Array.from({ length: 2 }, () => project.start(['worker'], { env }));
    // Who was never connected does not wait for a server that restarts.
    const listening = `select 1 from pg_stat_activity where application_name = 'dynpart listens'`;
    while ((await asked(listening)).length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    await project.dynpart(['sensor', 'tick', '--no-run'], { env });
    for (let crashes = 0; crashes < 2; crashes++) {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      cluster.restart('restart');
    }
    let made = 0;
    for (let tries = 0; tries < 200 && made < KEYS.length; tries++) {
      made = (await project.json(['status', 'twice'], { env })).document.assets[0].materialized;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    for (const worker of workers) worker.process.kill('SIGTERM');
    const ended = await Promise.all(workers.map(({ done }) => done));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    expect(made).toBe(KEYS.length);
    const { document } = await project.json(['runs', 'list', '--limit', '100'], { env });
    expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(KEYS.map(() => 'SUCCESS'));
    expect(await project.json(['state', 'check'], { env })).toMatchObject({ document: { ok: true } });
    await project[Symbol.asyncDispose]();
  });

  it('cancel each other’s runs', async () => {
    const { project, env } = await place(['a']);
    // Longer than this test may take.
    project.write({ 'ms.txt': '600000' });
    await project.dynpart(['sensor', 'tick', '--no-run'], { env });
    const worker = project.start(['worker', '--json'], { env });
    await until(() => begun(project).length > 0);
    const { document } = await project.json(['runs', 'cancel', '--key', 'a'], { env });
    await worker.saw('"CANCELED"');
    expect(document.runs).toHaveLength(1);
    worker.process.kill('SIGTERM');
    await worker.done;
    await project[Symbol.asyncDispose]();
  });

  it.skipIf(noElsewhere)(
    'on another machine (unshare) are taken for dead when they have been silent for long',
    async () => {
      const { project, url } = await place(['a']);
      const env = { DYNPART_STATE: `${url}&lease=10` };
      project.write({ 'ms.txt': '600000' });
      await project.dynpart(['sensor', 'tick', '--no-run'], { env });
      const first = project.start(['worker'], { env, within: ELSEWHERE });
      await until(() => begun(project).length === 1);
      // It shows that it lives, for longer than others would wait for it.
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      const tick = await project.json(['sensor', 'tick'], { env });
      expect(tick.document.resumed).toEqual([]);
      first.process.kill('SIGKILL');
      await first.done;
      const died = performance.now();
      project.write({ 'ms.txt': '0' });
      const second = project.start(['worker', '--json'], { env });
      await second.saw('"SUCCESS"');
      expect(performance.now() - died).toBeGreaterThan(4000);
      expect(performance.now() - died).toBeLessThan(60_000);
      second.process.kill('SIGTERM');
      await second.done;
      expect(begun(project)).toHaveLength(2);
      await project[Symbol.asyncDispose]();
    },
  );

  it.skipIf(noElsewhere)(
    'on another machine (unshare) that were paused for so long record nothing',
    async () => {
      const { project, url } = await place(['a']);
      const env = { DYNPART_STATE: `${url}&lease=10` };
      project.write({ 'ms.txt': '3000' });
      await project.dynpart(['sensor', 'tick', '--no-run'], { env });
      const first = project.start(['worker'], { env, within: ELSEWHERE });
      await until(() => begun(project).length === 1);
      const [pid] = childrenOf(first.process.pid!);
      process.kill(pid!, 'SIGSTOP');
      const second = project.start(['worker', '--json'], { env });
      await second.saw('"SUCCESS"');
      process.kill(pid!, 'SIGCONT');
      await first.saw('no longer this process');
      for (const worker of [first, second]) worker.process.kill('SIGKILL');
      await Promise.all([first.done, second.done]);
      const { document } = await project.json(['runs', 'list'], { env });
      expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(['SUCCESS']);
      const { document: logs } = await project.json(['runs', 'logs', document.runs[0].id], { env });
      expect(logs.attempts.length).toBeGreaterThan(0);
      expect(await project.json(['state', 'check'], { env })).toMatchObject({ document: { ok: true } });
      await project[Symbol.asyncDispose]();
    },
  );
});

it('shows one key, its values and the health of the state as with a file, but names no file', async () => {
  const { project, env } = await place();
  await using _ = project;
  await project.dynpart(['sensor', 'tick'], { env });
  const key = await project.json(['partitions', 'show', 'letters', 'a'], { env });
  expect(key.document.assets).toMatchObject([
    {
      asset: 'upper',
      state: 'materialized',
      metadata: { letters: 1 },
      run: { partitionKey: 'a' },
      value: null,
    },
    { asset: 'twice', state: 'materialized', value: null },
  ]);
  const bytes = await project.dynpart(['value', 'show', 'upper', '--key', 'a'], { env });
  expect([bytes.code, bytes.stdout]).toEqual([0, 'A']);
  const json = await project.dynpart(['value', 'show', 'twice', '--key', 'a'], { env });
  expect([json.code, JSON.parse(json.stdout)]).toEqual([0, { text: 'AA', odd: 'a\u0000é' }]);
  const path = await project.json(['value', 'path', 'upper', '--key', 'a'], { env });
  expect([path.code, path.document.error.message]).toEqual([
    2,
    "values are kept by the database of the state: that of asset 'upper' is in no file that dynpart knows",
  ]);
  const { code, document } = await project.json(['doctor'], { env });
  expect(code).toBe(0);
  expect(document.checks.map(({ name }: { name: string }) => name)).toEqual([
    'node',
    'dynpart',
    'pipeline',
    'cron',
    'state',
    'claims',
    'clock',
  ]);
  expect(document.checks[4].message).toMatch(/\(from the environment\), serial \d+$/);
  const gone = await project.json(['doctor', '--state', 'postgres://127.0.0.1:1/none'], { env });
  expect([gone.code, gone.document.ok]).toEqual([5, false]);
});

async function until(happened: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000 && !happened(); tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(happened()).toBe(true);
}

function childrenOf(pid: number): number[] {
  return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}
