/** One request: within its time and size, without what is secret in its words. */
import { networkWords } from '../../model/network-words.ts';

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
  /** Bytes of the body, after it was decompressed. */
  readonly maxBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from in the end. */
  readonly url: string;
  readonly body: Uint8Array;
}

/** Why there is no answer, in words; `cause` is what was thrown. */
export class RequestFailed extends Error {}

/** What a timer of the system can hold: with more it fires at once. No tick waits for 24 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Any status is an answer. @throws RequestFailed */
export async function request(
  url: URL,
  { headers = {}, signal, timeoutMs, maxBytes }: RequestOptions,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(Math.min(timeoutMs, LONGEST_TIMER_MS));
  // Who is asked in the end: it is that host which fails.
  let at = url;
  const ask = async (): Promise<Answer> => {
    for (let steps = 0; steps <= MOST_REDIRECTS; steps++) {
      const [address, authorization] = withoutUser(at);
      const response = await fetch(address, {
        headers: { ...authorization, ...(at.origin === url.origin ? headers : harmless(headers)) },
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      });
      const next = redirectOf(response, address);
      if (next === null) {
        const body = await bodyOf(response, maxBytes);
        return { status: response.status, headers: response.headers, url: address.href, body };
      }
      await response.body?.cancel();
      at = next;
    }
    throw new RequestFailed('it leads from one address to the next in a circle');
  };
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RequestFailed) throw error;
    if (timeout.aborted)
      throw new RequestFailed(`there is no whole answer within ${timeoutMs / 1000} seconds`, {
        cause: error,
      });
    throw new RequestFailed(networkWords(error, at.host), { cause: error });
  }
}

/** As many as browsers follow. */
const MOST_REDIRECTS = 20;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where it leads; `null` for what is an answer. */
function redirectOf({ status, headers }: Response, from: URL): URL | null {
  const location = REDIRECTS.has(status) ? headers.get('location') : null;
  if (location === null) return null;
  const to = URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (to === null || !/^https?:$/.test(to.protocol))
    throw new RequestFailed('it leads to what is no address of the web');
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw new RequestFailed(
      `it leads from https to ${shown(to)}, where anybody on the way can read and change it; if that is right, write that address as url`,
    );
  return to;
}

/** What another host may be told: what is secret (a token, a key of an API) goes to the one that it was meant for. */
function harmless(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.has(name.toLowerCase())));
}

const HARMLESS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'user-agent',
  'if-none-match',
  'if-modified-since',
]);

async function bodyOf(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  // An early end of the loop ends the connection, too.
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > maxBytes)
      throw new RequestFailed(
        `the answer is larger than ${sizeWords(maxBytes)}; raise maxBytes if that is right`,
      );
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export function sizeWords(bytes: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1024 ** 3, 'GiB'],
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
  ];
  const [size, unit] = units.find(([size]) => bytes >= size) ?? [1, 'bytes'];
  return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
}

/** `fetch` refuses an address with a name and a password in it. */
function withoutUser(url: URL): [URL, Record<string, string>] {
  if (url.username === '' && url.password === '') return [url, {}];
  const address = new URL(url);
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  address.username = '';
  address.password = '';
  return [address, { authorization: `Basic ${Buffer.from(user).toString('base64')}` }];
}

/** An address as messages may have it: without user and query, where secrets are. */
export function shown(url: URL): string {
  if (url.protocol === 'data:') return 'what is written in the data: address';
  return url.protocol === 'file:'
    ? decodeURIComponent(url.pathname)
    : `${url.protocol}//${url.host}${url.pathname}`;
}

/** `404 Not Found` */
export function statusWords({ status, headers }: Pick<Answer, 'status' | 'headers'>): string {
  const retry = headers.get('retry-after');
  return `the server answered ${status}${NAMES[status] ?? ''}${retry === null ? '' : ` (try again: ${retry})`}`;
}

const NAMES: Readonly<Record<number, string>> = {
  400: ' Bad Request',
  401: ' Unauthorized: it wants to know who asks',
  403: ' Forbidden',
  404: ' Not Found',
  406: ' Not Acceptable',
  410: ' Gone: it is not there any more, and will not come back',
  429: ' Too Many Requests',
  500: ' Internal Server Error',
  502: ' Bad Gateway',
  503: ' Service Unavailable',
  504: ' Gateway Timeout',
};
