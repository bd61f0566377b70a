/** Stands between a client and a server and keeps a certain question back until somebody lets it go on: others act meanwhile. */
import net from 'node:net';

const ignore = (): void => undefined;

export interface Hold {
  /** Resolves when the question has come. */
  readonly reached: Promise<void>;
  release(): void;
}

export class HoldingProxy implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #lines = new Set<net.Socket>();
  #held: { readonly text: string; readonly hold: () => Promise<void> } | undefined;

  private constructor(server: net.Server) {
    this.#server = server;
  }

  static async start(port: number): Promise<HoldingProxy> {
    const server = net.createServer();
    const proxy = new HoldingProxy(server);
    server.on('connection', (client) => proxy.#connect(client, port));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** The next piece with the text is kept back, with all that comes behind it on its line. Other lines go on. */
  holdAt(text: string): Hold {
    let release = ignore;
    const released = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => {
      const hold = (): Promise<void> => {
        resolve();
        return released;
      };
      this.#held = { text, hold };
    });
    return { reached, release };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines) line.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(client: net.Socket, port: number): void {
    const upstream = net.connect(port, '127.0.0.1');
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
    let before = Promise.resolve();
    client.on('data', (piece) => {
      const held = this.#held;
      const isHeld = held !== undefined && piece.includes(held.text);
      if (isHeld) this.#held = undefined;
      before = before.then(() => (isHeld ? held.hold() : undefined)).then(() => void upstream.write(piece));
    });
    upstream.on('data', (piece) => client.write(piece));
  }
}
