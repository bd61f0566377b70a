/** `http`: what is read of a paginated API, how patiently, and what is kept when a page cannot be read. Against a real server. */
import { describe, expect, test } from 'vitest';
import { http, type HttpOptions, type NextPage } from 'dynpart/sources';
import { linkedNext } from '../../src/sources/http/next-page.ts';
import { waitWanted } from '../../src/sources/http/patient-request.ts';
import { AnsweringServer } from '../support/answering-server.ts';
import { SetModel } from '../support/set-model.mjs';

interface Entry {
  readonly id: number;
  readonly etag?: string;
}

const QUICK = { delayMs: 1, maxRetries: 3 };

/** Entries in pages of two, by offset, token and link at once. */
class Api {
  readonly set = new SetModel();
  entries: Entry[] = [1, 2, 3, 4, 5].map((id) => ({ id }));
  server!: AnsweringServer;
  /** Answers for pages that are not as they should be, by their offset. */
  readonly odd = new Map<
    number,
    (answered: number) => Parameters<AnsweringServer['answer']>[1] extends never ? never : Odd
  >();

  static async listening(): Promise<Api> {
    const api = new Api();
    api.server = await AnsweringServer.answering((request, response) => {
      const url = new URL(request.url!, 'http://x');
      const at = Number(url.searchParams.get('offset') ?? url.searchParams.get('token') ?? 0);
      const answered = api.server.asked.filter((asked) => asked.url === request.url).length;
      const odd = api.odd.get(at)?.(answered);
      if (odd !== undefined) return response.writeHead(odd.status, odd.headers ?? {}).end(odd.body ?? '');
      const more = at + 2 < api.entries.length ? String(at + 2) : null;
      if (more !== null)
        response.setHeader(
          'link',
          `<${api.server.url}/?offset=0>; rel="first", </?offset=${more}&a=1,2>; rel=next`,
        );
      response.end(JSON.stringify({ data: api.entries.slice(at, at + 2), meta: { next: more } }));
    });
    return api;
  }

  tick(options: Partial<HttpOptions<Entry, unknown>> = {}): ReturnType<SetModel['tick']> {
    return this.set.tick(
      http<Entry>(this.set, {
        url: `${this.server.url}/?secret=s`,
        next: { offset: 'offset' },
        items: ({ data }: { data: Entry[] }) => data,
        key: ({ id }) => id,
        retry: QUICK,
        ...options,
      }),
    );
  }

  get keys(): string[] {
    return [...this.set.keys.keys()];
  }

  /** Offsets and tokens that were asked for since. */
  asked(): string[] {
    return this.server.asked
      .splice(0)
      .map(({ url }) => new URL(url, 'http://x').search.replace(/[?&]secret=s/, ''));
  }
}

interface Odd {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const ALL = ['1', '2', '3', '4', '5'];

describe('all pages are read', () => {
  test.each<[string, NextPage, string]>([
    ['by the Link header', 'link', '?offset=4&a=1,2'],
    ['by a token in the body', { token: 'meta.next', param: 'token' }, '&token=4'],
    [
      'by a token that a function finds',
      { token: (body: { meta: { next: string } }) => body.meta.next, param: 'token' },
      '&token=4',
    ],
    ['by an offset', { offset: 'offset' }, '&offset=5'],
    ['by an offset of a fixed step', { offset: 'offset', step: 2 }, '&offset=6'],
    [
      'by a function',
      (_, { meta }: { meta: { next: string | null } }) => meta.next && `?token=${meta.next}`,
      '?token=4',
    ],
  ])('%s', async (_, next, last) => {
    const api = await Api.listening();
    const { added, result } = await api.tick({ next });
    expect(added).toEqual(ALL);
    expect(result).not.toHaveProperty('failures');
    expect(api.asked().at(-1)).toBe(last.replace(/^&/, ''.padEnd(0) + last[0]!));
    expect((await api.tick({ next })).result).toEqual({ skipReason: 'all 5 entries are known' });
  });

  test('with versions, items, a prefix, and not all at once', async () => {
    const api = await Api.listening();
    api.entries = [
      { id: 1, etag: 'a' },
      { id: 2, etag: 'a' },
      { id: 3, etag: 'a' },
    ];
    const options = {
      version: ({ etag }: Entry) => etag!,
      item: ({ id }: Entry) => ({ id }),
      prefix: 'x:',
      backlog: { first: 'oldest', perTick: 2 },
    } as const;
    expect((await api.tick(options)).added).toEqual(['x:1', 'x:2']);
    expect((await api.tick(options)).added).toEqual(['x:3']);
    api.entries[1] = { id: 2, etag: 'b' };
    expect((await api.tick(options)).updated).toEqual(['x:2']);
    expect(api.set.keys.get('x:2')).toEqual({ version: 'b', item: { id: 2 } });
  });

  test('and entries that move to another page meanwhile are found by the next tick', async () => {
    const api = await Api.listening();
    // While the second page is read, the first entry goes: the third one moves to a page that was read already.
    api.odd.set(2, (answered) => {
      if (answered === 1) api.entries = api.entries.slice(1);
      return undefined as unknown as Odd;
    });
    expect((await api.tick()).added).toEqual(['1', '2', '4', '5']);
    expect((await api.tick()).added).toEqual(['3']);
  });
});

describe('a server that refuses for now', () => {
  test('is asked again, and waited for as long as it says', async () => {
    const api = await Api.listening();
    api.odd.set(
      2,
      (answered) => [{ status: 503 }, { status: 429, headers: { 'retry-after': '1' } }][answered - 1]!,
    );
    const started = performance.now();
    expect((await api.tick()).added).toEqual(ALL);
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(api.asked().filter((search) => search === '?offset=2' || search === '&offset=2')).toHaveLength(3);
  });

  test('keeps what was found before, is named, and goes on where it stopped', async () => {
    const api = await Api.listening();
    api.odd.set(4, () => ({ status: 500 }));
    const first = await api.tick();
    expect(first.added).toEqual(['1', '2', '3', '4']);
    expect(first.result.failures).toEqual([
      { name: `page 3 of ${api.server.url}/`, error: 'the server answered 500 Internal Server Error' },
    ]);
    expect(api.set.cursor).toBe('{"query":[["offset","4"]]}');
    api.asked();
    // Still no way on: what is new at the beginning is seen all the same.
    api.entries[0] = { id: 9 };
    expect((await api.tick()).added).toEqual(['9']);
    api.odd.clear();
    api.asked();
    expect(await api.tick()).toMatchObject({ added: ['5'], result: { cursor: '' } });
    expect(api.asked()[0]).toContain('offset=4');
    expect((await api.tick()).result).toEqual({ skipReason: 'all 5 entries are known' });
    expect(api.asked()[0]).not.toContain('offset');
  });

  test('for longer than a tick waits is not waited for', async () => {
    const api = await Api.listening();
    api.odd.set(2, () => ({ status: 429, headers: { 'retry-after': '3600' } }));
    const { added, result } = await api.tick();
    expect(added).toEqual(['1', '2']);
    expect(result.failures).toEqual([
      expect.objectContaining({
        error:
          'the server answered 429 Too Many Requests (try again: 3600): it wants 3600 seconds, longer than a tick waits',
      }),
    ]);
  });

  test('says how long in two forms, and by the limits that it counts', () => {
    const now = Date.parse('2025-01-01T00:00:00Z');
    const wanted = (headers: Record<string, string>): number | null => waitWanted(new Headers(headers), now);
    expect(wanted({ 'retry-after': '7' })).toBe(7000);
    expect(wanted({ 'retry-after': 'Wed, 01 Jan 2025 00:00:30 GMT' })).toBe(30_000);
    expect(wanted({ 'retry-after': 'Wed, 01 Jan 2020 00:00:30 GMT' })).toBe(0);
    expect(wanted({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 12) })).toBe(
      12_000,
    );
    expect(wanted({ 'ratelimit-remaining': '0', 'ratelimit-reset': '5' })).toBe(5000);
    expect(wanted({ 'ratelimit-remaining': '1', 'ratelimit-reset': '5' })).toBe(null);
    expect(wanted({ 'retry-after': 'soon' })).toBe(null);
  });

  test('is asked no oftener than `rate` says', async () => {
    const api = await Api.listening();
    const begin = performance.now();
    await api.tick({ rate: { calls: 1, perSeconds: 0.2 } });
    // A busy machine notes each of them late, and none early.
    const times = api.server.asked.map(({ at }) => at - begin);
    expect(times.length).toBeGreaterThan(2);
    for (const [at, time] of times.entries()) expect(time).toBeGreaterThan(at * 200 - 20);
  });

  test('is not asked again at once after the last call that it allows', async () => {
    const server = await AnsweringServer.answering((request, response) => {
      response.setHeader('x-ratelimit-remaining', '0').setHeader('x-ratelimit-reset', '1');
      response.end(request.url === '/' ? '[1]' : '[]');
    });
    const set = new SetModel();
    await set.tick(
      http<number>(set, {
        url: server.url,
        next: { offset: 'o' },
        items: (body: number[]) => body,
        key: (id) => id,
      }),
    );
    expect(server.asked[1]!.at - server.asked[0]!.at).toBeGreaterThan(950);
  });
});

const failureOf = async (odd: Odd, options: Partial<HttpOptions<Entry, unknown>> = {}): Promise<string> => {
  const api = await Api.listening();
  api.odd.set(2, () => odd);
  const { added, result } = await api.tick(options);
  expect(added).toEqual(['1', '2']);
  expect(JSON.stringify(result)).not.toContain('secret');
  return result.failures[0].error as string;
};

describe('a page that is wrong is named', () => {
  test('when it is not what it should be', async () => {
    expect(await failureOf({ status: 404 })).toBe('the server answered 404 Not Found');
    expect(await failureOf({ status: 200, body: '<html>' })).toBe(
      'the answer is no JSON: it begins with "<html>"',
    );
    expect(await failureOf({ status: 200, body: '{"error": 1}' })).toBe(
      'items() of http() gave no list; the answer has error',
    );
    expect(await failureOf({ status: 200, body: 'null' })).toMatch(
      /^items\(\) of http\(\) threw: Cannot destructure/,
    );
    expect(await failureOf({ status: 200, body: '{"data":[{}]}' })).toBe(
      'key() of http() gave undefined for {}',
    );
    expect(await failureOf({ status: 200, body: '{"data":[{"id":1},{"id":2}]}' })).toBe(
      'it has the same entries as the page before it',
    );
  });

  test('when it leads in a circle, or nowhere', async () => {
    const api = await Api.listening();
    const first = await api.tick({ next: () => '/' });
    expect(first.result.failures[0].error).toBe('it has the same entries as the page before it');
    const circle = await AnsweringServer.answering((request, response) => {
      response
        .setHeader('link', `</${(Number(request.url!.slice(1)) + 1) % 3}>; rel="next"`)
        .end(`[${request.url!.slice(1)}]`);
    });
    const set = new SetModel();
    const { added, result } = await set.tick(
      http<number>(set, {
        url: `${circle.url}/0`,
        next: 'link',
        items: (body: number[]) => body,
        key: (id) => id,
      }),
    );
    expect([added, result.failures[0].error]).toEqual([
      ['0', '1', '2'],
      'it leads back to a page that was read already',
    ]);
    await expect(api.tick({ next: () => 'ftp://example.org' })).rejects.toThrow(
      /names as the next page is no web address: ftp:/,
    );
  });

  test('and changes nothing when it is the first one', async () => {
    const api = await Api.listening();
    api.odd.set(0, () => ({ status: 401 }));
    await expect(api.tick()).rejects.toThrow(
      `cannot read ${api.server.url}/: the server answered 401 Unauthorized`,
    );
    api.odd.clear();
    const mine = new RangeError('mine');
    const thrown = api.tick({
      key: () => {
        throw mine;
      },
    });
    await expect(thrown).rejects.toBe(mine);
    expect(api.keys).toEqual([]);
  });
});

test('what lets in at one host is not told to another', async () => {
  const other = await AnsweringServer.answering((_, response) => response.end('[2]'));
  const server = await AnsweringServer.answering((_, response) =>
    response.setHeader('link', `<${other.url.replace('127.0.0.1', 'localhost')}/>; rel="next"`).end('[1]'),
  );
  const set = new SetModel();
  const { added } = await set.tick(
    http<number>(set, {
      url: server.url,
      next: ({ url }) => (url.startsWith(server.url) ? other.url : null),
      items: (body: number[]) => body,
      key: (id) => id,
      headers: () => ({ authorization: 'Bearer secret' }),
    }),
  );
  expect(added).toEqual(['1', '2']);
  expect([server, other].map(({ asked }) => asked[0]!.headers.authorization)).toEqual([
    'Bearer secret',
    undefined,
  ]);
});

test('a Link header is read with commas in addresses and parameters in any order', () => {
  expect(linkedNext('<https://e.org/?a=1,2&p=2>; title="a, b"; rel="prev next", <x>; rel=last')).toBe(
    'https://e.org/?a=1,2&p=2',
  );
  expect(linkedNext('<a>; rel="prev", <b>; foo; rel=next')).toBe('b');
  expect(linkedNext('<a>; rel="nextpage"')).toBe(null);
  expect(linkedNext(null)).toBe(null);
});

test('fields may be named instead of written as functions', async () => {
  const entries = [
    { id: 7, meta: { etag: 'x' }, title: 'Seven', 'a.b': 1, extra: true },
    { id: 'eight', meta: { etag: 2 }, 'a.b': 2 },
  ];
  const server = await AnsweringServer.answering(({ url }, response) =>
    response.end(JSON.stringify(url === '/list' ? entries : { data: { items: entries } })),
  );
  const named = { key: 'id', version: 'meta.etag' } as const;
  const of = async (
    options: Partial<HttpOptions<unknown, { title: string; 'a.b': number }>>,
    path = '/list',
  ) => {
    const set = new SetModel();
    await set.tick(http(set, { url: server.url + path, ...named, ...options }));
    return Object.fromEntries(set.keys);
  };
  const carried = {
    7: { version: 'x', item: { title: 'Seven', 'a.b': 1 } },
    eight: { version: '2', item: { title: null, 'a.b': 2 } },
  };
  expect(await of({ item: ['title', 'a.b'] })).toEqual(carried);
  expect(await of({ item: ['title', 'a.b'], items: 'data.items' }, '/')).toEqual(carried);
  await expect(of({}, '/')).rejects.toThrow(
    /: the answer is no list: name the field that has one as items; the answer has data$/,
  );
  await expect(of({ items: 'data' }, '/')).rejects.toThrow(/: data is no list; the answer has data$/);
  await expect(of({ key: 'number' })).rejects.toThrow(/: number is undefined for \{"id":7,/);
  await expect(of({ version: 'updated' })).rejects.toThrow(
    /: updated, the version, is not there for \{"id":7,/,
  );
  const set = new SetModel();
  expect(() => http({ url: server.url, key: 'id' } as never, undefined as never)).toThrow(
    'http() needs a set that its keys are for, made by dynamicPartitions()',
  );
  expect(() => http(set, undefined as never)).toThrow('http() needs an object of options');
  for (const limit of ['timeoutMs', 'maxBytes'])
    for (const value of [NaN, 0, -1])
      expect(() => http(set, { url: server.url, key: 'id', [limit]: value })).toThrow(
        `${limit} of http() must be a number above 0`,
      );
  expect(() => http(set, { url: 'items', key: 'id' })).toThrow(
    'http() needs an address such as https://example.org/items, not "items"',
  );
  expect(() => http(set, { url: 'ftp://e.org', key: 'id' })).toThrow(
    'http() reads http://, https:// and data:, not ftp:',
  );
  expect(() => http(set, { url: server.url } as never)).toThrow(
    'http() needs key, the name of a field or a function',
  );
  for (const next of ['next', null, 7, { page: 2 }])
    expect(() => http(set, { url: server.url, key: 'id', next: next as never })).toThrow(
      "next of http() must be 'link', { token, param }, { offset } or a function",
    );
  expect(() => http(set, { url: server.url, key: 'id', item: 'title' as never })).toThrow(
    'item of http() must be a list of names, or a function',
  );
});

test('limits have no ceiling at 24.8 days, where the system fires at once', async () => {
  const server = await AnsweringServer.answering((_, response) => {
    setTimeout(() => response.end('[{"id":1}]'), 50);
  });
  const set = new SetModel();
  const of = (more: object): ReturnType<typeof http> => http(set, { url: server.url, key: 'id', ...more });
  for (const timeoutMs of [2 ** 31, 2 ** 33, 1e300, Infinity])
    await set.tick(of({ timeoutMs, retry: { maxRetries: 0 } }));
  expect([...set.keys.keys()]).toEqual(['1']);
  const { length: asked } = server.asked;
  const once = of({ rate: { calls: 1, perSeconds: 1e9 } });
  await set.tick(once);
  // The next call waits for its turn, and asks nobody meanwhile.
  const waiting = set.tick(once, AbortSignal.timeout(300));
  await expect(waiting).rejects.toThrow(/timeout|abort/);
  expect(server.asked.length).toBe(asked + 1);
});
