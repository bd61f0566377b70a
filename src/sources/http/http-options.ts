/** What is said of a paginated API in a pipeline file. */
import type { SourceOptions } from '../offer.ts';

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
