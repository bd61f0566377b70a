/** Stands between a client and a server and cuts the line: before a certain piece reaches the server, or before its answer comes back. */
import { LineProxy } from './line-proxy.ts';

export class CuttingProxy extends LineProxy {
  #left = Infinity;
  #when: 'before' | 'after' = 'before';

  static start(port: number): Promise<CuttingProxy> {
    return new CuttingProxy().listen(port);
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

  override [Symbol.asyncDispose](): Promise<void> {
    this.#left = Infinity;
    return super[Symbol.asyncDispose]();
  }

  protected override connected({ client, server, end }: Parameters<LineProxy['connected']>[0]): void {
    let isDeaf = false;
    client.on('data', (piece) => {
      if (this.#left-- !== 0) return void server.write(piece);
      if (this.#when === 'before') return end();
      isDeaf = true;
      return void server.write(piece);
    });
    server.on('data', (piece) => {
      if (isDeaf) end();
      else client.write(piece);
    });
  }
}
