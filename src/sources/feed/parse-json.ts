/** JSON Feed 1.0 and 1.1 → items. */
import { NoFeed, type RawFeed, type RawItem } from './raw-item.ts';

type Json = Readonly<Record<string, unknown>>;

export function parseJsonFeed(text: string): RawFeed {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new NoFeed(`it is no JSON Feed: ${(error as Error).message}`, { cause: error });
  }
  const { items, version } = document as Json;
  if (!Array.isArray(items))
    throw new NoFeed(
      `it is no JSON Feed: it is JSON without "items"${version === undefined ? '' : `, of version ${JSON.stringify(version)}`}`,
    );
  return { items: items.filter(isObject).map(itemOf), cutOff: null };
}

function itemOf(item: Json): RawItem {
  const [attachment] = listOf(item['attachments']);
  const [author] = [...listOf(item['authors']), ...listOf([item['author']])];
  const url = textOf(attachment?.['url']);
  const html = textOf(item['content_html']);
  const plain = textOf(item['content_text']);
  return {
    id: textOf(item['id']),
    title: textOf(item['title']),
    link: textOf(item['url']) ?? textOf(item['external_url']),
    base: null,
    published: textOf(item['date_published']),
    updated: textOf(item['date_modified']),
    author: textOf(author?.['name']),
    summary: textOf(item['summary']),
    content: html ?? (plain === null ? null : asHtml(plain)),
    enclosure:
      url === null
        ? null
        : { url, type: textOf(attachment?.['mime_type']), bytes: textOf(attachment?.['size_in_bytes']) },
    duration: textOf(attachment?.['duration_in_seconds']),
    season: null,
    episode: null,
    image: textOf(item['image']) ?? textOf(item['banner_image']),
  };
}

/** Text as HTML that says the same. */
export function asHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

/** Ids are texts by the standard, and numbers in practice. */
function textOf(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : null;
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}
