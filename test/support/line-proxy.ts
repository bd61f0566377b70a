/** Stands between clients and a server, and has every line through it in hand. What it does to them is said by those that extend it. */
import net from 'node:net';

export abstract class LineProxy implements AsyncDisposable {
  readonly #server = net.createServer();
  readonly #lines = new Set<net.Socket>();

  /** From now on it listens, and stands before the server at the port. */
  protected async listen(port: number): Promise<this> {
    this.#server.on('connection', (client) => this.#connect(client, port));
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines) line.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(client: net.Socket, port: number): void {
    const server = net.connect(port, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const line of [client, server]) {
      this.#lines.add(line);
      line.setNoDelay();
      line.on('error', end);
      line.on('close', () => {
        this.#lines.delete(line);
        end();
      });
    }
    this.connected({ client, server, end });
  }

  /** Carries the pieces from one to the other, or does not. */
  protected abstract connected(line: {
    readonly client: net.Socket;
    readonly server: net.Socket;
    readonly end: () => void;
  }): void;
}
