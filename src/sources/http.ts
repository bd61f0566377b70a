/** `http()`: the entries of a paginated HTTP API as keys. */
import type { DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';
import { checkField, checkItem } from './fields.ts';
import type { SourceOptions } from './offer.ts';
import { addressOf, checkLimits, checkSource } from './options.ts';

/** What `next` as a function is given besides the body. */
export interface PageResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Of this page. */
  readonly url: string;
}

/**
 * How a page leads to the next one: `'link'`, by the Link header (rel="next"); a token in the body (the name of its field, or a
 * function) that becomes a query parameter; an offset that grows by the entries that were read, or by `step` a page; or a
 * function that gives an address, or nothing at the end.
 */
export type NextPage =
  | 'link'
  | { readonly token: string | ((body: never) => string | number | null | undefined); readonly param: string }
  | { readonly offset: string; readonly from?: number; readonly step?: number }
  | ((response: PageResponse, body: never) => string | URL | null | undefined);

/** How often a page is asked for again that was refused for now: 408, 425, 429, 5xx, and broken connections. */
export interface HttpRetry {
  /** Default 4. */
  readonly maxRetries?: number;
  /** Milliseconds before the first, doubled with each; a random part of that is waited. Default 500. */
  readonly delayMs?: number;
  /** Milliseconds. When the server asks for more, the tick ends there, and the next one goes on. Default 20,000. */
  readonly maxDelayMs?: number;
}

/** The options of `http()`. */
export interface HttpOptions<Entry, Item> extends SourceOptions {
  /** The first page. `data:` is read as well: for a first try without a server. */
  readonly url: string | URL;
  readonly next?: NextPage;
  /** The entries of a page: a function of its JSON, or the name of the field that has them (`'data.items'`). Default: the JSON itself. */
  readonly items?: string | ((body: never) => readonly Entry[]);
  /** What tells an entry from all others: a field, or a function. */
  readonly key: string | ((entry: Entry) => string | number);
  /** What changes when the entry does, such as its etag or time of change: a field, or a function. Default: changes are not looked at. */
  readonly version?: string | ((entry: Entry) => string | number);
  /** What assets of this key are given: a function, or a list of fields; what is not there is `null`. Default: nothing. */
  readonly item?: readonly (keyof Item & string)[] | ((entry: Entry) => Item);
  /** Sent with each request to the host of `url`, and to no other. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  readonly retry?: HttpRetry;
  /** No more calls to this host than so many in so many seconds. */
  readonly rate?: { readonly calls: number; readonly perSeconds: number };
  /** Milliseconds for one page. Default 30,000. */
  readonly timeoutMs?: number;
  /** Bytes of one page. Default 32 MiB. */
  readonly maxBytes?: number;
}

/**
 * `evaluate` of a sensor: a key for each entry of a paginated API. Reads all pages each tick, so that entries that move from one
 * page to another meanwhile are found by the next. When a page cannot be read, what was found before it is kept, the page is
 * named in `failures`, and the next tick begins there.
 *
 * @throws TypeError at once for options that cannot be meant; Error in `evaluate` when the first page cannot be read
 */
export function http<Entry, Item = unknown>(
  set: DynamicPartitions<Item>,
  options: HttpOptions<Entry, Item>,
): (context: SensorContext) => Promise<SensorResult> {
  checkSource('http', set, options);
  checkLimits('http', options, ['timeoutMs', 'maxBytes']);
  const { rate, next, retry = {} } = options;
  const url = addressOf('http', options.url, {
    example: 'https://example.org/items',
    kinds: ['http:', 'https:', 'data:'],
  });
  checkField(options.key, 'http() needs key');
  if (options.items !== undefined) checkField(options.items, 'items of http() is');
  if (options.version !== undefined) checkField(options.version, 'version of http() is');
  checkItem('http', options.item);
  if (
    next !== undefined &&
    next !== 'link' &&
    typeof next !== 'function' &&
    // Without TypeScript anything may be given.
    !(Object(next) === next && ('token' in next || 'offset' in next))
  )
    throw new TypeError("next of http() must be 'link', { token, param }, { offset } or a function");
  if (rate !== undefined && !(rate.calls >= 1 && rate.perSeconds > 0))
    throw new TypeError('rate of http() must be { calls: 1 or more, perSeconds: above 0 }');
  for (const [name, value] of Object.entries(retry))
    if (!(Number(value) >= 0)) throw new TypeError(`retry.${name} of http() must be a number, 0 or more`);
  return async (context) => {
    const { readPages } = await import('./http/read-pages.ts');
    return readPages(context, set, { ...options, url } as HttpOptions<unknown, Item> & { url: URL });
  };
}
