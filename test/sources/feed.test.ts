/** `feed`: what becomes of the items of feeds of all kinds, what is asked of the server, and what is said when it cannot be read. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { feed, type FeedItem, type FeedOptions } from 'dynpart/sources';
import { AnsweringServer } from '../support/answering-server.ts';
import { SetModel } from '../support/set-model.mjs';

const NAMESPACES =
  'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"';

const rss = (...items: string[]): string =>
  `<?xml version="1.0"?><rss version="2.0" ${NAMESPACES}><channel><title>of the channel</title>${items
    .map((item) => `<item>${item}</item>`)
    .join('\n')}</channel></rss>`;

/** A feed that a real server gives, and the set that its sensor fills. */
class Feed {
  readonly set = new SetModel();
  body: string | Uint8Array = '';
  headers: Record<string, string> = { 'content-type': 'application/xml' };
  status = 200;
  server!: AnsweringServer;
  #evaluate!: ReturnType<typeof feed>;

  static async of(body: string | Uint8Array, options: FeedOptions = {}): Promise<Feed> {
    const made = new Feed();
    made.body = body;
    made.server = await AnsweringServer.answering((_, response) => {
      response.writeHead(made.status, made.headers).end(made.body);
    });
    made.#evaluate = feed(made.set, `${made.server.url}/feed.xml?token=secret`, options);
    return made;
  }

  tick(body?: string): ReturnType<SetModel['tick']> {
    if (body !== undefined) this.body = body;
    return this.set.tick(this.#evaluate);
  }

  async failing(): Promise<string> {
    const { cursor } = this.set;
    const keys = [...this.set.keys.keys()];
    const message = await this.tick().then(
      () => 'it was read',
      (error: Error) => error.message,
    );
    expect([this.set.cursor, [...this.set.keys.keys()]]).toEqual([cursor, keys]);
    expect(message).not.toContain('secret');
    return message.replace(this.server.url, '').replace('cannot read the feed /feed.xml: ', '');
  }

  get keys(): string[] {
    return [...this.set.keys.keys()];
  }

  item(key: string): FeedItem {
    return this.set.keys.get(key)!.item as FeedItem;
  }
}

describe('an item', () => {
  test('of RSS has what the feed says, told by namespace and not by prefix', async () => {
    const feed =
      await Feed.of(`<rss xmlns:c="http://purl.org/rss/1.0/modules/content/" xmlns:i="http://www.itunes.com/DTDs/Podcast-1.0.dtd">
      <channel><title>of the channel</title><item>
      <title>Salt &amp; <![CDATA[<b>Pepper</b>]]> &#x1F9C2;</title><guid isPermaLink="false">g</guid><link> /salt </link>
      <pubDate>Mon, 09 Jun 2025 06:30:00 EST</pubDate><i:duration>1:02:34</i:duration><i:episode>7</i:episode>
      <enclosure url="/a.mp3?x=1&amp;y=2" length="1234" type="audio/mpeg"/><i:image href="/a.png"/>
      <description><![CDATA[<p>One <b>bold</b> word&hellip;</p><p>two</p>]]></description><c:encoded>long</c:encoded>
      </item></channel></rss>`);
    await feed.tick();
    expect(feed.keys).toEqual(['g']);
    expect(feed.item('g')).toEqual({
      id: 'g',
      title: 'Salt & Pepper 🧂',
      url: `${feed.server.url}/salt`,
      published: '2025-06-09T11:30:00.000Z',
      updated: null,
      author: null,
      summary: 'One bold word…\ntwo',
      enclosure: { url: `${feed.server.url}/a.mp3?x=1&y=2`, type: 'audio/mpeg', bytes: 1234 },
      duration: 3754,
      season: null,
      episode: 7,
      image: `${feed.server.url}/a.png`,
    });
  });

  test('of Atom, of RDF and of JSON Feed is read as well', async () => {
    const atom =
      await Feed.of(`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/blog/">
      <entry><id>urn:1</id><title type="html">A &amp;lt; B</title><link rel="self" href="/no"/><link href="a"/>
      <link rel="enclosure" href="a.ogg" type="audio/ogg" length="9"/><author><name>Ada</name></author>
      <updated>2025-01-02T03:04:05+01:00</updated>
      <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>1 &lt; 2</p><p>b</p></div></content>
      <source><id>urn:other</id><title>of the source</title></source></entry></feed>`);
    await atom.tick();
    expect(atom.item('urn:1')).toMatchObject({
      title: 'A < B',
      url: 'https://example.org/blog/a',
      author: 'Ada',
      updated: '2025-01-02T02:04:05.000Z',
      summary: '1 < 2\nb',
      enclosure: { url: 'https://example.org/blog/a.ogg', type: 'audio/ogg', bytes: 9 },
    });

    const rdf =
      await Feed.of(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
      xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>c</title></channel>
      <item rdf:about="https://example.org/1"><title>One</title><link>https://example.org/1</link><dc:date>2025-01-02</dc:date></item></rdf:RDF>`);
    await rdf.tick();
    expect(rdf.item('https://example.org/1')).toMatchObject({
      title: 'One',
      published: '2025-01-02T00:00:00.000Z',
    });

    const json = await Feed.of(
      JSON.stringify({
        version: 'https://jsonfeed.org/version/1.1',
        items: [
          {
            id: 7,
            title: 'Seven',
            content_text: 'a < b',
            attachments: [{ url: 'https://e.org/7.mp3', mime_type: 'audio/mpeg' }],
          },
        ],
      }),
    );
    await json.tick();
    expect(json.item('7')).toMatchObject({
      title: 'Seven',
      summary: 'a < b',
      enclosure: { url: 'https://e.org/7.mp3', bytes: null },
    });
  });

  test('of a feed that is not well-formed is read, but not one that is cut in two', async () => {
    const feed = await Feed.of(
      rss('<guid>a</guid><title>A&nbsp;& B</titel></title>', '<guid>b</guid>').replace(/b<\/guid>[^]*/, 'b'),
    );
    const { added } = await feed.tick();
    expect(added).toEqual(['a']);
    expect(feed.item('a').title).toContain('A & B');
    feed.body = rss('<guid>a</guid><title>A&nbsp;& B</titel></title>', '<guid>bc</guid>');
    expect((await feed.tick()).added).toEqual(['bc']);
  });

  test('comes oldest first, those without a date before all others', async () => {
    const feed = await Feed.of(
      rss(
        '<guid>new</guid><pubDate>3 Feb 2025 00:00:00 GMT</pubDate>',
        '<guid>future</guid><pubDate>3 Feb 2125 00:00:00 GMT</pubDate>',
        '<guid>none</guid>',
        '<guid>old</guid><pubDate>Thu, 02 Feb 2025 00:00:00 GMT</pubDate>',
      ),
    );
    expect((await feed.tick()).added).toEqual(['none', 'old', 'new', 'future']);
  });
});

const keysOf = async (options: FeedOptions, ...items: string[]): Promise<string[]> => {
  const feed = await Feed.of(rss(...items), options);
  await feed.tick();
  return feed.keys;
};

describe('the key of an item', () => {
  test('is its id, else its link, else its enclosure, else its title, else its text', async () => {
    const parts = [
      '<guid>G</guid>',
      '<link>L</link>',
      '<enclosure url="E"/>',
      '<title>T</title>',
      '<description>D</description>',
    ];
    const found = [];
    for (let from = 0; from < parts.length; from++)
      found.push(...(await keysOf({}, parts.slice(from).join(''))));
    expect(found).toEqual(['G', 'L', 'E', 'T', expect.stringMatching(/^#[\w-]{22}$/)]);
    expect(await keysOf({}, '', '<guid/>')).toEqual([]);
  });

  test('is what the identity says', async () => {
    const item = '<guid>G</guid><link>L</link><title>T</title><pubDate>3 Feb 2025 00:00:00 GMT</pubDate>';
    expect(await keysOf({ identity: 'link' }, item)).toEqual(['L']);
    expect(await keysOf({ identity: 'title+date' }, item)).toEqual(['T · 2025-02-03T00:00:00.000Z']);
    expect(await keysOf({ identity: ({ title }) => `t:${title}` }, item)).toEqual(['t:T']);
  });

  test('begins with the prefix, and is a hash where it could be no key', async () => {
    expect(await keysOf({ prefix: 'pod/' }, '<guid>G</guid>')).toEqual(['pod/G']);
    const [long] = await keysOf({ prefix: 'pod/' }, `<guid>${'é'.repeat(511)}</guid>`);
    expect(long).toMatch(/^pod\/sha256:[0-9a-f]{64}$/);
    expect(await keysOf({}, '<guid>a\nb</guid>')).toEqual([expect.stringMatching(/^sha256:/)]);
    expect(await keysOf({}, `<guid>${'é'.repeat(512)}</guid>`)).toEqual(['é'.repeat(512)]);
  });
});

const item = (date: string | null, text: string): string =>
  `<title>News</title>${date === null ? '' : `<pubDate>${date} Feb 2025 00:00:00 GMT</pubDate>`}<description>${text}</description>`;

describe('items that have nothing but a title', () => {
  test('keep their keys when they become several, are reordered, re-dated, edited and dropped', async () => {
    const feed = await Feed.of(rss(item('1', 'one')));
    expect((await feed.tick()).added).toEqual(['News']);
    expect((await feed.tick(rss(item('2', 'two'), item('1', 'one')))).added).toEqual([
      'News · 2025-02-02T00:00:00.000Z',
    ]);
    // Reordered, the first edited, the second with another date.
    const third = await feed.tick(rss(item('1', 'one, edited'), item('5', 'two')));
    expect([third.added, third.updated]).toEqual([[], ['News']]);
    expect((await feed.tick(rss(item('5', 'two')))).added).toEqual([]);
    expect((await feed.tick(rss(item('1', 'one, edited'), item('5', 'two')))).added).toEqual([]);
    // Another one is another one, although its title is that of an item that is not in the feed any more.
    expect((await feed.tick(rss(item('9', 'nine')))).added).toEqual(['News · 2025-02-09T00:00:00.000Z']);
  });

  test('are known from the set when the cursor is gone', async () => {
    const feed = await Feed.of(rss(item('2', 'two'), item('1', 'one')));
    await feed.tick();
    feed.set.cursor = null;
    expect((await feed.tick(rss(item('1', 'one'), item('2', 'two'), item('3', 'three')))).added).toEqual([
      'News · 2025-02-03T00:00:00.000Z',
    ]);
  });

  test('are one when they are the same, and several when only their text differs', async () => {
    const feed = await Feed.of(rss(item(null, 'one'), item(null, 'one')));
    expect((await feed.tick()).added).toEqual(['News']);
    expect((await feed.tick(rss(item(null, 'edited')))).updated).toEqual(['News']);
    expect((await feed.tick(rss(item(null, 'edited'), item(null, 'two')))).added).toHaveLength(1);
    expect(feed.keys).toHaveLength(2);
  });
});

const titled = (more: string): string =>
  `<guid>g</guid><title>T</title><description>text</description>${more}`;

describe('a version', () => {
  test('changes with title, link, enclosure and text, and with nothing else', async () => {
    const feed = await Feed.of(rss(titled('')));
    await feed.tick();
    for (const other of [
      '<pubDate>1 Feb 2025 00:00:00 GMT</pubDate>',
      '<itunes:duration>5</itunes:duration>',
    ])
      expect(await feed.tick(rss(titled(other)))).toMatchObject({ added: [], updated: [] });
    let before = titled('');
    for (const change of [
      (text: string) => text.replace('>T<', '>U<'),
      (text: string) => `${text}<link>https://e.org</link>`,
      (text: string) => `${text}<enclosure url="https://e.org/a.mp3"/>`,
      (text: string) => text.replace('>text<', '>other<'),
    ]) {
      before = change(before);
      expect(await feed.tick(rss(before))).toMatchObject({ added: [], updated: ['g'] });
    }
  });

  test('is the same whatever the order of an item that stands twice', async () => {
    const [one, two] = ['<guid>g</guid><title>1</title>', '<guid>g</guid><title>2</title>'];
    const feed = await Feed.of(rss(one, two));
    expect((await feed.tick()).added).toEqual(['g']);
    expect(await feed.tick(rss(two, one))).toMatchObject({ added: [], updated: [] });
  });
});

describe('the server', () => {
  test('is asked for what changed, and only for what the last tick took', async () => {
    const feed = await Feed.of(rss('<guid>1</guid>', '<guid>2</guid>', '<guid>3</guid>'), {
      backlog: { first: 'newest', perTick: 2 },
    });
    feed.headers = { etag: '"a"', 'last-modified': 'Mon, 03 Feb 2025 04:05:06 GMT' };
    expect((await feed.tick()).added).toEqual(['2', '1']);
    expect((await feed.tick()).added).toEqual(['3']);
    feed.status = 304;
    const third = await feed.tick();
    expect(third.result).toEqual({ skipReason: 'the feed has not changed' });
    const conditions = feed.server.asked.map(({ headers }) => [
      headers['if-none-match'],
      headers['if-modified-since'],
    ]);
    expect(conditions).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      ['"a"', 'Mon, 03 Feb 2025 04:05:06 GMT'],
    ]);
  });

  test('is not asked by what another feed left in the cursor', async () => {
    const feed = await Feed.of(rss('<guid>1</guid>'));
    feed.headers = { etag: '"a"' };
    await feed.tick();
    feed.set.cursor = feed.set.cursor!.replace(/"of":"./, '"of":"?');
    await feed.tick();
    feed.set.cursor = '2025-01-01T00:00:00Z';
    expect((await feed.tick()).result.skipReason).toBe('all 1 items of the feed are known');
    expect(feed.server.asked.map(({ headers }) => headers['if-none-match'])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('may compress, lead elsewhere, and want a name', async () => {
    const server = await AnsweringServer.answering((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/feed' }).end();
      else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(rss('<guid>1</guid>')));
    });
    const set = new SetModel();
    await set.tick(feed(set, server.url.replace('//', '//ada:p%40ss@')));
    expect([...set.keys.keys()]).toEqual(['1']);
    expect(server.asked[0]!.headers.authorization).toBe(`Basic ${btoa('ada:p@ss')}`);
  });
});

const encoded = (name: string): string =>
  `<?xml version="1.0" encoding="${name}"?>${rss('<guid>g</guid><title>Größe € „x“</title>').slice(21)}`;

function utf32(text: string): Uint8Array {
  const bytes = Buffer.alloc(4 * Array.from(text).length);
  Array.from(text).forEach((sign, at) => bytes.writeUInt32BE(sign.codePointAt(0)!, 4 * at));
  return bytes;
}

const windows = (text: string): Uint8Array =>
  Buffer.from(text.replace('€', '\x80').replace('„', '\x84').replace('“', '\x93'), 'latin1');

describe('the encoding', () => {
  test.each<[string, Uint8Array, string]>([
    ['UTF-8 that nobody names', Buffer.from(encoded('utf-8').replace(/ encoding="[^"]*"/, '')), 'text/xml'],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${encoded('utf-8')}`), 'text/xml'],
    [
      'UTF-8 that the server calls something else',
      Buffer.from(encoded('utf-8')),
      'text/xml; charset=iso-8859-1',
    ],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${encoded('utf-16')}`, 'utf16le'), 'text/xml'],
    ['UTF-16 without a mark', Buffer.from(encoded('utf-16'), 'utf16le').swap16(), 'text/xml'],
    ['UTF-8 that says it is UTF-16', Buffer.from(encoded('utf-16')), 'text/xml'],
    ['UTF-32', utf32(encoded('utf-32')), 'text/xml'],
    ['windows-1252 by its first line', windows(encoded('windows-1252')), 'text/xml'],
    ['windows-1252 that is called ISO-8859-1', windows(encoded('iso-8859-1')), 'text/xml'],
    ['windows-1252 that nobody names', windows(encoded('none-such')), 'text/xml'],
  ])('may be %s', async (_, body, type) => {
    const feed = await Feed.of(body);
    feed.headers = { 'content-type': type };
    await feed.tick();
    expect(feed.item('g').title).toBe('Größe € „x“');
  });
});

describe('a feed that cannot be read says why, and nothing changes', () => {
  test('when the server refuses', async () => {
    const feed = await Feed.of(rss('<guid>1</guid>'));
    await feed.tick();
    feed.status = 404;
    expect(await feed.failing()).toBe('the server answered 404 Not Found');
    feed.status = 503;
    feed.headers = { 'retry-after': '120' };
    expect(await feed.failing()).toBe('the server answered 503 Service Unavailable (try again: 120)');
  });

  test('when it is something else', async () => {
    const feed = await Feed.of('');
    expect(await feed.failing()).toBe('it is empty');
    feed.body =
      '<!DOCTYPE html><html><head><link rel="alternate" type="application/rss+xml" href="/real.xml"><title>Log in</title>';
    expect(await feed.failing()).toBe('it is no feed: it begins with <html>; it names a feed: /real.xml');
    feed.body = 'Not found';
    expect(await feed.failing()).toBe('it is no feed: it begins with "Not found"');
    feed.body = '{"error": "no such feed"}';
    expect(await feed.failing()).toBe('it is no JSON Feed: it is JSON without "items"');
    feed.body = '{"items": [';
    expect(await feed.failing()).toMatch(/^it is no JSON Feed: .*JSON/);
    feed.body = '<opml><body/></opml>';
    expect(await feed.failing()).toBe('it is no feed: it begins with <opml>');
    feed.body = `<rss>${'<a>'.repeat(1000)}`;
    expect(await feed.failing()).toBe('it is nested more than 500 elements deep');
  });

  test('when its own entities make it grow', async () => {
    const feed = await Feed.of(
      `<!DOCTYPE rss [<!ENTITY a "${'a'.repeat(500)}"><!ENTITY b "&a;&a;">]>${rss(`<guid>g</guid><title>&b;</title><description>${'&a;'.repeat(100_000)}</description>`)}`,
    );
    expect(await feed.failing()).toBe('it grows without end when its own entities are put in');
  });

  test('when the answer has no end, or none in time', async () => {
    const endless = await AnsweringServer.answering((_, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more));
      };
      more();
    });
    const set = new SetModel();
    await expect(set.tick(feed(set, endless.url, { maxBytes: 2_000_000 }))).rejects.toThrow(
      'the answer is larger than 1.9 MiB; raise maxBytes if that is right',
    );
    endless.answer = () => undefined;
    await expect(set.tick(feed(set, endless.url, { timeoutMs: 200 }))).rejects.toThrow(
      'there is no whole answer within 0.2 seconds',
    );
    endless.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('<rss>');
      setTimeout(() => response.destroy(), 50);
    };
    await expect(set.tick(feed(set, endless.url))).rejects.toThrow(/broke off the connection/);
  });

  test('when there is no such server, or not the one that it should be', async () => {
    const server = await AnsweringServer.answering((_, response) =>
      response.writeHead(302, { location: '/' }).end(),
    );
    const set = new SetModel();
    await expect(set.tick(feed(set, server.url))).rejects.toThrow(
      'it leads from one address to the next in a circle',
    );
    await expect(set.tick(feed(set, 'http://127.0.0.1:9998/feed'))).rejects.toThrow(
      /^cannot read the feed http:\/\/127\.0\.0\.1:9998\/feed: 127\.0\.0\.1:9998 refuses the connection \(ECONNREFUSED\)$/,
    );
    await expect(set.tick(feed(set, server.url.replace('http', 'https')))).rejects.toThrow(
      /does not speak TLS here/,
    );
    await expect(set.tick(feed(set, 'http://no-such-host.invalid/'))).rejects.toThrow(
      /there is no host no-such-host\.invalid|cannot be looked up/,
    );
    await expect(set.tick(feed(set, new URL('file:///no/such/feed.xml')))).rejects.toThrow(
      'cannot read the feed /no/such/feed.xml: there is no such file or folder (ENOENT)',
    );
  });

  test('and at once when the sensor is ended', async () => {
    const server = await AnsweringServer.answering(() => undefined);
    const set = new SetModel();
    await expect(set.tick(feed(set, server.url), AbortSignal.timeout(100))).rejects.toThrow(/timeout/);
  });
});

test('options that cannot be meant are refused where they stand', () => {
  const set = new SetModel();
  expect(() => feed(set, 'feed.xml')).toThrow(
    'feed() needs an address such as https://example.org/feed.xml, not "feed.xml"',
  );
  expect(() => feed(set, 'ftp://example.org')).toThrow(
    'feed() reads http://, https:// and file://, not ftp:',
  );
  expect(() => feed(set, 'http://e.org', { identity: 'url' as 'link' })).toThrow(
    /^identity of feed\(\) must be/,
  );
  expect(() => feed(set, 'http://e.org', { backlog: { first: 'newest', perTick: 0 } })).toThrow(
    /^backlog of feed\(\)/,
  );
  expect(() => feed(set, 'http://e.org', { maxBytes: 0 })).toThrow(
    'maxBytes of feed() must be a number above 0',
  );
  expect(() => feed(set, 'http://e.org', { prefix: 'a\nb' })).toThrow(/^prefix of feed\(\)/);
});
