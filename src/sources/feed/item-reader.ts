/** Collects what the elements of one item say, and picks from it what an item has. */
import type { RawItem } from './raw-item.ts';

type Attribute = (name: string) => string | null;

interface Said {
  readonly text: string;
  readonly attribute: Attribute;
}

/** Whose children stand for the item itself. */
const TRANSPARENT: ReadonlySet<string> = new Set(['media:group', 'media:content', 'author', 'dc:creator']);

const USUAL = ['guid', 'id', 'title', 'link', 'description', 'summary', 'content', 'content:encoded'];

/** Of one element so many are kept: nobody has more links than that. */
const MOST_OF_A_KIND = 50;

interface Open {
  /** Empty: a tag within the text of another element. */
  readonly name: string;
  readonly tag: string;
  readonly attribute: Attribute;
  /** Its text is HTML: tags within it are part of it, and what is no tag is escaped. */
  readonly isMarkup: boolean;
  readonly isText: boolean;
  text: string;
}

export class ItemReader {
  readonly #attribute: Attribute;
  readonly #base: string | null;
  readonly #said = new Map<string, Said[]>();
  readonly #open: Open[] = [];

  constructor(attribute: Attribute, base: string | null) {
    this.#attribute = attribute;
    this.#base = base;
  }

  open(name: string, attribute: Attribute): void {
    const outer = this.#open.at(-1);
    const isWithin = outer !== undefined && !TRANSPARENT.has(outer.name);
    if (isWithin) outer.text += `<${localOf(name)}>`;
    const type = attribute('type') ?? '';
    this.#open.push({
      name: isWithin ? '' : name,
      tag: localOf(name),
      attribute,
      isMarkup: isWithin || /xhtml|^xml$/.test(type) || attribute('mode') === 'xml',
      isText: !isWithin && /^text(?:\/plain)?$/.test(type),
      text: '',
    });
  }

  text(text: string, asHtml: (text: string) => string): void {
    const open = this.#open.at(-1);
    if (open !== undefined) open.text += open.isMarkup || open.isText ? asHtml(text) : text;
  }

  /** `false`: it was the item itself that ended. */
  close(): boolean {
    const closed = this.#open.pop();
    if (closed === undefined) return false;
    const outer = this.#open.at(-1);
    if (closed.name === '' && outer !== undefined) {
      outer.text += `${closed.text}</${closed.tag}>`;
    } else {
      const list = this.#said.get(closed.name) ?? [];
      if (list.length < MOST_OF_A_KIND) list.push({ text: closed.text.trim(), attribute: closed.attribute });
      this.#said.set(closed.name, list);
    }
    return true;
  }

  /** `null` when nothing is said at all. */
  item(): RawItem | null {
    if (this.#said.size === 0 && this.#attribute('href') === null && this.#attribute('rdf:about') === null)
      return null;
    const guid = this.#said.get('guid')?.find(({ text }) => text !== '');
    // An item that says one thing, and nothing that is asked for here, is an item.
    const said = [...USUAL].some((name) => this.#first(name) !== null);
    return {
      id: guid?.text ?? this.#first('id', 'dc:identifier') ?? this.#attribute('rdf:about'),
      title: this.#first('title', 'dc:title', 'itunes:title', 'media:title'),
      link:
        this.#link() ??
        (guid !== undefined && guid.attribute('ispermalink') !== 'false' ? webAddress(guid.text) : null),
      base: this.#base,
      published: this.#first(
        'pubdate',
        'published',
        'issued',
        'dc:date',
        'dcterms:issued',
        'dcterms:created',
        'created',
      ),
      updated: this.#first('updated', 'modified', 'dcterms:modified') ?? this.#attribute('lastmod'),
      author: this.#first('name', 'author', 'dc:creator', 'itunes:author', 'managingeditor'),
      summary: this.#first(
        'description',
        'summary',
        'abstract',
        'itunes:summary',
        'itunes:subtitle',
        'media:description',
      ),
      content:
        this.#first('content:encoded', 'content', 'body', 'fullitem') ??
        (said ? null : this.#first(...this.#said.keys())),
      enclosure: this.#enclosure(),
      duration: this.#first('itunes:duration'),
      season: this.#first('itunes:season', 'podcast:season'),
      episode: this.#first('itunes:episode', 'podcast:episode'),
      image: this.#attributeOf('itunes:image', 'href') ?? this.#attributeOf('media:thumbnail', 'url'),
    };
  }

  /** The first element that says something, of the first name of which there is one: feeds repeat elements, and leave some empty. */
  #first(...names: readonly string[]): string | null {
    for (const name of names) {
      const found = this.#said.get(name)?.find(({ text }) => text !== '');
      if (found !== undefined) return found.text;
    }
    return null;
  }

  #attributeOf(element: string, attribute: string): string | null {
    return this.#said.get(element)?.flatMap((said) => said.attribute(attribute) ?? [])[0] ?? null;
  }

  #link(): string | null {
    const links = this.#said.get('link') ?? [];
    const text = links.find((link) => link.text !== '' && link.attribute('href') === null)?.text;
    const alternate = links.find(
      (link) => link.attribute('href') && /^(?:alternate)?$/.test(link.attribute('rel') ?? ''),
    );
    return (
      text ??
      alternate?.attribute('href') ??
      this.#attribute('href') ??
      this.#attributeOf('a', 'href') ??
      this.#attributeOf('content', 'src')
    );
  }

  #enclosure(): RawItem['enclosure'] {
    const related = (this.#said.get('link') ?? []).filter(
      ({ attribute }) => attribute('rel') === 'enclosure',
    );
    const candidates = [
      ...(this.#said.get('enclosure') ?? []),
      ...related,
      ...(this.#said.get('enc:enclosure') ?? []),
      ...(this.#said.get('media:content') ?? []),
    ];
    for (const { attribute } of candidates) {
      const url = attribute('url') ?? attribute('href') ?? attribute('rdf:resource') ?? attribute('enc:url');
      if (url === null) continue;
      const bytes = attribute('length') ?? attribute('filesize') ?? attribute('enc:length');
      return { url, type: attribute('type') ?? attribute('enc:type'), bytes };
    }
    return null;
  }
}

function localOf(name: string): string {
  return name.replace(/^.*[:}]/, '');
}

function webAddress(text: string): string | null {
  return /^https?:\/\//i.test(text) ? text : null;
}
