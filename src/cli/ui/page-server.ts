/** Answers over HTTP: the page, its data, all of one key, and a stream that says when there is something new. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { clean } from '../../model/text.ts';
import { policyOf } from '../page/page-html.ts';
import type { PageData } from '../../report/page-data.ts';
import { pageMark } from '../../report/page-mark.ts';
import { problemOf, type LivePage } from './live-page.ts';
import { refusalOf } from './refusal.ts';

/** More windows than anybody looks at. */
const MOST_CONNECTIONS = 256;

/** What nobody says anything on is taken for dead by what lies between. */
const SIGN_OF_LIFE_MS = 20_000;

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

const HEADERS = {
  // Of what is no page.
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

interface Answer {
  readonly status: number;
  /** Default: text for people. */
  readonly type?: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class PageServer {
  readonly http: http.Server;
  readonly #live: LivePage;
  readonly #page: (data: PageData) => string;
  readonly #token: string;
  readonly #streams = new Set<ServerResponse>();
  readonly #signs: NodeJS.Timeout;

  constructor(live: LivePage, page: (data: PageData) => string, token: string) {
    this.#live = live;
    this.#page = page;
    this.#token = token;
    this.http = http.createServer((request, response) => void this.#answer(request, response));
    this.http.maxConnections = MOST_CONNECTIONS;
    live.onNews((event) => this.#tell(event));
    this.#signs = setInterval(() => this.#tellAll(': alive\n\n'), SIGN_OF_LIFE_MS).unref();
  }

  /** At once: nobody waits for who still looks. */
  end(): void {
    clearInterval(this.#signs);
    this.http.close();
    this.http.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answerTo(request).catch((error: unknown): Answer => {
      const { code, message, hint } = problemOf(error);
      return { status: 503, type: JSON_TYPE, text: JSON.stringify({ error: { code, message, hint } }) };
    });
    if (answer === 'stream') return this.#stream(request, response);
    const { status, type = TEXT, text, headers = {} } = answer;
    // Words may have been taken from the question.
    const content = Buffer.from(type === TEXT ? `${clean(text)}\n` : text);
    const all = { ...HEADERS, ...headers, 'Content-Type': type, 'Content-Length': content.length };
    response.writeHead(status, all);
    response.end(request.method === 'HEAD' ? undefined : content);
  }

  async #answerTo({ method = 'GET', headers, url = '' }: IncomingMessage): Promise<Answer | 'stream'> {
    const [path = '', search = ''] = url.split('?', 2);
    const [, token = '', ...rest] = path.split('/');
    const refusal = refusalOf({ method, token, headers }, this.#token);
    if (refusal !== null) {
      const { status, words } = refusal;
      return { status, text: words, ...(status === 405 && { headers: { Allow: 'GET, HEAD' } }) };
    }
    // What is asked for from there stands beside it.
    if (rest.length === 0)
      return { status: 308, text: 'with a slash at the end', headers: { Location: `${path}/` } };
    switch (rest.join('/')) {
      case '': {
        const text = this.#page(await this.#live.latest());
        const policy = `${policyOf(text)}; frame-ancestors 'none'`;
        return { status: 200, type: HTML, text, headers: { 'Content-Security-Policy': policy } };
      }
      case 'data.json':
        return { status: 200, type: JSON_TYPE, text: JSON.stringify(await this.#live.latest()) };
      case 'key.json': {
        const key = keyIn(new URLSearchParams(search).get('of'));
        if (key === null) return { status: 400, text: 'key.json?of= takes ["set","key"] as JSON' };
        return { status: 200, type: JSON_TYPE, text: JSON.stringify(await this.#live.key(key)) };
      }
      case 'events':
        return 'stream';
      default:
        return { status: 404, text: 'there is nothing here' };
    }
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
    if (request.method === 'HEAD') return void response.end();
    response.write('retry: 1000\n\n');
    this.#streams.add(response);
    this.#live.isWatched = true;
    response.on('close', () => {
      this.#streams.delete(response);
      this.#live.isWatched = this.#streams.size > 0;
    });
    // What came between the page and this stream is not missed.
    void this.#live.latest().then(
      (data) => response.write(message('now', pageMark(data))),
      () => undefined,
    );
  }

  #tell(event: { readonly type: 'now' | 'log'; readonly mark: string }): void {
    this.#tellAll(message(event.type, event.mark));
  }

  #tellAll(text: string): void {
    for (const stream of this.#streams) stream.write(text);
  }
}

/** A line each: `mark` has none of its own. */
function message(type: string, mark: string): string {
  return `event: ${type}\ndata: ${mark}\n\n`;
}

/** `null`: it is not said which. */
function keyIn(text: string | null): { readonly set: string | null; readonly key: string | null } | null {
  try {
    const asked: unknown = JSON.parse(text ?? '');
    if (!Array.isArray(asked) || asked.length !== 2) return null;
    const [set, key] = asked as readonly unknown[];
    return isName(set) && isName(key) ? { set, key } : null;
  } catch {
    return null;
  }
}

function isName(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
