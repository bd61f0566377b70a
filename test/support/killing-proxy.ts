/** Stands before an HTTP server, and at a certain request kills whoever asks: before the server hears of it, behind it, or long before. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `before`: the request comes to the server never. `after`: it is answered, and nobody hears it. `late`: it comes to the server when
 * {@link KillingProxy.deliver} says so.
 */
export type KillWhen = 'before' | 'after' | 'late';

export class KillingProxy implements AsyncDisposable {
  /** The requests since `arm` was called, such as `PUT /bucket/name`. */
  readonly asked: string[] = [];
  readonly #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void this.#pass(request, response, Buffer.concat(chunks)));
    for (const one of [request, response]) one.on('error', () => undefined);
  });
  readonly #target: string;
  #armed:
    | { readonly at: number; readonly when: KillWhen; readonly kill: () => void; readonly method: string }
    | undefined;
  #late: (() => Promise<unknown>) | undefined;

  private constructor(target: string) {
    this.#target = target;
  }

  static async start(target: string): Promise<KillingProxy> {
    const proxy = new KillingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param at the number of the request, from 1 @param method counts those alone */
  arm(at: number, when: KillWhen, kill: () => void, method = ''): void {
    this.asked.length = 0;
    this.#armed = { at, when, kill, method };
  }

  /** What was on its way comes. */
  async deliver(): Promise<void> {
    await this.#late!();
    this.#late = undefined;
  }

  async #pass(request: http.IncomingMessage, response: http.ServerResponse, body: Buffer): Promise<void> {
    const asked = `${request.method} ${request.url}`;
    this.asked.push(asked);
    const { method = '', at } = this.#armed ?? {};
    const isMeant =
      asked.startsWith(method) && this.asked.filter((one) => one.startsWith(method)).length === at;
    const armed = isMeant ? this.#armed : undefined;
    const send = (): Promise<http.IncomingMessage> => this.#send(request, body);
    if (armed?.when === 'late') this.#late = send;
    if (armed !== undefined && armed.when !== 'after') {
      armed.kill();
      return void response.destroy();
    }
    const answer = await send();
    if (armed !== undefined) {
      armed.kill();
      answer.resume();
      return void response.destroy();
    }
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  }

  #send({ method, url, headers }: http.IncomingMessage, body: Buffer): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      http
        .request(new URL(url!, this.#target), { method, headers, agent: false }, resolve)
        .on('error', reject)
        .end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
