/** Stands between a client and a server and cuts the line: before a certain piece reaches the server, or before its answer comes back. */
import net from 'node:net';

export class CuttingProxy {
  readonly #server: net.Server;
  readonly #lines = new Set<net.Socket>();
  #left = Infinity;
  #when: 'before' | 'after' = 'before';

  private constructor(server: net.Server) {
    this.#server = server;
  }

  static async start(port: number): Promise<CuttingProxy> {
    const server = net.createServer();
    const proxy = new CuttingProxy(server);
    server.on('connection', (client) => proxy.#connect(client, port));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** Lets so many pieces through from now on and cuts at the next one. */
  cutAfter(pieces: number, when: 'before' | 'after'): void {
    this.#left = pieces;
    this.#when = when;
  }

  /** Whether it has cut. */
  get hasCut(): boolean {
    return this.#left < 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left = Infinity;
    for (const line of this.#lines) line.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(client: net.Socket, port: number): void {
    const upstream = net.connect(port, '127.0.0.1');
    let isDeaf = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const line of [client, upstream]) {
      this.#lines.add(line);
      line.setNoDelay();
      line.on('error', end);
      line.on('close', () => {
        this.#lines.delete(line);
        end();
      });
    }
    client.on('data', (piece) => {
      if (this.#left-- !== 0) return void upstream.write(piece);
      if (this.#when === 'before') return end();
      isDeaf = true;
      return void upstream.write(piece);
    });
    upstream.on('data', (piece) => {
      if (isDeaf) end();
      else client.write(piece);
    });
  }
}
