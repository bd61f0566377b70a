/** What a feed says of one item: small enough to be kept with its key. */
import { createHash } from 'node:crypto';
import { resolved } from './address.ts';
import { isoDate } from './dates.ts';
import { oneLine, plainText } from './plain-text.ts';
import type { RawItem } from './raw-item.ts';

/** One item of a feed. What the feed does not say is `null`. */
export interface FeedItem {
  /** As the feed has it (`guid`, `id`, `rdf:about`). */
  readonly id: string | null;
  /** One line of plain text. */
  readonly title: string;
  readonly url: string | null;
  /** ISO 8601 in UTC. */
  readonly published: string | null;
  readonly updated: string | null;
  readonly author: string | null;
  /** Plain text, at most 2,000 letters. */
  readonly summary: string | null;
  readonly enclosure: {
    readonly url: string;
    readonly type: string | null;
    readonly bytes: number | null;
  } | null;
  /** Seconds. */
  readonly duration: number | null;
  readonly season: number | null;
  readonly episode: number | null;
  readonly image: string | null;
}

/** An item on its way to its key. */
export interface ReadItem {
  readonly raw: RawItem;
  readonly item: FeedItem;
  /** A hash of title, link, enclosure and content: never of dates, which feeds change on their own. */
  readonly version: string;
}

const LONGEST = { id: 2000, title: 500, author: 200, summary: 2000, address: 2000 };

/** @param source where the feed was read, for what is relative in it */
export function readItem(raw: RawItem, source: string | null): ReadItem {
  const base = resolved(raw.base, source) ?? source;
  const address = (text: string | null): string | null => cut(resolved(text, base), LONGEST.address);
  const text = plainText(raw.summary ?? raw.content ?? '');
  const item: FeedItem = {
    id: cut(raw.id, LONGEST.id),
    // One that is nothing but tags is still what tells the item from others.
    title: cut(oneLine(raw.title ?? '') || (raw.title ?? '').replace(/\s+/g, ' '), LONGEST.title) ?? '',
    url: address(raw.link),
    published: isoDate(raw.published),
    updated: isoDate(raw.updated),
    author: cut(oneLine(raw.author ?? ''), LONGEST.author) || null,
    summary: cut(text, LONGEST.summary) || null,
    enclosure: raw.enclosure && {
      url: address(raw.enclosure.url)!,
      type: cut(raw.enclosure.type, 100),
      bytes: wholeNumber(raw.enclosure.bytes),
    },
    duration: seconds(raw.duration),
    season: wholeNumber(raw.season),
    episode: wholeNumber(raw.episode),
    image: address(raw.image),
  };
  const said = [raw.title, raw.link, raw.enclosure?.url, raw.content, raw.summary];
  return { raw, item, version: hashOf(said.map((part) => part?.replace(/\s+/g, ' ').trim() ?? null)) };
}

/** 128 bits of SHA-256. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}

/** Never in the middle of an emoji. */
function cut(text: string | null, most: number): string | null {
  if (text === null) return null;
  const whole = text.toWellFormed();
  return whole.length <= most ? whole : `${whole.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text.trim()) ? Number(text) : null;
}

/** `3723`, `62:03` or `1:02:03`. */
function seconds(text: string | null): number | null {
  if (text === null || !/^\d{1,9}(?::\d\d?){0,2}(?:\.\d+)?$/.test(text.trim())) return null;
  return Math.round(text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0));
}
