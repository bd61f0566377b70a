/** `dynpart ui` through the real binary: what it answers, to whom, and how it ends. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageData, PageKeyDetails } from '../../src/report/page-data.ts';
import { ATTACK_KEYS, HARMFUL } from '../support/attack-keys.ts';
import { LivePage } from '../support/live-page.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const fetched = asset({ name: 'fetched', partitions: items, materialize({ partitionKey, log, addMetadata }) {
  log.info('fetching https://a.example/?token=SECRET');
  addMetadata({ source: 'https://a.example/?token=SECRET', large: 'x'.repeat(60_000) });
  if (partitionKey === 'bad') throw new Error('<b>no luck</b>');
} });
export default definePipeline({
  assets: [fetched],
  sensors: [sensor({ name: 'feed', evaluate: () => ({ skipReason: 'nothing new' }) })],
});
`;

let project: Project;
let page: LivePage;

beforeAll(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  await project.dynpart(['partitions', 'add', 'items', '--from', '-', '--json-lines'], {
    input: [...ATTACK_KEYS, 'bad', 'good'].map((key) => `${JSON.stringify(key)}\n`).join(''),
  });
  const item = '{"url":"https://a.example/feed?token=SECRET"}';
  await project.dynpart(['partitions', 'add', 'items', 'good', '--version', 'v1', '--item', item]);
  await project.dynpart(['materialize', 'fetched', '--key', 'bad', '--key', 'good']);
  // As long as all tests of this file may take.
  page = await LivePage.start(project, [], { killAfterMs: 1_800_000 });
});

afterAll(() => project[Symbol.asyncDispose]());

function dataIn(html: string): PageData {
  return JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(html)![1]!) as PageData;
}

const keyOf = (set: unknown, key: unknown): string =>
  `key.json?of=${encodeURIComponent(JSON.stringify([set, key]))}`;

describe('ui', () => {
  it('answers with the page, its data, and all of one key, and changes nothing', async () => {
    const before = project.stateBytes();
    const { status, text, headers } = await page.get();
    expect(status).toBe(200);
    const data = dataIn(text);
    expect(data).toMatchObject({
      isLive: true,
      trouble: null,
      shows: { items: true, metadata: true, logs: true },
    });
    expect(data.sets[0]!.keys).toEqual([...ATTACK_KEYS, 'bad', 'good']);
    expect(await page.data()).toEqual(data);
    const { text: json } = await page.get(keyOf('items', 'bad'));
    const { runs, logs } = JSON.parse(json) as PageKeyDetails;
    expect(runs.map((run) => [run.key, run.status, run.assets[0]!.said?.split('\n')[0]])).toEqual([
      ['bad', 'FAILURE', 'asset \'fetched\' for key "bad" threw: <b>no luck</b>'],
    ]);
    expect(logs[runs[0]!.id]![0]!.text).toBe('fetching https://a.example/?…');
    const good = JSON.parse((await page.get(keyOf('items', 'good'))).text) as PageKeyDetails;
    expect(good.carried).toEqual({ version: 'v1', item: { url: 'https://a.example/feed?…' } });
    // As much as metadata may have.
    expect(good.runs[0]!.assets[0]!.metadata['large']).toMatch(/^x{2000} … \(cut: it has/);
    expect(text + json + JSON.stringify(good)).not.toContain('SECRET');
    expect(text).not.toMatch(HARMFUL);
    expect(text).not.toMatch(/<b>|<img/);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-.*frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(project.stateBytes()).toBe(before);
  });

  it('tells of each key by itself, whatever it is called', async () => {
    for (const key of ATTACK_KEYS) {
      const { status, text } = await page.get(keyOf('items', key));
      expect([key, status, (JSON.parse(text) as PageKeyDetails).runs]).toEqual([key, 200, []]);
    }
    for (const asked of [
      'key.json',
      'key.json?of=',
      'key.json?of=[1,2]',
      'key.json?of=["a"]',
      'key.json?of={',
      'key.json?of=%',
    ])
      expect([asked, (await page.get(asked)).status]).toEqual([asked, 400]);
    expect((await page.get(keyOf('nobody', 'a'))).status).toBe(200);
    expect((await page.get(keyOf(null, null))).status).toBe(200);
  });

  it('answers nobody but who was given its address', async () => {
    const { pathname } = new URL(page.url);
    for (const path of [
      '/',
      '/data.json',
      '/events',
      '/favicon.ico',
      '//',
      '/?a',
      pathname.toUpperCase(),
      `/x${pathname}`,
    ]) {
      const { status, text } = await page.get(path);
      expect([path, status]).toEqual([path, 403]);
      expect(text).toContain('the address that dynpart ui has printed');
    }
    const foreign = [
      { host: 'evil.example' },
      { host: `evil.example:${page.port}` },
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign)
      for (const path of ['', 'data.json', 'events', keyOf('items', 'bad')])
        expect([headers, path, (await page.get(path, headers)).status]).toEqual([headers, path, 403]);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect(await page.get('', {}, method)).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect((await page.get('../../etc/passwd')).status).toBe(404);
    expect((await page.get('state.json')).status).toBe(404);
    const { host } = new URL(page.url);
    expect((await page.get('data.json', { origin: `http://${host}`, host })).status).toBe(200);
    expect((await page.get('data.json', { host: 'localhost:8080' })).status).toBe(200);
    // A slash that was not copied.
    expect(await page.get(pathname.slice(0, -1))).toMatchObject({
      status: 308,
      headers: { location: pathname },
    });
  });

  it('answers HEAD without a body', async () => {
    const { status, headers, text } = await page.get('', {}, 'HEAD');
    expect([status, text]).toEqual([200, '']);
    expect(Number(headers['content-length'])).toBeGreaterThan(10_000);
  });

  it('is there on 127.0.0.1 alone', async () => {
    const others = Object.values(os.networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
      .map(({ address }) => address);
    for (const address of [...others, '127.0.0.2'])
      expect([address, await connects(address, page.port)]).toEqual([address, false]);
    expect(await connects('127.0.0.1', page.port)).toBe(true);
  });

  it('tells at once of a commit, of a tick that changed nothing, and of a state that is damaged and mended', async () => {
    const events = page.events();
    const next = async (): Promise<string> => {
      for (;;) {
        const { value } = await events.next();
        if (typeof value !== 'string') throw new Error('it told no more');
        if (value.startsWith('now')) return value;
      }
    };
    const { at } = await page.data();
    expect(await next()).toBe(`now ${at}`);
    await project.dynpart(['partitions', 'add', 'items', 'late']);
    expect(await next()).not.toBe(`now ${at}`);
    expect((await page.data()).sets[0]!.keys.at(-1)).toBe('late');
    await project.dynpart(['sensor', 'tick']);
    await next();
    expect((await page.data()).sensors[0]!.ticks[0]).toMatchObject({
      status: 'SKIPPED',
      said: 'nothing new',
    });
    const file = project.path('.dynpart', 'state.json');
    const whole = fs.readFileSync(file);
    fs.writeFileSync(file, 'no state');
    while (!(await next()).endsWith('trouble'));
    const data = await page.data();
    expect(data.trouble).toMatchObject({
      message: expect.stringContaining(file),
      hint: expect.stringContaining('dynpart state'),
    });
    // What was known is still shown.
    expect(data.sets[0]!.keys).toContain('late');
    expect((await page.get()).status).toBe(200);
    fs.writeFileSync(file, whole);
    while ((await next()).endsWith('trouble'));
    expect((await page.data()).trouble).toBeNull();
    await events.return(undefined);
  });

  it('leaves out what is switched off, and can be two at a time', async () => {
    const bare = await LivePage.start(project, ['--no-items', '--no-metadata', '--no-logs']);
    const data = await bare.data();
    expect(data.shows).toEqual({ items: false, metadata: false, logs: false });
    const good = JSON.parse((await bare.get(keyOf('items', 'good'))).text) as PageKeyDetails;
    expect([good.carried, good.logs, good.runs[0]!.assets[0]!.metadata]).toEqual([{}, {}, {}]);
    expect(new URL(bare.url).pathname).not.toBe(new URL(page.url).pathname);
    expect(await bare.end()).toMatchObject({ code: 0 });
  });

  it('says that a port is taken, and how to go on; without one it takes another', async () => {
    const { code, document } = await project.json(['ui', '--port', String(page.port)]);
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: 'usage',
      message: `port ${page.port} of 127.0.0.1 is taken by another program`,
      hint: 'any port that is free: dynpart ui --port 0',
    });
    for (const [port, words] of [
      ['70000', '--port takes a number up to 65535, not 70000'],
      ['x', '--port takes a whole number'],
      ['-1', '--port takes a whole number'],
    ] as const) {
      const wrong = await project.json(['ui', `--port=${port}`]);
      expect([wrong.code, wrong.document.error.message]).toEqual([2, expect.stringContaining(words)]);
    }
    const taken = net
      .createServer()
      .listen(4747, '127.0.0.1')
      .on('error', () => undefined);
    const other = project.start(['ui']);
    await other.saw('/\n');
    other.process.kill('SIGINT');
    const { stdout } = await other.done;
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/\n$/);
    expect(stdout).not.toContain(':4747/');
    taken.close();
  });

  it('says what is wrong with a state or a pipeline before it serves anything', async () => {
    await using broken = new Project({ 'pipeline.ts': PIPELINE, '.dynpart/state.json': 'no state' });
    const { code, document } = await broken.json(['ui', '--port', '0']);
    expect([code, Object.keys(document)]).toEqual([5, ['error']]);
    await using empty = new Project();
    expect((await empty.json(['ui', '--port', '0'])).code).toBe(2);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 0 by %s, also while somebody looks', async (signal) => {
    const ending = await LivePage.start(project);
    const events = ending.events();
    await events.next();
    const { code } = await ending.end(signal);
    // One that waits for whoever looks is killed, and has no code.
    expect(code).toBe(0);
    await events.return(undefined).catch(() => undefined);
  });
});

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 20_000 });
    socket.on('connect', () => (socket.destroy(), resolve(true)));
    for (const event of ['error', 'timeout']) socket.on(event, () => (socket.destroy(), resolve(false)));
  });
}
