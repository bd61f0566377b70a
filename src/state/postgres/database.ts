/** The way to the database: connections that come and go, transactions, and what to do when one breaks off. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from './address.ts';
import { isLost, lacksColumn, otherVersion, wordsFor } from './database-errors.ts';
import { CONNECT_MS, listen, type ListeningClient } from './listen.ts';
import { Lock } from './lock.ts';
import { Places } from './places.ts';
import { valueOf } from './array-text.ts';
import type { Port, Row } from './port.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** The part of the driver (`pg`) that is used. */
export interface Driver {
  readonly Pool: new (config: object) => Pool;
  readonly Client: new (config: object) => ListeningClient;
}

interface Pool {
  connect(): Promise<Client>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect', listener: (client: Client) => void): unknown;
}

interface Client {
  /** Whether a statement may be sent before the one before is answered. Drivers before 8.23 cannot. */
  readonly pipeline?: boolean;
  query(query: {
    readonly text: string;
    readonly values: readonly unknown[];
  }): Promise<{ readonly rows: Row[] }>;
  release(broken?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** Longer than any wait for the commits of others; a line that went dead is noticed after that. */
const QUERY_MS = 60_000;

/** A process that stops in the middle of a commit keeps all others waiting for so long. */
const IDLE_IN_TRANSACTION_MS = 20_000;

const IDLE_MS = 10_000;
const CONNECTIONS = 4;

/** Who was connected before waits so long for a server that restarts. */
const PATIENCE_MS = 30_000;
const LONGEST_PAUSE_MS = 1000;

/** A class of advisory locks that is dynpart's. */
const LOCK_CLASS = 0x64796e61;

const SETTINGS = `set jit = off; set enable_bitmapscan = off`;
const VERSION = `select schema_version as version from @.meta where program = 'dynpart'`;

const ignore = (): void => undefined;

/** What the database is asked within one transaction. */
export type Transaction<T> = (port: Port, tries: number) => Promise<T>;

export class Database implements Port {
  readonly #driver: Driver;
  readonly #pool: Pool;
  readonly #address: Address;
  readonly #schema: string;
  readonly #places = new Places(CONNECTIONS);
  /** The lock of this state, from when it is known to be this process's until COMMIT is on its way. */
  readonly lock = new Lock();
  #wasConnected = false;
  #isClosed = false;
  /** Looks that are over for whoever looked, and not yet for the server. */
  readonly #ending = new Set<Promise<unknown>>();

  constructor(driver: Driver, address: Address) {
    this.#driver = driver;
    this.#address = address;
    this.#schema = `"${address.schema}".`;
    this.#pool = new driver.Pool({
      connectionString: address.connection,
      application_name: 'dynpart',
      max: CONNECTIONS,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      keepAlive: true,
      allowExitOnIdle: true,
      pipeline: true,
    });
    // One that breaks off while nobody uses it is thrown away by the pool.
    this.#pool.on('error', () => undefined);
    // What the planner thinks that a statement costs is often far off here: compiling one takes longer than all of it does, and a
    // bitmap of all runs of a group longer than the first of them by their index.
    this.#pool.on('connect', (client) => void client.query({ text: SETTINGS, values: [] }).catch(ignore));
  }

  /** One statement by itself. Only what may be said twice: it is repeated where the line breaks off. */
  execute(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#patiently((client) => this.#ask(client, sql, values));
  }

  /** Several questions about one moment. */
  read<T>(work: (port: Port) => Promise<T>): Promise<T> {
    const begin = 'begin isolation level repeatable read read only';
    return this.#patiently((client) => this.#transaction(client, { begin, isLook: true }, work));
  }

  /**
   * A commit: alone on this state, whole or not at all. `work` is called again where the line broke off; then it looks first
   * whether it was made, since the last COMMIT may have gone unanswered.
   * @returns `undefined` undoes what was done
   */
  async write<T>(work: Transaction<T>): Promise<T> {
    let tries = 0;
    return this.#patiently(async (client) => {
      const lock = `select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext('${this.#address.schema}'))`;
      return this.#transaction(client, { begin: `begin; ${lock}`, isLook: false }, (port) =>
        work(port, tries++),
      );
    });
  }

  async #transaction<T>(
    client: Client,
    { begin, isLook }: { readonly begin: string; readonly isLook: boolean },
    work: (port: Port) => Promise<T>,
  ): Promise<T> {
    const asks = this.#portOf(client);
    let isOver = false;
    let failed: { readonly error: unknown } | null = null;
    let letGo = ignore;
    const port: Port = {
      execute: (sql, values) => {
        // What goes on beside something that failed must not reach the connection behind the transaction.
        if (isOver) return Promise.reject(new Error('the transaction is over'));
        const asked = asks.execute(sql, values);
        asked.catch((error: unknown) => (failed ??= { error }));
        return asked;
      },
    };
    try {
      const begun = port.execute(begin);
      const working = work(port);
      // What fails after this failed because of this.
      working.catch(ignore);
      await begun;
      if (!isLook) letGo = this.lock.take();
      const answer = await working;
      // Behind statements that nobody waits for: where one of them fails, this undoes all of them.
      const committed = port.execute('commit');
      letGo();
      // Nothing rests on the end of a look.
      if (isLook) {
        const ended = committed.catch(ignore).finally(() => this.#ending.delete(ended));
        this.#ending.add(ended);
        return answer;
      }
      await committed;
      if (failed !== null) throw (failed as { readonly error: unknown }).error;
      return answer;
    } catch (error) {
      // What was said behind the first failure failed because of it.
      const first = failed as { readonly error: unknown } | null;
      throw first === null ? error : first.error;
    } finally {
      isOver = true;
      letGo();
    }
  }

  /** Calls back for each call on a channel, and when there may have been some: the line broke off. Answers with what ends it. */
  listen(channel: string, onCall: () => void): () => void {
    return listen(this.#driver, { address: this.#address, channel, onCall });
  }

  /** @throws Error when this process has other things to say to the database afterwards */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all(this.#ending);
    await this.#pool.end();
  }

  #portOf(client: Client): Port {
    if (client.pipeline === true) return { execute: (sql, values = []) => this.#ask(client, sql, values) };
    let last: Promise<unknown> = Promise.resolve();
    return {
      execute: (sql, values = []) => {
        const asked = last.then(() => this.#ask(client, sql, values));
        last = asked.catch(ignore);
        return asked;
      },
    };
  }

  async #ask(client: Client, sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const text = sql.replaceAll('@.', this.#schema);
    const { rows } = await client.query({ text, values: values.map(valueOf) });
    return rows;
  }

  /** With a connection; again with another one while the server is away. */
  async #patiently<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const until = performance.now() + PATIENCE_MS;
    for (let tries = 0; ; tries++) {
      try {
        return await this.#connected(work);
      } catch (error) {
        if (!isLost(error) || !this.#wasConnected || performance.now() > until)
          throw (await this.#ofOtherVersion(error)) ?? wordsFor(error, this.#address) ?? error;
        await sleep(Math.min(LONGEST_PAUSE_MS, 20 * 2 ** tries));
      }
    }
  }

  /** Where a column is not there, the tables may be of another version: what asks for it comes before anybody could see that. */
  async #ofOtherVersion(error: unknown): Promise<Error | null> {
    if (!lacksColumn(error)) return null;
    try {
      const [meta] = await this.#connected((client) => this.#ask(client, VERSION));
      const version = Number(meta?.['version']);
      return version > 0 && version !== SCHEMA_VERSION
        ? otherVersion(this.#address, version, SCHEMA_VERSION)
        : null;
    } catch {
      // They are not dynpart's.
      return null;
    }
  }

  /** The pool would take its waiting for a free connection for a server that does not answer. */
  #connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.#places.with(() => this.#onConnection(work));
  }

  async #onConnection<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    this.#wasConnected = true;
    // Without a listener a line that breaks off between two questions would end the process.
    client.on('error', ignore);
    let isUsable = true;
    try {
      return await work(client);
    } catch (error) {
      isUsable = await this.#undo(client, error);
      throw error;
    } finally {
      client.off('error', ignore);
      client.release(!isUsable);
    }
  }

  /** @returns whether the connection can be used again */
  async #undo(client: Client, error: unknown): Promise<boolean> {
    if (isLost(error)) return false;
    try {
      await this.#ask(client, 'rollback');
      return true;
    } catch {
      return false;
    }
  }
}
