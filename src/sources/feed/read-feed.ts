/** One tick of a feed: asks for it unless nothing changed, reads it, and offers its items. */
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { CarryingKey, DynamicPartitions } from '../../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../../definitions/sensor.ts';
import { causeOf } from '../../files/system-errors.ts';
import type { FeedOptions } from './feed-options.ts';
import { keyOf, offer } from '../offer.ts';
import { request, shown, sizeWords, statusWords } from '../request/request.ts';
import { decodeText } from './encoding.ts';
import { type FeedItem, hashOf, readItem, type ReadItem } from './feed-item.ts';
import { type Identified, identify, type Named } from './identity.ts';
import { parseFeed } from './parse-feed.ts';

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 30_000;

/** What is kept between two ticks. */
interface FeedCursor {
  /** Of address and options: what another feed, or another way to read it, left behind does not count. */
  readonly of: string;
  readonly etag?: string;
  readonly modified?: string;
  /** Items that only a title tells apart. */
  readonly named?: readonly Named[];
}

/** What was read, and how to ask whether it changed. */
interface Read {
  readonly bytes: Uint8Array;
  readonly contentType: string | null;
  readonly url: string;
  readonly validators: Pick<FeedCursor, 'etag' | 'modified'>;
}

export async function readFeed(
  context: SensorContext,
  set: DynamicPartitions<FeedItem>,
  url: URL,
  options: FeedOptions,
): Promise<SensorResult> {
  const { prefix = '', identity = 'guid' } = options;
  const of = hashOf([url.href, set.name, prefix, String(identity)]);
  const before = cursorIn(context.cursor, of);
  const read =
    url.protocol === 'file:' ? await readLocal(url, options) : await ask(url, context, options, before);
  if (read === null) return { skipReason: 'the feed has not changed' };
  const { items: raw, cutOff } = await parsed(read, url, context.signal);
  if (cutOff !== null) context.log.warn(`${shown(url)} is not whole: ${cutOff}`);
  const reads = raw.map((item) => readItem(item, read.url));
  const { items, named, nameless } = await identify(reads, identity, before?.named ?? [], (keys) =>
    knownInSet(context, set, { keys, prefix }),
  );
  if (nameless > 0) context.log.warn(`${nameless} items say nothing by which they could be known again`);
  const all = inOrder(items).map(({ key, read }) => ({ key, version: read.version, item: read.item }));
  const found = lastOfEach(all, prefix);
  const { result, isAll } = await offer(context, { found, set, options });
  const cursor: FeedCursor = {
    of,
    // What is left for later ticks, and what did not arrive, is to be asked for again.
    ...(isAll && cutOff === null ? read.validators : {}),
    ...(named.length === 0 ? {} : { named }),
  };
  const next = JSON.stringify(cursor);
  const nothing = result.dynamicPartitionsRequests === undefined;
  return {
    ...result,
    ...(next === context.cursor ? {} : { cursor: next }),
    ...(nothing ? { skipReason: `all ${found.length} items of the feed are known` } : {}),
  };
}

function cursorIn(text: string | null, of: string): FeedCursor | null {
  try {
    const cursor = JSON.parse(text ?? 'null') as FeedCursor | null;
    return cursor?.of === of ? cursor : null;
  } catch {
    return null;
  }
}

async function readLocal(url: URL, { maxBytes = DEFAULT_MAX_BYTES }: FeedOptions): Promise<Read> {
  const file = fileURLToPath(url);
  try {
    const { size } = await stat(file);
    if (size > maxBytes)
      throw new Error(`it is larger than ${sizeWords(maxBytes)}; raise maxBytes if that is right`);
    return { bytes: await readFile(file), contentType: null, url: url.href, validators: {} };
  } catch (error) {
    // oxlint-disable-next-line preserve-caught-error -- it is in these words: as a cause it would be said twice
    throw new Error(`cannot read the feed ${file}: ${causeOf(error)}`);
  }
}

/** `null`: it has not changed. */
async function ask(
  url: URL,
  { signal }: SensorContext,
  { maxBytes = DEFAULT_MAX_BYTES, timeoutMs = DEFAULT_TIMEOUT_MS, headers = {} }: FeedOptions,
  before: FeedCursor | null,
): Promise<Read | null> {
  const failed = (why: string): never => {
    throw new Error(`cannot read the feed ${shown(url)}: ${why}`);
  };
  const conditions = {
    ...(before?.etag === undefined ? {} : { 'if-none-match': before.etag }),
    ...(before?.modified === undefined ? {} : { 'if-modified-since': before.modified }),
  };
  const answer = await request(url, {
    headers: { accept: ACCEPT, 'user-agent': 'dynpart', ...conditions, ...headers },
    signal,
    timeoutMs,
    maxBytes,
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    return failed((error as Error).message);
  });
  if (answer.status === 304 && before !== null) return null;
  if (answer.status < 200 || answer.status > 299) failed(statusWords(answer));
  const etag = answer.headers.get('etag');
  const modified = answer.headers.get('last-modified');
  return {
    bytes: answer.body,
    contentType: answer.headers.get('content-type'),
    url: answer.url,
    validators: { ...(etag === null ? {} : { etag }), ...(modified === null ? {} : { modified }) },
  };
}

const ACCEPT =
  'application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1';

async function parsed(
  { bytes, contentType }: Read,
  url: URL,
  signal: AbortSignal,
): ReturnType<typeof parseFeed> {
  try {
    return await parseFeed(decodeText(bytes, contentType), signal);
  } catch (error) {
    signal.throwIfAborted();
    // oxlint-disable-next-line preserve-caught-error -- it is in these words: as a cause it would be said twice
    throw new Error(`cannot read the feed ${shown(url)}: ${(error as Error).message}`);
  }
}

/** What the set knows of items that only have a title. */
async function knownInSet(
  { partitions }: SensorContext,
  set: DynamicPartitions<FeedItem>,
  { keys, prefix }: { readonly keys: ReadonlyMap<string, string>; readonly prefix: string },
): Promise<Named[]> {
  const view = partitions(set);
  const named: Named[] = [];
  const missing = new Set(await view.missing([...keys.keys()].map((key) => keyOf(key, prefix))));
  for (const [key, title] of keys) {
    if (missing.has(keyOf(key, prefix))) continue;
    const carried = await view.get(keyOf(key, prefix));
    if (carried === undefined) continue;
    const { version, item } = carried;
    named.push({ key, title, date: item?.published ?? item?.updated ?? null, version: version ?? '' });
  }
  return named;
}

interface Keyed {
  readonly key: string;
  readonly read: ReadItem;
}

/** Oldest first. Feeds begin with the newest, so that those without a date come as they stand from behind, before all others. */
function inOrder(items: readonly Identified[]): Keyed[] {
  const date = ({ read }: Keyed): string => read.item.published ?? read.item.updated ?? '';
  return items
    .map(({ identity, read }) => ({ key: identity, read }))
    .reverse()
    .sort((a, b) => (date(a) < date(b) ? -1 : date(a) > date(b) ? 1 : 0));
}

/** An item that stands twice in a feed counts once: as what was changed last, and else by its version, whatever the order. */
function lastOfEach(found: readonly CarryingKey<FeedItem>[], prefix: string): CarryingKey<FeedItem>[] {
  const last = new Map<string, CarryingKey<FeedItem>>();
  for (const { key: text, ...rest } of found) {
    const key = keyOf(text, prefix);
    const other = last.get(key);
    if (other === undefined || rank(rest) > rank(other)) last.set(key, { key, ...rest });
  }
  return [...last.values()];
}

function rank({ item, version }: Pick<CarryingKey<FeedItem>, 'item' | 'version'>): string {
  return `${item?.updated ?? item?.published ?? ''} ${version ?? ''}`;
}
