/** The pipelines in `examples/`, run as they are: against a real PostgreSQL server, a real HTTP server, and a real slow writer. */
import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { fileNameOf } from '../../src/files/file-name.ts';
import { AnsweringServer } from '../support/answering-server.ts';
import { Project, root } from '../support/project.ts';

/** A copy of an example in a folder of its own, which finds the packages of this repository. */
class Example extends Project {
  static named(name: string): Example {
    const example = new Example({
      [`${name}.ts`]: fs.readFileSync(path.join(root, 'examples', `${name}.ts`), 'utf8'),
    });
    fs.symlinkSync(path.join(root, 'node_modules'), example.path('node_modules'));
    onTestFinished(() => example[Symbol.asyncDispose]());
    return example;
  }

  async tick(name: string, env: Record<string, string> = {}) {
    const { code, document, stderr } = await this.json(['-f', `${name}.ts`, 'sensor', 'tick'], { env });
    if (code === 2 || code === 5) throw new Error(stderr);
    return { code, tick: document.ticks[0] };
  }

  value(name: string, asset: string, key: string): unknown {
    return JSON.parse(this.read('.dynpart', `${name}.dynpart`, 'values', asset, `${fileNameOf(key)}.json`));
  }
}

const SERVER = process.env['DYNPART_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** A database of this test's own; `null` where there is no server. */
async function database(): Promise<{ readonly url: string; readonly client: Client } | null> {
  const server = new Client({ connectionString: SERVER, connectionTimeoutMillis: 3000 });
  try {
    await server.connect();
  } catch {
    return null;
  }
  const name = `dynpart_sources_${process.pid}_${Date.now()}`;
  await server.query(`create database ${name}`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await server.query(`drop database ${name} with (force)`);
    await server.end();
  });
  return { url: url.href, client };
}

interface Run {
  readonly partitionKey: string;
  readonly status: string;
}

test('customers of a PostgreSQL table: ties, a late commit, an edit, a deletion, a server that is gone', async (context) => {
  const made = await database();
  if (made === null) return context.skip(`there is no PostgreSQL server at ${SERVER}`);
  const { url, client } = made;
  const env = { DATABASE_URL: url };
  const example = Example.named('customers');
  await client.query(
    'create table customers (id int primary key, name text, updated_at timestamptz default now())',
  );
  await client.query("insert into customers values (1, 'Ada', now()), (2, 'Grace', now())");
  // Begun before, and committed after others with a later time.
  const late = new Client({ connectionString: url });
  late.on('error', () => undefined);
  await late.connect();
  await late.query('begin');
  await late.query("insert into customers values (3, 'Edsger', now())");

  const first = await example.tick('customers', env);
  expect(first).toMatchObject({ code: 0, tick: { partitions: [{ set: 'customers', added: ['1', '2'] }] } });
  expect(example.value('customers', 'letter', '1')).toBe('Dear Ada,');
  await client.query("insert into customers values (4, 'Barbara', now())");
  expect((await example.tick('customers', env)).tick.partitions[0].added).toEqual(['4']);
  await late.query('commit');
  await late.end();
  expect((await example.tick('customers', env)).tick.partitions[0].added).toEqual(['3']);
  expect((await example.tick('customers', env)).tick.status).toBe('SKIPPED');

  await client.query("update customers set name = 'Ada Lovelace', updated_at = now() where id = 1");
  expect((await example.tick('customers', env)).tick.partitions[0]).toMatchObject({
    added: [],
    updated: ['1'],
  });
  expect(example.value('customers', 'letter', '1')).toBe('Dear Ada Lovelace,');

  // What is deleted is seen when all rows are read: after an hour, or when the cursor is cleared.
  await client.query('delete from customers where id = 2');
  await example.dynpart(['-f', 'customers.ts', 'sensor', 'cursor', 'table', '--clear']);
  expect((await example.tick('customers', env)).tick.partitions.at(-1)).toMatchObject({ removed: ['2'] });

  const before = example.read('.dynpart', 'customers.json');
  const gone = await example.tick('customers', { DATABASE_URL: url.replace(':5432', ':1') });
  expect(gone).toMatchObject({
    code: 3,
    tick: { status: 'FAILURE', error: { message: expect.stringContaining('ECONNREFUSED') } },
  });
  expect(example.read('.dynpart', 'customers.json')).toBe(before);
});

test('issues of an API that limits its callers: every issue once, in spite of 429 and a page that is down', async () => {
  const issues = Array.from({ length: 250 }, (_, at) => ({
    number: at + 1,
    title: `Issue ${at + 1}`,
    updated_at: '2025-01-01',
  }));
  let isDown = false;
  const refused = new Set<string>();
  const server = await AnsweringServer.answering((request, response) => {
    const page = Number(new URL(request.url!, 'http://x').searchParams.get('page') ?? 1);
    if (isDown && page === 3) return response.writeHead(404).end();
    // Each page is refused once.
    if (!refused.has(request.url!)) {
      refused.add(request.url!);
      return response.writeHead(429, { 'retry-after': '0' }).end();
    }
    if (page < 3) response.setHeader('link', `<${server.url}/?page=${page + 1}>; rel="next"`);
    response.end(JSON.stringify(issues.slice((page - 1) * 100, page * 100)));
  });
  const env = { API_URL: server.url, API_TOKEN: 'secret' };
  const example = Example.named('issues');
  isDown = true;
  const first = await example.tick('issues', env);
  expect(first).toMatchObject({
    code: 3,
    tick: { status: 'SUCCESS', failures: [{ name: `page 3 of ${server.url}/` }] },
  });
  expect(first.tick.partitions[0].added).toHaveLength(200);
  isDown = false;
  issues[0] = { number: 1, title: 'Edited', updated_at: '2025-01-02' };
  const second = await example.tick('issues', env);
  expect(second.code).toBe(0);
  expect(second.tick.partitions[0]).toMatchObject({ added: { length: 50 }, updated: ['1'] });
  expect(example.value('issues', 'record', '1')).toEqual({ number: 1, title: 'Edited' });
  expect(await example.tick('issues', env)).toMatchObject({ code: 0, tick: { status: 'SKIPPED', runs: [] } });
  expect(new Set(server.asked.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer secret']),
  );
});

test('uploads that are written slowly: no half file is read, and one that is replaced is read again', async () => {
  const example = Example.named('uploads');
  example.write({
    'uploads.ts': example.read('uploads.ts').replace('{ requestRuns', "{ settle: '4s', requestRuns"),
  });
  fs.mkdirSync(example.path('inbox'));
  const watch = example.start(['-f', 'uploads.ts', 'sensor', 'watch']);
  const write = async (name: string, lines: number): Promise<void> => {
    const file = await fs.promises.open(example.path('inbox', name), 'w');
    for (let line = 0; line < lines; line++) {
      await file.write('a,');
      await new Promise((resolve) => setTimeout(resolve, 100));
      await file.write('b\n');
    }
    await file.close();
  };
  const becomes = async (name: string, lines: number): Promise<void> => {
    for (;;) {
      const file = path.join(
        '.dynpart',
        'uploads.dynpart',
        'values',
        'lines',
        `${fileNameOf(`inbox/${name}`)}.json`,
      );
      if (example.exists(file) && example.read(file).trim() === String(lines)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await Promise.all([write('slow.csv', 30), write('quick.csv', 2)]);
  await becomes('slow.csv', 30);
  await becomes('quick.csv', 2);
  await write('quick.csv', 3);
  await becomes('quick.csv', 3);
  watch.process.kill('SIGTERM');
  expect(await watch.done).toMatchObject({ code: 0 });
  const { document } = await example.json(['-f', 'uploads.ts', 'runs', 'list']);
  expect(
    document.runs
      .map((run: { partitionKey: string; status: string }) => [run.partitionKey, run.status])
      .reverse(),
  ).toEqual([
    ['inbox/quick.csv', 'SUCCESS'],
    ['inbox/slow.csv', 'SUCCESS'],
    ['inbox/quick.csv', 'SUCCESS'],
  ]);
});

test('recordings: one question for all that are new, and transcripts in processes of their own', async () => {
  const server = await AnsweringServer.answering(async (request, response) => {
    let asked = '';
    for await (const chunk of request) asked += String(chunk);
    const { names } = JSON.parse(asked) as { names: string[] };
    const answers = names.filter((name) => name !== 'unknown.txt');
    response.end(
      JSON.stringify(
        answers.map((name) => ({ name, speaker: name === 'music.txt' ? null : `the speaker of ${name}` })),
      ),
    );
  });
  const example = Example.named('transcripts');
  for (const name of ['one', 'two', 'music', 'unknown'])
    example.write({ [`recordings/${name}.txt`]: `${name}, spoken` });
  // A file counts when it has been as it is for five seconds.
  const before = new Date(Date.now() - 60_000);
  for (const name of ['one', 'two', 'music', 'unknown'])
    fs.utimesSync(example.path('recordings', `${name}.txt`), before, before);
  const env = { API_URL: server.url, RECORDINGS: example.path('recordings') };
  await new Promise((resolve) => setTimeout(resolve, 5200));
  const { code, document } = await example.json(['-f', 'transcripts.ts', 'sensor', 'tick'], { env });
  expect([code, server.asked.length]).toEqual([1, 3]);
  expect(example.value('transcripts', 'facts', 'one.txt')).toEqual({ speaker: 'the speaker of one.txt' });
  expect(example.value('transcripts', 'transcript', 'two.txt')).toMatchObject({ text: 'two, spoken' });
  const runs = document.ticks.flatMap(({ runs }: { runs: Run[] }) => runs);
  const ends = runs.map(({ partitionKey, status }: Run) => [partitionKey, status]);
  expect(Object.fromEntries(ends)).toEqual({
    'one.txt': 'SUCCESS',
    'two.txt': 'SUCCESS',
    'music.txt': 'SUCCESS',
    'unknown.txt': 'FAILURE',
  });
});
