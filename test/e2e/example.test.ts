/** The pipeline that ships with dynpart, run as it is: against its own feed, and against a server whose feed grows. */
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fileNameOf } from '../../src/files/file-name.ts';
import { AnsweringServer } from '../support/answering-server.ts';
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

  async tick(url?: string) {
    const { code, document } = await this.json(this.args('sensor', 'tick'), {
      env: { ...(url && { FEED_URL: url }) },
    });
    const [found, made] = document.ticks;
    return { code, tick: { ...found, runs: made?.runs } };
  }

  /** What was kept for a key: a file beside the state, named after asset and key. */
  value(asset: string, key: string): unknown {
    return JSON.parse(this.read('.dynpart', 'values', fileNameOf(asset), `${fileNameOf(key)}.json`));
  }
}

/** Serves one feed, and answers 304 to whoever has it already. */
async function serving(...items: string[]) {
  const feed = { url: '', items, status: 200, answered: [] as number[] };
  const server = await AnsweringServer.answering((request, response) => {
    const body = `<rss version="2.0"><channel><title>T</title>\n${feed.items.join('\n')}</channel></rss>`;
    const etag = `"${body.length}-${feed.items.length}"`;
    const status = feed.status === 200 && request.headers['if-none-match'] === etag ? 304 : feed.status;
    feed.answered.push(status);
    response.writeHead(status, { etag }).end(status === 200 ? body : undefined);
  });
  feed.url = `${server.url}/feed.xml?token=secret`;
  return feed;
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
    'Trailer: What Harbours Know',
    '5f0c2c1e-2b1d-4f6e-9a59-0d7a3b7f1c87',
    'sha256:5400d2c03d79817a32a714887c6267a8ad77e54d848cbd347c92edf85323eac2',
    '"gulls" 🐦 (final, really)',
    'quay-live/2',
    'quay-live/1',
    'quay-live/3',
    'https://harbour.example.com/episodes/leaks',
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
    });
    expect(tick.runs.map((run: { partitionKey: string }) => run.partitionKey)).toEqual(inOrder);
    expect(new Set(tick.runs.map((run: { status: string }) => run.status))).toEqual(new Set(['SUCCESS']));
    expect((await example.ask(['status'])).assets).toMatchObject([
      { asset: 'episode', total: 12, materialized: 12 },
      { asset: 'showNotes', total: 12, materialized: 12 },
    ]);
    expect(example.value('episode', 'quay-live/1')).toEqual({
      id: 'quay-live/1',
      title: 'Live from the Quay, Part 1: Sørine & the Herring',
      url: null,
      published: '2025-05-31T12:00:00.000Z',
      updated: null,
      author: null,
      summary: 'Sørine Dahl on forty years of herring — café noise included.',
      enclosure: { url: 'https://media.example.org/harbour/quay-1.mp3', type: 'audio/mpeg', bytes: 24117248 },
      duration: null,
      season: null,
      episode: null,
      image: null,
    });
  });

  test('leaves a record of the words that were counted', async () => {
    const example = project();
    await example.tick();
    const { runs } = await example.ask(['runs', 'list', '--key', 'quay-live/1']);
    expect(runs[0].assets.map(({ metadata }: { metadata: object }) => metadata)).toEqual([
      {
        title: 'Live from the Quay, Part 1: Sørine & the Herring',
        published: '2025-05-31T12:00:00.000Z',
        audio: 'https://media.example.org/harbour/quay-1.mp3',
      },
      { words: 10 },
    ]);
  });

  test('has nothing new for a second tick, which leaves the bytes of the state alone', async () => {
    const example = project();
    await example.tick();
    const before = example.stateBytes();
    expect(await example.tick()).toMatchObject({
      code: 0,
      tick: { status: 'SKIPPED', skipReason: 'all 12 items of the feed are known', runs: [], partitions: [] },
    });
    expect(example.stateBytes()).toBe(before);
  });

  test('says in one line what a tick did', async () => {
    const example = project();
    const { stdout, stderr } = await example.dynpart(example.args('sensor', 'tick'));
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^feed: 12 keys added; automation: 12 runs queued; 12 runs succeeded in [\d.]+ s\n$/,
    );
  });
});

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
};

describe('a feed that grows', () => {
  test('loses no episode that comes late, shares a date, has no guid or stands twice, and runs none twice', async () => {
    const example = project();
    const feed = await serving(item('three', 3), item('one', 1));
    expect((await example.tick(feed.url)).tick).toMatchObject({ partitions: [{ added: ['one', 'three'] }] });
    const audio = '<enclosure url="https://example.org/late.mp3" type="audio/mpeg" length="1"/>';
    feed.items = [
      item('three', 3),
      item('three', 3),
      item(null, 2, audio),
      item('also three', 3),
      item('one', 1),
    ];
    expect((await example.tick(feed.url)).tick).toMatchObject({
      partitions: [{ added: ['https://example.org/late.mp3', 'also three'], updated: [], skipped: [] }],
    });
    expect((await example.tick(feed.url)).tick).toMatchObject({
      status: 'SKIPPED',
      skipReason: 'the feed has not changed',
    });
    feed.items = [item('five', 5)];
    expect((await example.tick(feed.url)).tick).toMatchObject({
      partitions: [{ added: ['five'], removed: [] }],
    });
    const { runs } = await example.ask(['runs', 'list']);
    expect(runs.map((run: { partitionKey: string }) => run.partitionKey).reverse()).toEqual([
      'one',
      'three',
      'https://example.org/late.mp3',
      'also three',
      'five',
    ]);
    expect(feed.answered).toEqual([200, 200, 304, 200]);
  });

  test('makes an episode again that was edited', async () => {
    const example = project();
    const feed = await serving(item('one', 1));
    await example.tick(feed.url);
    feed.items = [item('one', 1).replace('Day 1', 'The first day')];
    expect((await example.tick(feed.url)).tick).toMatchObject({
      partitions: [{ added: [], updated: ['one'] }],
      runs: [{ partitionKey: 'one', status: 'SUCCESS' }],
    });
    expect(example.value('episode', 'one')).toMatchObject({ title: 'The first day' });
  });

  test('is fetched once for a thousand episodes, which are made again without it', async () => {
    const example = project();
    const notes = `<description>&lt;p&gt;${'some words '.repeat(50)}&lt;/p&gt;</description>`;
    const feed = await serving(
      ...Array.from({ length: 1000 }, (_, i) => item(`urn:episode:${i}`, 1 + (i % 28), notes)),
    );
    const { code, tick } = await example.tick(feed.url);
    expect(code).toBe(0);
    expect(tick.runs.filter((run: { status: string }) => run.status === 'SUCCESS')).toHaveLength(1000);
    const again = await example.ask(['materialize', '--all', '--summary'], { env: { FEED_URL: feed.url } });
    expect(again.summary).toMatchObject({ total: 1000, succeeded: 1000 });
    expect(feed.answered).toEqual([200]);
  });

  test('and cannot be read changes nothing, says why, and tells no secret', async () => {
    const example = project();
    const feed = await serving(item('one', 1));
    await example.tick(feed.url);
    const before = example.stateBytes();
    feed.status = 500;
    const { code, tick } = await example.tick(feed.url);
    expect([code, tick.status]).toEqual([3, 'FAILURE']);
    expect(tick.error.message).toMatch(
      /cannot read the feed http:\S+\/feed\.xml: the server answered 500 Internal Server Error/,
    );
    expect(JSON.stringify(tick)).not.toContain('secret');
    expect(example.stateBytes()).toBe(before);
    const { code: usage, stderr } = await example.dynpart(example.args('sensor', 'tick'), {
      env: { FEED_URL: 'feed.xml' },
    });
    expect([usage, stderr]).toEqual([
      2,
      expect.stringContaining('feed() needs an address such as https://example.org/feed.xml, not "feed.xml"'),
    ]);
  });

  test('is asked for conditionally by a watch, which finds what is new', async () => {
    const example = project();
    const feed = await serving(item('one', 1));
    // The example's own sensor and assets; only the interval is one that a test can wait for.
    example.write({
      'pipeline.ts': `
        import { definePipeline, sensor } from 'dynpart';
        import { episode, news, showNotes } from ${JSON.stringify(file)};
        const quick = sensor({ ...news.options, minimumIntervalSeconds: 1 });
        export default definePipeline({ assets: [episode, showNotes], sensors: [quick] });`,
    });
    const watch = example.start(['sensor', 'watch', '--json'], { env: { FEED_URL: feed.url } });
    await until(() => feed.answered.includes(304));
    feed.items = [item('one', 1), item('two', 2)];
    await until(() => example.exists('.dynpart', 'values', 'show%4Eotes', 'two.json'));
    watch.process.kill('SIGINT');
    expect((await watch.done).code).toBe(0);
    expect(feed.answered.filter((status) => status === 200)).toHaveLength(2);
  });
});
