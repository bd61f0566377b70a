/** Where a page says that the next one is. */
import { fieldIn } from '../fields.ts';
import type { HttpOptions, NextPage } from './http-options.ts';
import type { Answer } from '../request/request.ts';

export interface Page {
  readonly url: URL;
  readonly answer: Answer;
  readonly body: unknown;
  /** How many entries it has. */
  readonly count: number;
}

/** `null`: this was the last one. @throws Error when what it says is no address */
export function nextPage(next: HttpOptions<unknown, unknown>['next'], page: Page): URL | null {
  if (next === undefined) return null;
  const address = addressIn(next, page);
  if (address === null) return null;
  let url: URL;
  try {
    url = new URL(address, page.answer.url);
  } catch (error) {
    throw new Error(
      `what it names as the next page is no address: ${JSON.stringify(String(address).slice(0, 100))}`,
      { cause: error },
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`what it names as the next page is no web address: ${url.protocol}`);
  return url;
}

function addressIn(next: NextPage, { url, answer, body, count }: Page): string | URL | null {
  if (next === 'link') return linkedNext(answer.headers.get('link'));
  if (typeof next === 'function') {
    const { status, headers } = answer;
    return next({ status, headers, url: url.href }, body as never) || null;
  }
  const following = new URL(url);
  if ('token' in next) {
    const token = typeof next.token === 'function' ? next.token(body as never) : fieldIn(body, next.token);
    if ((typeof token !== 'string' && typeof token !== 'number') || token === '') return null;
    following.searchParams.set(next.param, String(token));
    return following;
  }
  if (count === 0) return null;
  const { offset, from = 0, step = count } = next;
  following.searchParams.set(offset, String(Number(url.searchParams.get(offset) ?? from) + step));
  return following;
}

/** `<https://…>; rel="next"` among the links of the header: commas may be part of an address. */
export function linkedNext(header: string | null): string | null {
  for (const [, address = '', parameters = ''] of (header ?? '').matchAll(
    /<([^>]*)>((?:\s*;\s*[\w*-]+\s*(?:=\s*(?:"[^"]*"|[^",;\s]*))?)*)/g,
  )) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^",;\s]*))/i.exec(parameters);
    if ((rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/).includes('next')) return address;
  }
  return null;
}
