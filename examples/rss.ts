/** Reads a podcast's RSS 2.0 feed: XML in, episodes out, each with a key that dynpart can take. */
import { createHash } from 'node:crypto';
import { SaxesParser } from 'saxes';

/** What the feed says about one episode. Plain JSON, so that dynpart can keep it as it is. */
export interface Episode {
  /** What tells this episode from every other one: the partition key. */
  readonly key: string;
  readonly title: string;
  /** ISO 8601 in UTC, which sorts as text; `null` when the feed gives no date, or none that can be read. */
  readonly publishedAt: string | null;
  readonly link: string | null;
  /** As itunes:duration has it: `1:02:30`, or seconds. */
  readonly duration: string | null;
  readonly enclosure: {
    readonly url: string;
    readonly type: string | null;
    readonly bytes: number | null;
  } | null;
  /** The show notes as they are written: most often HTML. */
  readonly notes: string;
}

// Elements are told apart by namespace, not by prefix: the prefix is the publisher's choice, and <itunes:title> is no <title>.
const CONTENT = '{http://purl.org/rss/1.0/modules/content/}';
const ITUNES = '{http://www.itunes.com/dtds/podcast-1.0.dtd}';

/** The child elements of an item, and the attributes of its enclosure as `enclosure@url` and so on. */
type Fields = ReadonlyMap<string, string>;

/**
 * The episodes of a feed by key, in the feed's order. Of several with one key the first is taken.
 *
 * @throws Error with line and column when the text is not well-formed XML, and when it is no RSS
 */
export function parseRss(xml: string): Map<string, Episode> {
  const episodes = new Map<string, Episode>();
  const parser = new SaxesParser({ xmlns: true });
  const path: string[] = [];
  let fields = new Map<string, string>();
  let text = '';

  // saxes is strict, but goes on after an error unless it is thrown. It expands no entities that a document declares.
  parser.on('error', ({ message }) => {
    throw new Error(`it is not well-formed XML: line ${message}`);
  });
  parser.on('opentag', ({ local, uri, attributes }) => {
    path.push(uri === '' ? local : `{${uri.toLowerCase()}}${local}`);
    if (path.length === 1 && path[0] !== 'rss') {
      throw new Error(`it is no RSS feed: it begins with <${local}> instead of <rss>`);
    }
    if (isItem(path)) fields = new Map();
    if (path.length !== 4) return;
    text = '';
    if (path[3] !== 'enclosure' || fields.has('enclosure@url')) return;
    for (const { name, value } of Object.values(attributes)) fields.set(`enclosure@${name}`, value.trim());
  });
  const onText = (more: string): void => void (text += more);
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    const field = path[3] ?? '';
    // The first one that says something: feeds repeat elements, and leave some of them empty.
    if (path.length === 4 && !fields.get(field)) fields.set(field, text.trim());
    if (isItem(path)) {
      const episode = episodeFrom(fields);
      if (episode !== null && !episodes.has(episode.key)) episodes.set(episode.key, episode);
    }
    path.pop();
  });
  parser.write(xml).close();
  return episodes;
}

function isItem(path: readonly string[]): boolean {
  return path.length === 3 && path[1] === 'channel' && path[2] === 'item';
}

/** `null` for an item that says nothing by which it could be known again. */
function episodeFrom(fields: Fields): Episode | null {
  const get = (...names: string[]): string | null =>
    names.map((name) => fields.get(name)).find(Boolean) ?? null;
  const notes = get(`${CONTENT}encoded`, 'description', `${ITUNES}summary`) ?? '';
  const dated = [get('title'), get('pubDate')].filter((part) => part !== null).join(' · ');
  const identity = get('guid', 'enclosure@url', 'link') ?? (dated || notes);
  if (identity === '') return null;
  const url = get('enclosure@url');
  return {
    key: keyFrom(identity),
    title: get('title', `${ITUNES}title`) ?? 'untitled',
    publishedAt: isoDate(get('pubDate')),
    link: get('link'),
    duration: get(`${ITUNES}duration`),
    enclosure:
      url === null ? null : { url, type: get('enclosure@type'), bytes: wholeNumber(get('enclosure@length')) },
    notes,
  };
}

/** A key has 1,024 bytes at most and no control characters. What is not so becomes its hash: the same one each time. */
function keyFrom(identity: string): string {
  if (Buffer.byteLength(identity) <= 1024 && !/\p{Cc}/u.test(identity)) return identity;
  return `sha256:${createHash('sha256').update(identity).digest('hex')}`;
}

function isoDate(text: string | null): string | null {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * The text of an XML document: in the encoding that its first bytes show, else the one that the server names, else the
 * one that its first line names, else UTF-8 (XML 1.0, appendix F; RFC 7303 puts the byte order mark first).
 */
export function decodeXml(bytes: Uint8Array, contentType: string | null = null): string {
  const start = Buffer.from(bytes.subarray(0, 200));
  const declared = /^<\?xml[^>]*encoding=["']([\w-]+)/.exec(start.toString('latin1'))?.[1];
  const served = /charset="?([\w-]+)/i.exec(contentType ?? '')?.[1];
  // A first line that can be read byte by byte is not in UTF-16, whatever it says.
  const named = served ?? (/^utf-?16/i.test(declared ?? '') ? undefined : declared);
  return new TextDecoder(shownBy(start) ?? named ?? 'utf-8').decode(bytes);
}

/** A byte order mark, or `<?` in units of two bytes. */
function shownBy(start: Buffer): string | undefined {
  const first = start.toString('hex', 0, 4);
  if (/^(?:feff|003c003f)/.test(first)) return 'utf-16be';
  if (/^(?:fffe|3c003f00)/.test(first)) return 'utf-16le';
  return first.startsWith('efbbbf') ? 'utf-8' : undefined;
}

// prettier-ignore -- a table, and not the beginning of a long file
const NAMED_CHARACTERS: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
  eacute: 'é',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  hellip: '…',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  middot: '·',
};

/** What a reader sees of HTML: no tags, scripts or comments, blocks on lines of their own, characters instead of `&amp;`. */
export function plainText(html: string): string {
  return (
    html
      // What is never closed reaches to the end, as in a browser.
      .replace(/<!--[^]*?(?:-->|$)|<(script|style)\b[^]*?(?:<\/\1\s*>|$)/gi, ' ')
      .replace(/<(?:br|\/?(?:p|div|li|ul|ol|tr|h[1-6]|blockquote))\b[^<>]*>/gi, '\n')
      .replace(/<\/?[a-z][^<>]*>/gi, '')
      // After the tags: `&lt;b&gt;` is text about a tag, not a tag.
      .replace(/&(?:#(\d+)|#x([\da-f]+)|([a-z]+));/gi, (whole, decimal, hexadecimal, name) =>
        name === undefined ? character(decimal ?? `0x${hexadecimal}`) : (NAMED_CHARACTERS[name] ?? whole),
      )
      .replace(/[^\S\n]+/g, ' ')
      .replace(/ ?\n\s*/g, '\n')
      .trim()
  );
}

function character(code: string): string {
  return Number(code) <= 0x10ffff ? String.fromCodePoint(Number(code)).toWellFormed() : '\ufffd';
}
