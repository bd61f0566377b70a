/** One tick of a paginated API: all its pages, or as many as could be read. */
import type { CarryingKey, DynamicPartitions } from '../../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../../definitions/sensor.ts';
import { fieldIn, itemOf } from '../fields.ts';
import type { HttpOptions } from './http-options.ts';
import { keyOf, offer } from '../offer.ts';
import { shown } from '../request/request.ts';
import { nextPage } from './next-page.ts';
import { PageRefused, patientRequest } from './patient-request.ts';

/** Nobody has so many; a server that always names another page does. */
const MOST_PAGES = 100_000;

type Options<Item> = HttpOptions<unknown, Item> & { readonly url: URL };

interface Pages<Item> {
  readonly found: CarryingKey<Item>[];
  /** The page that could not be read, and why; `null`: the last one was. */
  readonly stopped: { readonly url: URL; readonly error: Error } | null;
  readonly count: number;
}

export async function readPages<Item>(
  context: SensorContext,
  set: DynamicPartitions<Item>,
  options: Options<Item>,
): Promise<SensorResult> {
  const { url } = options;
  const resumed = pageIn(context.cursor, url);
  let pages = await readFrom(resumed ?? url, context, options);
  // Where the last tick stopped there is no way on: from the beginning, so that what is new there is seen all the same.
  if (resumed !== null && pages.count === 0) pages = await readFrom(url, context, options);
  const { found, stopped, count } = pages;
  // What the user's own function throws of the first page is said as it is, with its place. All else is said in whole: a cause
  // would say it once more.
  if (stopped !== null && count === 0 && stopped.error instanceof OwnFunctionThrew) throw stopped.error.cause;
  if (stopped !== null && count === 0)
    throw new Error(`cannot read ${shown(stopped.url)}: ${stopped.error.message}`);
  const { result } = await offer(context, { found, set, options });
  const cursor = stopped === null || isFinal(stopped.error) ? '' : cursorOf(stopped.url, url);
  return {
    ...result,
    ...(cursor === (context.cursor ?? '') ? {} : { cursor }),
    ...(stopped === null
      ? {}
      : { failures: [{ name: `page ${count + 1} of ${shown(url)}`, error: stopped.error.message }] }),
    ...(result.dynamicPartitionsRequests === undefined
      ? { skipReason: `all ${found.length} entries are known` }
      : {}),
  };
}

/** What will not be otherwise the next time is not worth beginning with. */
function isFinal(error: Error): boolean {
  return (
    error instanceof PageRefused &&
    error.status >= 400 &&
    error.status < 500 &&
    error.status !== 429 &&
    error.status !== 408
  );
}

async function readFrom<Item>(
  start: URL,
  context: SensorContext,
  options: Options<Item>,
): Promise<Pages<Item>> {
  const found = new Map<string, CarryingKey<Item>>();
  const visited = new Set<string>();
  let url: URL | null = start;
  let before = '';
  const pages = (stopped: Pages<Item>['stopped']): Pages<Item> => ({
    // As they stand: an API that gives the newest first is asked for `first: 'oldest'` by nobody.
    found: [...found.values()],
    stopped,
    count: visited.size,
  });
  while (url !== null) {
    context.signal.throwIfAborted();
    const here: URL = url;
    try {
      if (visited.has(here.href)) throw new Error('it leads back to a page that was read already');
      if (visited.size >= MOST_PAGES) throw new Error(`there are more than ${MOST_PAGES} pages`);
      const page = await read(here, context, options);
      const keys = page.entries.map((entry) => carrying(entry, options));
      const same = JSON.stringify(keys.map(({ key }) => key));
      if (keys.length > 0 && same === before)
        throw new Error('it has the same entries as the page before it');
      before = same;
      url = nextPage(options.next, { ...page, url: here, count: keys.length });
      visited.add(here.href);
      for (const each of keys) found.set(each.key, each);
    } catch (error) {
      context.signal.throwIfAborted();
      return pages({ url: here, error: error as Error });
    }
  }
  return pages(null);
}

async function read<Item>(url: URL, { signal }: SensorContext, options: Options<Item>) {
  const { headers = {}, retry = {}, rate, timeoutMs = 30_000, maxBytes = 32 * 1024 * 1024 } = options;
  const own = typeof headers === 'function' ? headers() : headers;
  const answer = await patientRequest(url, {
    // What lets in here is nobody else's business.
    headers: {
      accept: 'application/json',
      'user-agent': 'dynpart',
      ...(url.origin === options.url.origin ? own : {}),
    },
    signal,
    timeoutMs,
    maxBytes,
    retry,
    rate,
  });
  const text = new TextDecoder().decode(answer.body);
  let body: unknown;
  try {
    body = text.trim() === '' ? null : JSON.parse(text);
  } catch (error) {
    throw new Error(`the answer is no JSON: it begins with ${JSON.stringify(text.trim().slice(0, 40))}`, {
      cause: error,
    });
  }
  const { items } = options;
  const entries: unknown =
    typeof items === 'function'
      ? called('items', () => items(body as never))
      : items === undefined
        ? body
        : fieldIn(body, items);
  if (!Array.isArray(entries)) {
    const fields =
      typeof body === 'object' && body !== null
        ? `; the answer has ${Object.keys(body).slice(0, 10).join(', ') || 'nothing'}`
        : '';
    throw new Error(
      items === undefined
        ? `the answer is no list: name the field that has one as items${fields}`
        : `${typeof items === 'function' ? 'items() of http() gave' : `${items} is`} no list${fields}`,
    );
  }
  return { answer, body, entries: entries as unknown[] };
}

function carrying<Item>(entry: unknown, { key, version, item, prefix }: Options<Item>): CarryingKey<Item> {
  const text = typeof key === 'function' ? called('key', () => key(entry)) : fieldIn(entry, key);
  if ((typeof text !== 'string' && typeof text !== 'number') || text === '')
    throw new Error(
      `${typeof key === 'function' ? 'key() of http() gave' : `${key} is`} ${JSON.stringify(text) ?? 'undefined'} for ${JSON.stringify(entry)?.slice(0, 100)}`,
    );
  return {
    key: keyOf(String(text), prefix),
    ...(version === undefined ? {} : { version: versionOf(entry, version) }),
    ...(item === undefined
      ? {}
      : typeof item === 'function'
        ? { item: called('item', () => item(entry)) }
        : { item: itemOf(item, (name) => fieldIn(entry, name)) as Item }),
  };
}

function versionOf(entry: unknown, version: string | ((entry: unknown) => string | number)): string {
  if (typeof version === 'function') return String(called('version', () => version(entry)));
  const value = fieldIn(entry, version);
  if (value === undefined)
    throw new Error(`${version}, the version, is not there for ${JSON.stringify(entry)?.slice(0, 100)}`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

class OwnFunctionThrew extends Error {}

function called<T>(name: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new OwnFunctionThrew(`${name}() of http() threw: ${(error as Error).message}`, { cause: error });
  }
}

/** Only what another page has in its query than the first one: what is in the query of `url` may be secret, and a cursor is not. */
function cursorOf(page: URL, first: URL): string {
  if (page.origin !== first.origin || page.pathname !== first.pathname)
    return JSON.stringify({ page: page.href });
  const query = [...page.searchParams].filter(([name, value]) => first.searchParams.get(name) !== value);
  return JSON.stringify({ query });
}

function pageIn(cursor: string | null, first: URL): URL | null {
  try {
    const { page, query } = JSON.parse(cursor || 'null') as { page?: string; query?: [string, string][] };
    if (page !== undefined) return new URL(page);
    const url = new URL(first);
    for (const [name, value] of query!) url.searchParams.set(name, value);
    return url.href === first.href ? null : url;
  } catch {
    return null;
  }
}
