/** The pipeline that ships with dynpart, run as it is: against its own feed, and against a server whose feed grows. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fileNameOf } from '../../src/files/file-name.ts';
import { Project, root, type RunOptions } from '../support/project.ts';

const file = path.join(root, 'pipeline.example.ts');

/** The example from the repository, its state in a folder that goes away: the repository stays clean. */
class Example extends Project {
  args(...args: string[]): string[] {
    return ['-f', file, '--state', this.path('.dynpart', 'state.json'), ...args];
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  async ask(args: readonly string[], options: RunOptions = {}): Promise<any> {
    return (await this.json(this.args(...args), options)).document;
  }

  async tick(feed?: FeedServer, env: Record<string, string> = {}) {
    const { code, document } = await this.json(this.args('sensor', 'tick'), {
      env: { ...(feed && { FEED_URL: feed.url }), ...env },
    });
    return { code, tick: document.ticks[0] };
  }

  async keys(): Promise<string[]> {
    const { keys } = await this.ask(['partitions', 'list', 'episodes']);
    return keys.map(({ key }: { key: string }) => key);
  }

  /** What was kept for a key: a file beside the state, named after asset and key. */
  value(asset: string, key: string): unknown {
    return JSON.parse(this.read('.dynpart', 'values', fileNameOf(asset), `${fileNameOf(key)}.json`));
  }

  has(asset: string, key: string): boolean {
    return this.exists('.dynpart', 'values', fileNameOf(asset), `${fileNameOf(key)}.json`);
  }
}

interface Asked {
  readonly etag: string | undefined;
  readonly since: string | undefined;
  readonly status: number;
}

/** Serves one feed, counts who asked for it, and answers 304 to whoever has it already. */
class FeedServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  body = '';
  status: number | 'hang' | 'break-off' = 200;
  readonly #server = http.createServer((request, response) => {
    const etag = `"${this.body.length}-${this.body.split('<item>').length}"`;
    const { 'if-none-match': match, 'if-modified-since': since } = request.headers;
    const status = this.status === 200 && match === etag ? 304 : this.status;
    this.asked.push({ etag: match, since, status: typeof status === 'number' ? status : 0 });
    if (status === 'hang') return;
    if (status === 'break-off') {
      response.writeHead(200, { 'content-length': this.body.length + 1000 }).write(this.body);
      setTimeout(() => response.destroy(), 50);
      return;
    }
    const headers = {
      etag,
      'last-modified': 'Mon, 02 Jun 2025 00:00:00 GMT',
      'content-type': 'application/rss+xml',
    };
    response.writeHead(status, headers).end(status === 200 ? this.body : undefined);
  });

  static async serving(...items: readonly string[]): Promise<FeedServer> {
    const server = new FeedServer();
    server.serve(...items);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    onTestFinished(() => server[Symbol.asyncDispose]());
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/feed.xml?token=secret`;
  }

  serve(...items: readonly string[]): void {
    this.body = `<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>\n${items.join('\n')}</channel></rss>`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close').catch(() => undefined);
  }
}

/** An item of the given day of June 2025; without a guid when it is `null`. */
function item(guid: string | null, day: number, more = ''): string {
  const id = guid === null ? '' : `<guid isPermaLink="false">${guid}</guid>`;
  const date = new Date(Date.UTC(2025, 5, day, 6)).toUTCString();
  return `<item><title>Day ${day}</title>${id}<pubDate>${date}</pubDate>${more}</item>`;
}

function project(): Example {
  const example = new Example();
  onTestFinished(() => example[Symbol.asyncDispose]());
  return example;
}

describe('the feed that ships with dynpart', () => {
  const inOrder = [
    'harbour-0',
    'Trailer: What Harbours Know · Wed, 01 Jan 2025 00:00:00 GMT',
    '5f0c2c1e-2b1d-4f6e-9a59-0d7a3b7f1c87',
    'sha256:5400d2c03d79817a32a714887c6267a8ad77e54d848cbd347c92edf85323eac2',
    '"gulls" 🐦 (final, really)',
    'quay-live/3',
    'quay-live/1',
    'quay-live/2',
    'https://media.example.org/harbour/leaks.mp3',
    'Harbour Light, episode 11: ropes & knots',
    'https://harbour.example.com/episodes/lighthouse-keeper?utm_source=feed&v=2',
    'https://harbour.example.com/notes/summer-break',
  ];

  test('gives every episode once, oldest first, and both assets of each, without a network', async () => {
    const example = project();
    const { code, tick } = await example.tick();
    expect(code).toBe(0);
    expect(tick).toMatchObject({
      status: 'SUCCESS',
      partitions: [{ set: 'episodes', added: inOrder, updated: [], removed: [], skipped: [] }],
      cursor: { before: null, after: '2025-06-30T04:00:00.000Z' },
    });
    expect(tick.runs.map((run: { partitionKey: string }) => run.partitionKey)).toEqual(inOrder);
    expect(new Set(tick.runs.map((run: { status: string }) => run.status))).toEqual(new Set(['SUCCESS']));
    expect(await example.keys()).toEqual(inOrder);
    expect((await example.ask(['status'])).assets).toMatchObject([
      { asset: 'episode', total: 12, materialized: 12 },
      { asset: 'showNotes', total: 12, materialized: 12 },
    ]);

    expect(example.value('episode', 'quay-live/1')).toEqual({
      key: 'quay-live/1',
      title: 'Live from the Quay, Part 1: Sørine & the Herring',
      publishedAt: '2025-05-31T12:00:00.000Z',
      link: null,
      duration: null,
      enclosure: { url: 'https://media.example.org/harbour/quay-1.mp3', type: 'audio/mpeg', bytes: 24117248 },
      notes: 'Sørine Dahl on forty years of herring — café noise included.',
    });
    const notes =
      'Ingrid Falk kept the light on Torholm for eleven winters. The second one had one visitor.\n' +
      'What you do when the lamp fails at 3 a.m.\n' +
      'Why salt & copper don’t get along\n' +
      'Photographs: the Torholm album';
    expect(example.value('showNotes', inOrder[10]!)).toBe(notes);
  });

  test('leaves a record of the words that were counted', async () => {
    const example = project();
    await example.tick();
    const wordsOf = async (key: string): Promise<unknown> => {
      const { runs } = await example.ask(['runs', 'list', '--key', key]);
      const { run } = await example.ask(['runs', 'show', runs[0].id]);
      return run.assets.find(({ asset }: { asset: string }) => asset === 'showNotes').metadata.words;
    };
    expect(await wordsOf('quay-live/1')).toBe(10);
    expect(await wordsOf('Harbour Light, episode 11: ropes & knots')).toBe(17);
    expect(await wordsOf('"gulls" 🐦 (final, really)')).toBe(0);
    const { runs } = await example.ask(['runs', 'list', '--key', 'quay-live/1']);
    expect(runs[0].assets[0].metadata).toEqual({
      title: 'Live from the Quay, Part 1: Sørine & the Herring',
      publishedAt: '2025-05-31T12:00:00.000Z',
      audio: 'https://media.example.org/harbour/quay-1.mp3',
    });
  });

  test('has nothing new for a second tick, which leaves the bytes of the state alone', async () => {
    const example = project();
    await example.tick();
    const before = example.stateBytes();
    const { code, tick } = await example.tick();
    expect(code).toBe(0);
    expect(tick).toMatchObject({
      status: 'SKIPPED',
      skipReason: 'all 12 episodes of the feed are known',
      runs: [],
      partitions: [],
    });
    expect(example.stateBytes()).toBe(before);
  });

  test('says in one line what a tick did', async () => {
    const example = project();
    const { stdout, stderr } = await example.dynpart(example.args('sensor', 'tick'));
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^feed: 12 keys added, 12 runs queued; 12 runs succeeded in [\d.]+ s\n$/);
  });
});

describe('a feed that grows', () => {
  test('loses no episode that comes late, shares a date, has no guid or stands twice, and runs none twice', async () => {
    const example = project();
    const feed = await FeedServer.serving(item('three', 3), item('one', 1));
    expect((await example.tick(feed)).tick).toMatchObject({
      partitions: [{ added: ['one', 'three'] }],
      cursor: { after: '2025-06-03T06:00:00.000Z' },
    });

    const audio = '<enclosure url="https://example.org/late.mp3" type="audio/mpeg" length="1"/>';
    feed.serve(
      item('three', 3),
      item('three', 9),
      item(null, 2, audio),
      item('also three', 3),
      item('one', 1),
    );
    const second = await example.tick(feed);
    expect(second.tick).toMatchObject({
      status: 'SUCCESS',
      partitions: [{ added: ['https://example.org/late.mp3', 'also three'], skipped: [] }],
      cursor: { before: '2025-06-03T06:00:00.000Z', after: '2025-06-03T06:00:00.000Z' },
      skippedRunKeys: [],
    });
    expect((await example.tick(feed)).tick).toMatchObject({ status: 'SKIPPED' });

    feed.serve(item('five', 5));
    expect((await example.tick(feed)).tick).toMatchObject({ partitions: [{ added: ['five'], removed: [] }] });
    const { runs } = await example.ask(['runs', 'list']);
    expect(runs.map((run: { partitionKey: string }) => run.partitionKey).reverse()).toEqual([
      'one',
      'three',
      'https://example.org/late.mp3',
      'also three',
      'five',
    ]);
    // Each command is a process of its own: nothing is known by which to ask conditionally, and each asks once.
    expect(feed.asked).toHaveLength(4);
    expect(feed.asked).toEqual(feed.asked.map(() => ({ etag: undefined, since: undefined, status: 200 })));
  });

  test(
    'is fetched once for a thousand episodes, and all thousand runs succeed',
    { timeout: 120_000 },
    async () => {
      const example = project();
      const notes = `<description>&lt;p&gt;${'some words '.repeat(50)}&lt;/p&gt;</description>`;
      const items = Array.from({ length: 1000 }, (_, i) => item(`urn:episode:${i}`, 1 + (i % 28), notes));
      const feed = await FeedServer.serving(...items);
      const { code, tick } = await example.tick(feed);
      expect(code).toBe(0);
      expect(tick.runs).toHaveLength(1000);
      expect(tick.runs.filter((run: { status: string }) => run.status !== 'SUCCESS')).toEqual([]);
      expect(feed.asked).toHaveLength(1);

      expect((await example.tick(feed)).tick).toMatchObject({ status: 'SKIPPED' });
      expect(feed.asked).toHaveLength(2);

      const again = await example.ask(['materialize', '--all', '--summary'], { env: { FEED_URL: feed.url } });
      expect(again.summary).toMatchObject({ total: 1000, succeeded: 1000 });
      expect(feed.asked).toHaveLength(3);
    },
  );

  test('is an error of the run, and of no other, when it lists an episode no longer', async () => {
    const example = project();
    const feed = await FeedServer.serving(item('old', 1), item('new', 2));
    await example.tick(feed);
    feed.serve(item('new', 2));
    const { code, document } = await example.json(example.args('materialize', '--all'), {
      env: { FEED_URL: feed.url },
    });
    expect(code).toBe(1);
    expect(document.summary).toMatchObject({ succeeded: 1, failed: 1 });
    const old = document.runs.find((run: { partitionKey: string }) => run.partitionKey === 'old');
    expect(old.error.message).toMatch(
      /the feed http:\/\/127\.0\.0\.1:\d+\/feed\.xml has no episode 'old' \(any more\)/,
    );
    expect(old.assets[1]).toMatchObject({ asset: 'showNotes', status: 'SKIPPED' });
    expect(feed.asked).toHaveLength(2);
  });

  test('is asked for conditionally by a watch, which finds what is new and fetches it once for its runs', async () => {
    const example = project();
    const feed = await FeedServer.serving(item('one', 1));
    // The example's own sensor and assets; only the interval is one that a test can wait for.
    example.write({
      'pipeline.ts': `
        import { definePipeline, sensor } from 'dynpart';
        import { episode, feed, showNotes } from ${JSON.stringify(file)};
        const quick = sensor({ ...feed.options, minimumIntervalSeconds: 1 });
        export default definePipeline({ assets: [episode, showNotes], sensors: [quick] });`,
    });
    const watch = example.start(['sensor', 'watch', '--json'], { env: { FEED_URL: feed.url } });
    let ended = '';
    void watch.done.then((result) => (ended = JSON.stringify(result)));
    const until = async (holds: () => boolean): Promise<void> => {
      for (
        const end = Date.now() + 30_000;
        !holds();
        await new Promise((resolve) => setTimeout(resolve, 50))
      ) {
        if (Date.now() > end || ended !== '')
          throw new Error(`in vain: ${JSON.stringify(feed.asked)} ${ended}`);
      }
    };
    const answers = (status: number): number => feed.asked.filter((asked) => asked.status === status).length;
    await until(() => example.has('showNotes', 'one'));
    await until(() => answers(304) >= 2);
    // One for the sensor's thread, one for the thread of the runs.
    expect(answers(200)).toBe(2);
    expect(feed.asked.at(-1)!.since).toBe('Mon, 02 Jun 2025 00:00:00 GMT');

    feed.serve(item('one', 1), item('two', 2), item('three', 3));
    await until(() => example.has('showNotes', 'two') && example.has('showNotes', 'three'));
    expect(answers(200)).toBe(4);
    watch.process.kill('SIGINT');
    expect((await watch.done).code).toBe(0);
    const { runs } = (await example.json(['runs', 'list'])).document;
    expect(runs.map((run: { status: string }) => run.status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
  });
});

/** Ticks a feed that was fine once and is not now: nothing may change. What the tick says is returned. */
async function failing(
  change: (feed: FeedServer) => void,
  env: Record<string, string> = {},
): Promise<string> {
  const example = project();
  const feed = await FeedServer.serving(item('one', 1));
  await example.tick(feed);
  const before = example.stateBytes();
  feed.serve(item('one', 1), item('two', 2));
  change(feed);
  const { code, tick } = await example.tick(feed, env);
  expect(code).toBe(3);
  expect(tick).toMatchObject({
    status: 'FAILURE',
    runs: [],
    cursor: { before: '2025-06-01T06:00:00.000Z', after: '2025-06-01T06:00:00.000Z' },
  });
  expect(example.stateBytes()).toBe(before);
  expect(feed.asked).toHaveLength(2);

  // And nothing of it is lost: the next tick finds what this one would have found.
  feed.status = 200;
  feed.serve(item('one', 1), item('two', 2));
  expect((await example.tick(feed)).tick).toMatchObject({
    status: 'SUCCESS',
    partitions: [{ added: ['two'] }],
  });
  return tick.error.message;
}

describe('a feed that cannot be read', () => {
  test('because the server answers 500 changes nothing, and its secret is not told', async () => {
    const message = await failing((feed) => (feed.status = 500));
    expect(message).toContain('/feed.xml (because: the server answered 500 Internal Server Error)');
    expect(message).not.toContain('secret');
  });

  test('because it is not well-formed changes nothing and names the line', async () => {
    const message = await failing((feed) =>
      feed.serve(item('one', 1), item('two', 2), '<item><guid>&broken'),
    );
    expect(message).toMatch(/it is not well-formed XML: line 4:\d+/);
  });

  test('because it is something else changes nothing and says what it is', async () => {
    const message = await failing((feed) => (feed.body = '<!DOCTYPE html><html><body>Log in</body></html>'));
    expect(message).toContain('it is no RSS feed: it begins with <html> instead of <rss>');
  });

  test('because the server never answers changes nothing and ends in time', async () => {
    const started = performance.now();
    const message = await failing((feed) => (feed.status = 'hang'), { FEED_TIMEOUT_SECONDS: '1' });
    expect(message).toMatch(/cannot read the feed http:\S+\/feed\.xml within 1 seconds/);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('because the answer breaks off in the middle changes nothing', async () => {
    const message = await failing((feed) => (feed.status = 'break-off'));
    expect(message).toMatch(/cannot read the feed http:\S+\/feed\.xml \(because: TypeError: terminated/);
  });

  test('because its address is no address changes nothing', async () => {
    const example = project();
    const { code, document } = await example.json(example.args('sensor', 'tick'), {
      env: { FEED_URL: 'feed.xml' },
    });
    expect(code).toBe(3);
    expect(document.ticks[0].error.message).toContain('FEED_URL must begin with http:// or https://');
  });

  test('is an error of the runs that need it, asked for once, when it is a materialize that reads it', async () => {
    const example = project();
    const feed = await FeedServer.serving(
      ...Array.from({ length: 30 }, (_, i) => item(`e${i}`, 1 + (i % 28))),
    );
    await example.tick(feed);
    feed.status = 503;
    const { code, document } = await example.json(example.args('materialize', '--all'), {
      env: { FEED_URL: feed.url },
    });
    expect(code).toBe(1);
    expect(document.summary).toMatchObject({ total: 30, failed: 30 });
    expect(feed.asked).toHaveLength(2);
  });

  test('does not keep a materialize that is told to stop', async () => {
    const example = project();
    const feed = await FeedServer.serving(item('one', 1));
    await example.tick(feed);
    feed.status = 'hang';
    const running = example.start(example.args('materialize', '--key', 'one'), {
      env: { FEED_URL: feed.url },
    });
    while (feed.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const started = performance.now();
    running.process.kill('SIGINT');
    expect((await running.done).code).toBe(130);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
