/** Hears calls on a channel of the database: on a connection of its own, which is made anew where it breaks off. */
import type { Address } from './address.ts';

export interface ListeningClient {
  connect(): Promise<void>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'error' | 'end' | 'notification', listener: () => void): unknown;
}

export interface Listening {
  readonly address: Address;
  readonly channel: string;
  /** Called for each call, and when there may have been some: the line broke off. */
  readonly onCall: () => void;
}

/** A connection is made within so long, or not at all. */
export const CONNECT_MS = 10_000;

const AGAIN_MS = 1000;

const ignore = (): void => undefined;

/** @returns what ends it */
export function listen(
  driver: { readonly Client: new (config: object) => ListeningClient },
  { address, channel, onCall }: Listening,
): () => void {
  let client: ListeningClient | null = null;
  let isOver = false;
  let again: NodeJS.Timeout | undefined;
  const lost = (): void => {
    const broken = client;
    client = null;
    broken?.end().catch(ignore);
    clearTimeout(again);
    if (!isOver) again = setTimeout(() => void connect(), AGAIN_MS).unref();
  };
  const connect = async (): Promise<void> => {
    const fresh = new driver.Client({
      connectionString: address.connection,
      application_name: 'dynpart listens',
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
    });
    client = fresh;
    fresh.on('error', () => client === fresh && lost());
    fresh.on('end', () => client === fresh && lost());
    fresh.on('notification', onCall);
    try {
      await fresh.connect();
      await fresh.query(`listen "${channel}"`);
      onCall();
    } catch {
      if (client === fresh) lost();
    }
  };
  void connect();
  return () => {
    isOver = true;
    lost();
  };
}
