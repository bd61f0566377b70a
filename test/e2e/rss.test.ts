/** The example's reader of feeds, on its own: what it takes for an episode, its key, its text, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { decodeXml, type Episode, parseRss, plainText } from '../../examples/rss.ts';

const NAMESPACES =
  'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"';

function parse(...items: string[]): Episode[] {
  const body = items.map((item) => `<item>${item}</item>`).join('\n');
  return [...parseRss(`<rss version="2.0" ${NAMESPACES}><channel>${body}</channel></rss>`).values()];
}

function keyOf(item: string): string | undefined {
  return parse(item)[0]?.key;
}

describe('an episode', () => {
  test('has everything that its item says', () => {
    const [episode] = parse(`
      <title>Salt &amp; <![CDATA[<Pepper>]]> &#x1F9C2;</title><guid>g</guid><link> https://example.org/salt </link>
      <pubDate>Mon, 09 Jun 2025 06:30:00 +0200</pubDate><itunes:duration>12:34</itunes:duration>
      <enclosure url="https://example.org/a.mp3?x=1&amp;y=2" length="1234" type="audio/mpeg"/>
      <description>short</description><content:encoded><![CDATA[<p>long</p>]]></content:encoded>`);
    expect(episode).toEqual({
      key: 'g',
      title: 'Salt & <Pepper> 🧂',
      publishedAt: '2025-06-09T04:30:00.000Z',
      link: 'https://example.org/salt',
      duration: '12:34',
      enclosure: { url: 'https://example.org/a.mp3?x=1&y=2', type: 'audio/mpeg', bytes: 1234 },
      notes: '<p>long</p>',
    });
  });

  test('is told by namespace and not by prefix, and only from its own elements', () => {
    const [episode] = [
      ...parseRss(`<rss xmlns:c="http://purl.org/rss/1.0/modules/content/" xmlns:title="urn:other"><channel>
        <title>of the channel</title><image><title>of the image</title></image>
        <item><guid>g</guid><title:title>of something else</title:title><c:encoded>the notes</c:encoded>
          <source><title>of the source</title></source><title>its own</title></item></channel></rss>`).values(),
    ];
    expect(episode).toMatchObject({ title: 'its own', notes: 'the notes' });
  });

  test('has nulls where the feed says nothing that can be read', () => {
    expect(parse('<guid>g</guid><pubDate>soon</pubDate><enclosure url="u" length="many"/>')[0]).toEqual({
      key: 'g',
      title: 'untitled',
      publishedAt: null,
      link: null,
      duration: null,
      enclosure: { url: 'u', type: null, bytes: null },
      notes: '',
    });
  });

  test('takes the first element that says something when one is repeated', () => {
    expect(parse('<guid> </guid><guid>second</guid><guid>third</guid>')[0]?.key).toBe('second');
  });
});

describe('the key of an episode', () => {
  test('is the guid as it stands, without the blanks around it', () => {
    expect(keyOf('<guid>\n  "a b" / ..,| 🐦 \n</guid>')).toBe('"a b" / ..,| 🐦');
  });

  test('falls back to the enclosure, the link, and title with date, in this order', () => {
    const [title, pubDate, link, enclosure] = [
      '<title>T</title>',
      '<pubDate>D</pubDate>',
      '<link>L</link>',
      '<enclosure url="E"/>',
    ];
    expect(keyOf(title + pubDate + link + enclosure)).toBe('E');
    expect(keyOf(title + pubDate + link)).toBe('L');
    expect(keyOf(title + pubDate)).toBe('T · D');
    expect(keyOf(pubDate)).toBe('D');
    expect(keyOf('<description>only notes</description>')).toBe('only notes');
  });

  test('is a hash, the same one each time, when the guid cannot be a key', () => {
    const long = `<guid>${'é'.repeat(513)}</guid>`;
    expect(keyOf(long)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(keyOf(long)).toBe(keyOf(long));
    expect(keyOf('<guid>a\nb</guid>')).toMatch(/^sha256:/);
    expect(keyOf('<guid>a\nb</guid>')).not.toBe(keyOf('<guid>a\nc</guid>'));
    expect(keyOf(`<guid>${'é'.repeat(512)}</guid>`)).toBe('é'.repeat(512));
  });

  test('belongs to the first item that has it', () => {
    const episodes = parse('<guid>g</guid><title>first</title>', '<guid> g </guid><title>second</title>');
    expect(episodes.map(({ title }) => title)).toEqual(['first']);
  });

  test('is not made up for an item that says nothing', () => {
    expect(parse('', '<guid/>', '<guid>g</guid>').map(({ key }) => key)).toEqual(['g']);
  });
});

describe('what is no feed', () => {
  test('is refused with line and column when it is not well-formed', () => {
    expect(() => parseRss('<rss>\n<channel>\n<item></itm></channel></rss>')).toThrow(
      /not well-formed XML: line 3:\d+/,
    );
    expect(() => parseRss('<rss><channel>')).toThrow(/not well-formed XML: line 1:14: unclosed tag/);
    expect(() => parseRss('')).toThrow(/not well-formed XML: line 1:0/);
    expect(() => parseRss('{"version": "https://jsonfeed.org"}')).toThrow(/not well-formed XML: line 1/);
    expect(() => parseRss('<rss><channel><a:b/></channel></rss>')).toThrow(/unbound namespace prefix/);
    expect(() => parseRss('<rss><channel>&nbsp;</channel></rss>')).toThrow(/line 1:\d+: undefined entity/);
  });

  test('is refused by the element with which it begins', () => {
    expect(() => parseRss('<!DOCTYPE html><html><p>Log in</html>')).toThrow(
      /no RSS feed: it begins with <html>/,
    );
    expect(() => parseRss('<feed xmlns="http://www.w3.org/2005/Atom"/>')).toThrow(/begins with <feed>/);
  });

  test('cannot grow by entities of its own', () => {
    const bomb =
      '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel><item><guid>&b;</guid></item></channel></rss>';
    expect(() => parseRss(bomb)).toThrow(/undefined entity/);
  });
});

describe('the encoding', () => {
  const latin = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>', 'latin1');

  test('is the one that the first line names', () => {
    expect(decodeXml(latin)).toContain('<a>é</a>');
  });

  test('is the one that the server names, whatever the first line says', () => {
    const utf8 = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>', 'utf8');
    expect(decodeXml(utf8, 'application/rss+xml; charset="utf-8"')).toContain('<a>é</a>');
  });

  test('is UTF-8 when nobody names one, with or without a byte order mark', () => {
    expect(decodeXml(Buffer.from('\ufeff<a>é</a>'))).toBe('<a>é</a>');
    expect(decodeXml(Buffer.from('<a>é</a>'), 'text/xml')).toBe('<a>é</a>');
  });

  test.each([
    ['utf16le', '\ufeff'],
    ['utf16be', '\ufeff'],
    ['utf16le', ''],
    ['utf16be', ''],
  ] as const)('may be in %s, with the mark %j, whatever the server says of it', (encoding, mark) => {
    const xml = `${mark}<?xml version="1.0" encoding="utf-16"?><a>Größe</a>`;
    const bytes = Buffer.from(xml, 'utf16le');
    if (encoding === 'utf16be') bytes.swap16();
    for (const contentType of [null, 'application/rss+xml', 'application/rss+xml; charset=utf-16'])
      expect(decodeXml(bytes, contentType)).toContain('<a>Größe</a>');
  });

  test('that says UTF-16 in single bytes is not', () => {
    expect(decodeXml(Buffer.from('<?xml version="1.0" encoding="utf-16"?><a>é</a>'))).toContain('<a>é</a>');
  });
});

describe('plain text', () => {
  test('has blocks on lines of their own and no tags', () => {
    const html =
      '<h2>Notes</h2><p>One <b>bold</b> word,<br/>two&nbsp; lines.</p>\n\n<ul><li>a</li><li>b</li></ul>';
    expect(plainText(html)).toBe('Notes\nOne bold word,\ntwo lines.\na\nb');
  });

  test('has no comments, scripts or styles, also where one is never closed', () => {
    expect(plainText('a<!-- <p>b</p> -->c<script>d < e</script >f<STYLE>p{}</STYLE>g')).toBe('a c f g');
    expect(plainText('kept<script>if (a < b) never(closed')).toBe('kept');
  });

  test('has characters instead of references, and those it does not know as they stand', () => {
    expect(
      plainText('&lt;b&gt; &amp;amp; &#233;&#xE9;&eacute; &hellip; &unknown; &#x110000; &#xD800; AT&T'),
    ).toBe('<b> &amp; ééé … &unknown; \ufffd \ufffd AT&T');
  });

  test('keeps what only looks like a tag', () => {
    expect(plainText('1 < 2 and 3 > 2')).toBe('1 < 2 and 3 > 2');
  });

  test('is found in time in a megabyte of nonsense', () => {
    for (const part of ['<script>', '<!--', '<a "', '&#', '< ']) {
      const started = performance.now();
      plainText(part.repeat(1_000_000 / part.length));
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });
});
