/** A state goes to another place and comes back, through the real binary: what arrives is what went, and nobody works with it on the way. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/state/document/fingerprint.ts';
import type { StateDocument } from '../../src/state/document/state-document.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ProjectHere } from '../support/in-process.ts';
import { Project, root, type RunResult } from '../support/project.ts';

const PIPELINE = `
  import { asset, definePipeline, dynamicPartitions, sensor, skip } from 'dynpart';
  const words = dynamicPartitions('words');
  const upper = asset({
    name: 'upper', partitions: words, codeVersion: '1', automate: 'missing', retry: { later: ['1h'] },
    materialize({ partitionKey, item, log }) {
      log.info('making ' + partitionKey);
      if (partitionKey.includes('bad')) throw new Error('not \\u0000 this one');
      if (partitionKey.includes('none')) return skip('there is nothing');
      return partitionKey.includes('bytes') ? new TextEncoder().encode(partitionKey) : { of: partitionKey, item };
    },
  });
  const total = asset({ name: 'Total', materialize: () => undefined });
  const feed = sensor({
    name: 'Feed',
    assets: [upper],
    evaluate({ cursor }) {
      const at = Number(cursor ?? 0);
      return {
        cursor: String(at + 1),
        dynamicPartitionsRequests: [words.buildAddRequest([{ key: 'new-' + at, version: 'v' + at, item: { at } }])],
        runRequests: [{ partitionKey: 'new-' + at, runKey: 'once-' + at }],
      };
    },
  });
  export default definePipeline({ assets: [upper, total], sensors: [feed] });
`;

/** Whatever the numbers are. */
const asShown = (text: string): string =>
  text
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/keys?|sets?|runs?|ticks?|values?/g, (word) => word.replace(/s$/, ''));

/** What is said of the place of a pipeline's state where none is named. */
const USUAL =
  /state\.json; the usual place: name none from now on, neither with --state nor in DYNPART_STATE$/m;

const LONG = 'a key of many letters '.repeat(20).trim();

const { Client } = createRequire(import.meta.url)('pg') as {
  Client: new (config: object) => {
    connect(): Promise<void>;
    query(sql: string): Promise<unknown>;
    end(): Promise<void>;
  };
};

async function alterKeys(url: string, how: string): Promise<void> {
  const client = new Client({ connectionString: url.replace(/\?.*/, '') });
  await client.connect();
  await client.query(`alter table "${new URL(url).searchParams.get('schema')}".key ${how}`);
  await client.end();
}

let cluster: PostgresCluster;
let schemas = 0;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

/** All that there is to be moved: keys, items, failures, skips, versions, spent run keys, queued runs, logs and values. */
async function furnished(): Promise<Project> {
  const project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  await run(project, 'partitions', 'add', 'words', 'A/b', 'bytes é', 'bad', 'none', LONG, '__proto__');
  await run(project, 'sensor', 'tick');
  await run(project, 'materialize', 'Total');
  await run(project, 'materialize', 'upper', '--missing');
  await run(project, 'partitions', 'remove', 'words', '__proto__', '--keep-out');
  await run(project, 'sensor', 'tick', 'Feed', '--no-run');
  return project;
}

/** Always with the file, also where the tests are run on a database. */
const FILE = { DYNPART_STATE: '' };

function run(project: Project, ...args: string[]): Promise<RunResult> {
  return project.dynpart(args, { env: FILE });
}

async function json<T>(project: Project, ...args: string[]): Promise<T> {
  const { stdout } = await run(project, ...args, '--json');
  return JSON.parse(stdout) as T;
}

async function fingerprint(project: Project, state: string): Promise<unknown> {
  const { stdout } = await run(project, 'state', 'export', '--state', state);
  return fingerprintOf(JSON.parse(stdout) as StateDocument);
}

/** What anybody can see of it. */
async function seen(project: Project, state: string): Promise<unknown> {
  const at = ['--state', state];
  const { runs } = await json<{ runs: { id: string }[] }>(project, 'runs', 'list', '--limit', '100', ...at);
  const logs = await Promise.all(
    runs.map(async ({ id }) => (await run(project, 'runs', 'logs', id, ...at)).stdout),
  );
  const values = ['A/b', 'bytes é', LONG, 'new-0'].map(
    async (key) => (await run(project, 'value', 'show', 'upper', '--key', key, ...at)).stdout,
  );
  return {
    runs,
    logs,
    values: await Promise.all(values),
    total: (await run(project, 'value', 'show', 'Total', ...at)).code,
    ticks: await json(project, 'sensor', 'history', 'Feed', ...at),
    status: await json(project, 'status', ...at),
    keys: await json(project, 'partitions', 'list', 'words', ...at),
    state: await fingerprint(project, state),
  };
}

async function schema(project: Project): Promise<string> {
  const url = cluster.url(`move_${++schemas}`);
  expect((await run(project, 'state', 'migrate', '--state', url)).code).toBe(0);
  return url;
}

describe('state move', () => {
  it('takes all of a state to PostgreSQL, where it goes on, and back', async () => {
    await using project = await furnished();
    const file = project.path('.dynpart/state.json');
    const url = await schema(project);
    const before = await seen(project, file);
    const there = { from: file, to: url, sets: 1, keys: 7, runs: 1, ended: 8, ticks: 3, values: 6 };
    expect(await json(project, 'state', 'move', '--to', url, '--dry-run')).toEqual(there);
    // Also where nobody is at a terminal, like all that is only tried.
    expect(await run(project, 'state', 'move', '--to', url, '--dry-run')).toMatchObject({
      stdout: 'keys\t7\nsets\t1\nqueued runs\t1\nended runs\t8\nticks\t3\nvalues\t6\n',
      stderr: '',
    });
    expect(await seen(project, file)).toEqual(before);
    expect(await json(project, 'state', 'move', '--to', url)).toEqual(there);
    expect(await seen(project, url)).toEqual(before);
    expect((await run(project, 'state', 'check', '--state', url)).code).toBe(0);
    const left = await run(project, 'sensor', 'tick');
    expect(left).toMatchObject({ code: 5, stdout: '' });
    expect(left.stderr).toContain(`was moved to ${url}`);

    // What was queued is executed where it is now, once, and the cursor goes on.
    expect(await json(project, 'worker', '--once', '--state', url)).toMatchObject({
      runs: [{ partitionKey: 'new-1', status: 'SUCCESS' }],
    });
    const { ticks } = await json<{ ticks: { cursor: unknown }[] }>(
      project,
      'sensor',
      'tick',
      'Feed',
      '--state',
      url,
    );
    expect(ticks[0]!.cursor).toEqual({ before: '2', after: '3' });
    await run(project, 'partitions', 'remove', 'words', 'A/b', '--purge', '--state', url);
    const changed = await fingerprint(project, url);
    const back = await run(project, 'state', 'move', '--state', url, '--to', file, '-v');
    expect([back.code, back.stderr]).toEqual([0, expect.stringMatching(USUAL)]);
    expect(await fingerprint(project, file)).toEqual(changed);
    // A value that was deleted there has not come back.
    expect(
      fs.readdirSync(project.path('.dynpart/values/upper')).filter((name) => name.startsWith('%41')),
    ).toEqual([]);
    expect((await run(project, 'state', 'check')).code).toBe(0);
    expect((await run(project, 'status', '--state', url)).code).toBe(5);
    expect(await json(project, 'sensor', 'tick', 'Feed')).toMatchObject({
      ticks: [{ cursor: { before: '3', after: '4' }, runs: [{ partitionKey: 'new-3', status: 'SUCCESS' }] }],
    });
  });

  it('takes a state to another file and to another schema', async () => {
    await using project = await furnished();
    const [file, other] = [project.path('.dynpart/state.json'), project.path('elsewhere/other.json')];
    const [one, two] = [await schema(project), await schema(project)];
    const before = await seen(project, file);
    for (const [from, to] of [
      [file, other],
      [other, one],
      [one, two],
      [two, file],
    ] as const) {
      const { code, stderr } = await run(project, 'state', 'move', '--state', from, '--to', to, '-v');
      expect(code).toBe(0);
      // Nobody names the usual place.
      expect(stderr).toMatch(to === file ? USUAL : /; name it from now on: --state \S+, or DYNPART_STATE$/m);
      expect(await seen(project, to)).toEqual(before);
    }
  });

  it('is run as the docs say, and says what they show', async () => {
    const chapter = /## Moving a state\n([^]*?)\n## /.exec(
      fs.readFileSync(path.join(root, 'docs/postgresql.md'), 'utf8'),
    )![1]!;
    const [, script] = /```sh\n([^]*?)```/.exec(chapter)!;
    const [, shown] = /```text\n([^]*?)\n```/.exec(chapter)!;
    await using project = await furnished();
    const url = cluster.url(`move_${++schemas}`);
    let said = '';
    for (const line of script!.trim().split('\n')) {
      const words = line
        .replace(/ +#.*/, '')
        .replaceAll(/'postgres:[^']*'/g, url)
        .split(' ')
        .slice(1);
      const { code, stderr } = await run(project, ...words, '--verbose');
      expect([line, code, stderr]).toEqual([line, 0, stderr]);
      said = stderr;
    }
    const placed = said
      .replaceAll(`'${url}'`, url)
      .replaceAll(url, 'postgres://etl@127.0.0.1/warehouse')
      .replaceAll(project.folder, '/srv/podcasts');
    expect(asShown(placed)).toContain(asShown(shown!));
  });

  it('says on Ctrl-C that the same command goes on, and it does', async () => {
    await using project = await furnished();
    const url = await schema(project);
    const before = await fingerprint(project, project.path('.dynpart/state.json'));
    // Somebody holds what it comes to in the middle.
    const client = new Client({ connectionString: url.replace(/\?.*/, '') });
    await client.connect();
    await client.query(`begin; lock table "${new URL(url).searchParams.get('schema')}".tick in share mode`);
    const move = project.start(['state', 'move', '--to', url], { env: FILE });
    await expect
      .poll(() => project.stateBytes(), { timeout: 60_000, interval: 50 })
      .toContain('"isOver":false');
    move.process.kill('SIGINT');
    const interrupted = await move.done;
    await client.end();
    expect(interrupted).toMatchObject({ code: 130 });
    expect(interrupted.stderr).toContain('nothing is lost, and the same command goes on: dynpart state move');
    expect(interrupted.stderr).toContain('--give-up');
    expect(await run(project, 'state', 'move', '--to', url)).toMatchObject({ code: 0 });
    expect(await fingerprint(project, url)).toEqual(before);
  });

  it('leaves values where they are when told so', async () => {
    await using project = await furnished();
    const url = await schema(project);
    expect(await json(project, 'state', 'move', '--to', url, '--no-values')).toMatchObject({ values: 0 });
    expect((await run(project, 'value', 'show', 'Total', '--state', url)).code).not.toBe(0);
    expect(
      (await run(project, 'state', 'move', '--state', url, '--to', '.dynpart/state.json', '--no-values'))
        .code,
    ).toBe(0);
    expect((await run(project, 'value', 'show', 'upper', '--key', 'A/b')).stdout).toContain('A/b');
  });

  it.each([
    ['package.json', '{ "name": "podcasts" }\n', 'it is no state of dynpart'],
    ['notes.txt', 'schema\n', 'it is no state of dynpart'],
    ['picture.png', '\u0089PNG\u0000', 'it is no state of dynpart'],
    ['empty', '', 'it is an empty file, and no state'],
    ['folder', null, 'it is a folder, and a state is a file'],
    ['.dynpart/values/upper/bad.json', '{"schema":5}', 'it is a value beside a state'],
  ])('does not take %s for a state', async (name, content, why) => {
    await using project = await furnished();
    if (content === null) fs.mkdirSync(project.path(name));
    else project.write({ [name]: content });
    for (const flags of [[], ['--dry-run']]) {
      const { code, stderr, stdout } = await run(project, 'state', 'move', '--to', name, ...flags);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`${project.path(name)} stays as it is: ${why}`);
      expect(stderr).toContain('nothing was moved; name a place where nothing is yet');
      expect(stderr).not.toContain('restore');
    }
    if (content !== null) expect(project.read(name)).toBe(content);
    expect((await run(project, 'status')).code).toBe(0);
  });

  it('refuses a place that is not empty, its own, or none, and changes nothing', async () => {
    await using project = await furnished();
    const url = await schema(project);
    await run(project, 'partitions', 'add', 'words', 'a', '--state', url);
    await run(project, 'partitions', 'add', 'words', 'a', '--state', 'full.json');
    const before = await fingerprint(project, project.path('.dynpart/state.json'));
    for (const [to, words] of [
      [url, 'is not empty'],
      ['full.json', 'is not empty'],
      ['.dynpart/state.json', 'already'],
      [cluster.url('not_there'), 'state migrate'],
      ['mysql://host/db', 'mysql'],
    ] as const) {
      const { code, stderr } = await run(project, 'state', 'move', '--to', to);
      expect([2, 5]).toContain(code);
      expect(stderr).toContain(words);
    }
    const missing = await run(project, 'state', 'move');
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain('--to');
    expect(await fingerprint(project, project.path('.dynpart/state.json'))).toEqual(before);
    expect((await run(project, 'state', 'move', '--state', 'none.json', '--to', 'x.json')).stderr).toContain(
      'there is no state',
    );
  });

  it('refuses while somebody works', async () => {
    await using project = new Project({
      'pipeline.ts': PIPELINE.replace(
        "log.info('making ' + partitionKey);",
        'await new Promise((done) => setTimeout(done, 600_000));',
      ).replace('materialize({ partitionKey, item, log })', 'async materialize({ partitionKey, item, log })'),
    });
    const worker = project.start(['sensor', 'tick', 'Feed', '--verbose'], { env: FILE });
    await worker.saw('new-0');
    await expect
      .poll(async () => (await run(project, 'runs', 'list', '--status', 'STARTED')).stdout)
      .toContain('new-0');
    const { code, stderr } = await run(project, 'state', 'move', '--to', 'other.json');
    expect(code).toBe(2);
    expect(stderr).toContain(`process ${worker.process.pid} on`);
    worker.process.kill('SIGINT');
    await worker.done;
    expect((await run(project, 'state', 'move', '--to', 'other.json')).code).toBe(0);
  });

  it('refuses a value that the target does not keep, before anything is changed', async () => {
    await using project = new Project({
      'pipeline.ts': `
        import { asset, definePipeline } from 'dynpart';
        const large = asset({ name: 'large', materialize: () => new Uint8Array(17 * 1024 * 1024) });
        export default definePipeline({ assets: [large] });
      `,
    });
    await run(project, 'materialize', 'large');
    const url = await schema(project);
    const { code, stderr } = await run(project, 'state', 'move', '--to', url);
    expect(code).toBe(2);
    expect(stderr).toContain("the value of asset 'large' has 17825792 bytes");
    expect((await run(project, 'status')).code).toBe(0);
    expect((await run(project, 'state', 'move', '--to', url, '--no-values')).code).toBe(0);
  });

  it('says what is between two places, and can be given up', async () => {
    await using project = await furnished();
    const file = project.path('.dynpart/state.json');
    const url = await schema(project);
    const before = await fingerprint(project, file);
    // The server refuses the state itself, when all that is beside it has come.
    await alterKeys(url, `add constraint none check (key = '')`);
    expect((await run(project, 'state', 'move', '--to', url)).code).not.toBe(0);
    const here = await run(project, 'sensor', 'tick');
    expect(here.code).toBe(5);
    expect(here.stderr).toContain(`is being moved to ${url}`);
    const there = await run(project, 'sensor', 'tick', '--state', url);
    expect(there.code).toBe(5);
    expect(there.stderr).toContain(`the state of ${file} is being moved to ${url}`);
    expect((await run(project, 'state', 'move', '--to', 'other.json')).code).toBe(5);
    expect((await run(project, 'state', 'move', '--give-up')).code).toBe(0);
    expect(await fingerprint(project, file)).toEqual(before);
    expect((await run(project, 'sensor', 'tick', 'Feed')).code).toBe(0);
    // The same place again, once it can be used.
    await alterKeys(url, `drop constraint none`);
    expect((await run(project, 'state', 'move', '--to', url)).code).toBe(0);
    expect((await run(project, 'state', 'move', '--give-up')).code).toBe(2);
  });
});

const probe = spawnSync('strace', ['-f', '-e', 'trace=none', 'true'], { encoding: 'utf8' });
const cannot = probe.error !== undefined || probe.status !== 0;
/** Minutes. Otherwise a few of each kind. */
const ALL_POINTS = process.env['DYNPART_MOVE'] === 'all';

const CALLS = ALL_POINTS
  ? (['fsync', 'rename', 'link', 'unlink', 'rmdir', 'openat'] as const)
  : (['fsync', 'rename', 'link'] as const);

describe('killed at any of its changes', { timeout: ALL_POINTS ? 1_800_000 : 300_000 }, () => {
  it.skipIf(cannot)(
    'a move goes on when it is called again, and one place at most can be used meanwhile',
    async () => {
      await using base = await furnished();
      const copies = fs.mkdtempSync(path.join(base.folder, 'copy-'));
      const move = async (folder: string, ...within: string[]): Promise<number | null> =>
        (
          await base.dynpart(
            ['-f', `${folder}/pipeline.ts`, 'state', 'move', '--to', `${folder}/to/there.json`],
            { env: FILE, within },
          )
        ).code;
      const before = await fingerprint(base, base.path('.dynpart/state.json'));
      const tried = { points: 0, killed: 0 };
      for (const call of CALLS) {
        const log = path.join(copies, 'log');
        const counted = prepared(base, copies, `${call}-count`);
        await move(counted, 'strace', '-o', log, '-e', `trace=${call}`);
        const points = fs
          .readFileSync(log, 'utf8')
          .split('\n')
          .flatMap((line, at) => (line.includes('O_RDONLY') || !line.includes(`${call}(`) ? [] : [at + 1]));
        for (const point of ALL_POINTS ? points : few(points)) {
          const folder = prepared(base, copies, `${call}-${point}`);
          const inject = `inject=${call}:signal=SIGKILL:when=${point}`;
          const code = await move(folder, 'strace', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject);
          tried.points++;
          if (code !== 0) tried.killed++;
          const exported = async (place: string): Promise<string> =>
            (
              await run(
                base,
                '-f',
                `${folder}/pipeline.ts`,
                'state',
                'export',
                '--state',
                `${folder}/${place}`,
              )
            ).stdout;
          const [here, there] = [await exported('.dynpart/state.json'), await exported('to/there.json')];
          const isThere = there.includes('A/b');
          expect(isThere && here !== '', `${call} ${point}`).toBe(false);
          const again = await move(folder);
          // One that had ended says that it is over.
          expect(again === 0 || isThere, `${call} ${point}: again ${again}`).toBe(true);
          const state = fingerprintOf(JSON.parse(await exported('to/there.json')) as StateDocument);
          expect(state, `${call} ${point}`).toEqual(before);
          fs.rmSync(folder, { recursive: true });
        }
      }
      expect(tried.killed).toBeGreaterThan(tried.points / 2);
    },
  );
});

/** In the middle, and the last one. */
function few(points: readonly number[]): number[] {
  return [...new Set([points[points.length >> 1]!, points.at(-1)!])];
}

function prepared(base: Project, copies: string, name: string): string {
  const folder = path.join(copies, name);
  fs.mkdirSync(folder, { recursive: true });
  fs.cpSync(base.path('.dynpart'), path.join(folder, '.dynpart'), { recursive: true });
  fs.copyFileSync(base.path('pipeline.ts'), path.join(folder, 'pipeline.ts'));
  return folder;
}
