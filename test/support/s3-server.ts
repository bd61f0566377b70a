/** As much of S3 as `s3()` asks for, in memory: PUT, GET, DELETE and lists, in the path style; and what may go wrong. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it does in place of answering: a refusal by its code, or the line is cut, before the request counts or in the middle of the answer. */
export type Trouble = { readonly status: number; readonly code: string } | 'cut' | 'cut-body';

export class S3Server implements AsyncDisposable {
  readonly objects = new Map<string, { readonly bytes: Buffer; readonly at: number }>();
  readonly asked: string[] = [];
  /** For so many requests whose method is meant. */
  trouble: { readonly method: string; readonly what: Trouble; times: number } | undefined;
  /** Objects a list names at once. */
  pageOf = 1000;
  readonly #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => this.#answer(request, response, Buffer.concat(chunks)));
  });
  #last = 0;

  static async start(): Promise<S3Server> {
    const server = new S3Server();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get names(): string[] {
    return [...this.objects.keys()].toSorted();
  }

  /** As if somebody else had written it. */
  put(name: string, value: string): void {
    this.#last = Math.max(Date.now(), this.#last + 1);
    this.objects.set(name, { bytes: Buffer.from(value), at: this.#last });
  }

  #answer(
    { method = '', url = '' }: http.IncomingMessage,
    response: http.ServerResponse,
    body: Buffer,
  ): void {
    this.asked.push(`${method} ${url}`);
    const { pathname, searchParams } = new URL(url, 'http://server');
    const [bucket, ...rest] = pathname.slice(1).split('/').map(decodeURIComponent);
    const name = rest.join('/');
    const { trouble } = this;
    const isCut = trouble !== undefined && trouble.method === method && trouble.times-- > 0;
    if (isCut && trouble.what === 'cut') return void response.destroy();
    if (isCut && trouble.what !== 'cut-body') return refuse(response, trouble.what as never);
    if (bucket !== 'reports') return refuse(response, { status: 404, code: 'NoSuchBucket' });
    if (method === 'PUT') {
      this.#last = Math.max(Date.now(), this.#last + 1);
      this.objects.set(name, { bytes: body, at: this.#last });
      return void response.end();
    }
    if (method === 'DELETE') {
      this.objects.delete(name);
      return void response.writeHead(204).end();
    }
    if (name === '') return this.#list(response, searchParams);
    const found = this.objects.get(name);
    if (found === undefined) return refuse(response, { status: 404, code: 'NoSuchKey' });
    response.writeHead(200, { 'content-length': found.bytes.length });
    if (isCut) return void response.write(found.bytes.subarray(0, 3), () => response.destroy());
    response.end(found.bytes);
  }

  #list(response: http.ServerResponse, asked: URLSearchParams): void {
    const prefix = asked.get('prefix') ?? '';
    const after = asked.get('continuation-token') ?? '';
    const all = this.names.filter((name) => name.startsWith(prefix) && name > after);
    const page = all.slice(0, this.pageOf);
    const isCut = all.length > page.length;
    const contents = page.map(
      (name) =>
        `<Contents><Key>${name}</Key><LastModified>${new Date(this.objects.get(name)!.at).toISOString()}</LastModified></Contents>`,
    );
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isCut}</IsTruncated>${isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''}${contents.join('')}</ListBucketResult>`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function refuse(response: http.ServerResponse, { status, code }: { status: number; code: string }): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>it is ${code}</Message></Error>`);
}
