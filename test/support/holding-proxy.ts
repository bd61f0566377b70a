/** Stands between a client and a server and keeps a certain question back until somebody lets it go on: others act meanwhile. */
import { LineProxy } from './line-proxy.ts';

const ignore = (): void => undefined;

export interface Hold {
  /** Resolves when the question has come. */
  readonly reached: Promise<void>;
  release(): void;
}

export class HoldingProxy extends LineProxy {
  #held: { readonly text: string; readonly hold: () => Promise<void> } | undefined;

  static start(port: number): Promise<HoldingProxy> {
    return new HoldingProxy().listen(port);
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

  protected override connected({ client, server }: Parameters<LineProxy['connected']>[0]): void {
    let before = Promise.resolve();
    client.on('data', (piece) => {
      const held = this.#held;
      const isHeld = held !== undefined && piece.includes(held.text);
      if (isHeld) this.#held = undefined;
      before = before.then(() => (isHeld ? held.hold() : undefined)).then(() => void server.write(piece));
    });
    server.on('data', (piece) => client.write(piece));
  }
}
