/** RSS 0.9 to 2.0, RDF, Atom 0.3 and 1.0 and CDF → items. Forgiving, as readers are: what is not well-formed is read as far as it is clear. */
import { setImmediate as turn } from 'node:timers/promises';
import sax from 'sax';
import { ItemReader } from './item-reader.ts';
import { meaningOf } from './names.ts';
import { asHtml } from './parse-json.ts';
import { resolved } from './address.ts';
import { NoFeed, type RawFeed, type RawItem } from './raw-item.ts';

/** Characters that are parsed before others have their turn, and a timeout its chance. */
const PIECE = 512 * 1024;

const MOST_DEEP = 500;

/** A document may name texts of its own. They grow no further than this, each and together. */
const LONGEST_ENTITY = 512;
const MOST_ENTITIES = 100;

const ROOTS: ReadonlySet<string> = new Set(['rss', 'rdf:rdf', 'feed', 'channel']);

export async function parseXmlFeed(text: string, signal?: AbortSignal): Promise<RawFeed> {
  const reading = new Reading(2 * text.length + 1_000_000);
  for (let at = 0; at < text.length && !reading.isOver; at += PIECE) {
    if (at > 0) await turn();
    signal?.throwIfAborted();
    reading.parser.write(text.slice(at, at + PIECE));
  }
  reading.parser.close();
  return reading.result();
}

class Reading {
  readonly parser = sax.parser(false, { lowercase: true, xmlns: true, noscript: true });
  readonly #items: RawItem[] = [];
  /** The elements that are open. */
  readonly #path: string[] = [];
  readonly #bases: (string | null)[] = [];
  #root: string | null = null;
  #space: string | null = null;
  /** Where the page of a site says that its feed is. */
  #named: string | null = null;
  #entry: ItemReader | null = null;
  #room: number;
  isOver = false;

  constructor(room: number) {
    this.#room = room;
    const { parser } = this;
    // What is wrong with it is passed over, and the parser goes on.
    const onText = (text: string): void => this.#text(text);
    Object.assign(parser, {
      onerror: () => {
        (parser as { error: Error | null }).error = null;
      },
      ondoctype: (doctype: string) => this.#declare(doctype),
      onopentag: (tag: sax.QualifiedTag) => this.#open(tag),
      ontext: onText,
      oncdata: onText,
      onclosetag: () => this.#close(),
    });
  }

  result(): RawFeed {
    if (this.#root === null) throw new NoFeed('it is no feed: it has no elements');
    if (!ROOTS.has(this.#root)) {
      const page = this.#named === null ? '' : `; it names a feed: ${this.#named}`;
      throw new NoFeed(`it is no feed: it begins with <${this.#root.replace(/^\{.*\}/, '')}>${page}`);
    }
    const isWhole = this.#path.length === 0;
    return { items: this.#items, cutOff: isWhole ? null : `it ends within <${this.#path.at(-1)}>` };
  }

  #declare(doctype: string): void {
    const found = doctype.matchAll(/<!ENTITY\s+([\w.-]+)\s+(?:"([^"]*)"|'([^']*)')\s*>/g);
    for (const [, name = '', double, single] of [...found].slice(0, MOST_ENTITIES)) {
      const value = double ?? single ?? '';
      if (value.length <= LONGEST_ENTITY) (this.parser.ENTITIES as Record<string, string>)[name] ??= value;
    }
  }

  #open({ uri, prefix, local, attributes }: sax.QualifiedTag): void {
    const name = this.#nameOf(uri, prefix, local);
    this.#path.push(name);
    if (this.#path.length > MOST_DEEP) throw new NoFeed(`it is nested more than ${MOST_DEEP} elements deep`);
    const attribute = (wanted: string): string | null => attributes[wanted]?.value.trim() || null;
    const outer = this.#bases.at(-1) ?? null;
    this.#bases.push(resolved(attribute('xml:base'), outer) ?? outer);
    if (this.#root === null) this.#root = name;
    else if (
      /\bhtml$/.test(this.#root) &&
      local === 'link' &&
      /rss|atom|feed\+json/.test(attribute('type') ?? '')
    )
      this.#named ??= attribute('href');
    if (this.#entry !== null) {
      this.#entry.open(name, attribute);
    } else if ((name === 'item' || name === 'entry') && this.#path.length > 1) {
      this.#entry = new ItemReader(attribute, this.#bases.at(-1) ?? null);
    }
  }

  #nameOf(uri: string, prefix: string, local: string): string {
    const isFeed = local === 'rss' || local === 'feed' || local === 'channel';
    this.#space ??= isFeed ? uri : '';
    // What is of the root's own namespace is the feed's, whatever its publisher takes for the address of that.
    return uri === this.#space && prefix === '' ? local : meaningOf(uri === '' ? prefix : uri, local);
  }

  #text(text: string): void {
    this.#room -= text.length;
    if (this.#room < 0) throw new NoFeed('it grows without end when its own entities are put in');
    this.#entry?.text(text, asHtml);
  }

  #close(): void {
    this.#path.pop();
    this.#bases.pop();
    if (this.#path.length === 0) this.isOver = true;
    if (this.#entry === null || this.#entry.close()) return;
    const item = this.#entry.item();
    if (item !== null) this.#items.push(item);
    this.#entry = null;
  }
}
