/** Tells the database that this process lives: from a thread, since user code may block the event loop for long. */
import type { Worker } from 'node:worker_threads';
import type { Address } from './address.ts';

export interface SignsOptions {
  /** The driver's file: a thread loads it by itself. */
  readonly driver: string;
  readonly address: Address;
  /** What is this process's: executors, and sensors that it evaluates. */
  readonly executors: string[];
  readonly leases: string[];
}

/** So many signs within the time after which others take a process for dead. */
const SIGNS_IN_A_LEASE = 4;

const TURN_MS = 1000;

/** As text: it needs nothing of dynpart, and so no file of its own in what is built. */
const SCRIPT = `
const { workerData, parentPort } = require('node:worker_threads');
const { driver, connection, schema, everyMs, turns } = workerData;
const turned = new Int32Array(turns);
let ids = workerData.ids;
// When it turned before that stands with whoever was entered.
let seen = Atomics.load(turned, 0);
let client = null;
let isBusy = false;
parentPort.on('message', (message) => { ids = message; });
async function show() {
  if (isBusy) return;
  isBusy = true;
  try {
    if (client === null) {
      const { Client } = require(driver);
      const fresh = new Client({ connectionString: connection, application_name: 'dynpart heartbeat', connectionTimeoutMillis: 5000, query_timeout: 5000, keepAlive: true });
      fresh.on('error', () => { if (client === fresh) client = null; });
      await fresh.connect();
      // Nobody needs a sign of life after a crash of the server.
      await fresh.query('set synchronous_commit = off');
      client = fresh;
    }
    const now = Atomics.load(turned, 0);
    await client.query('update ' + schema + '.executor set beat = clock_timestamp(), turned = case when $2 then clock_timestamp() else turned end where id = any($1)', [ids.executors, now !== seen]);
    seen = now;
    if (ids.leases.length > 0) await client.query('update ' + schema + '.sensor_lease set beat = clock_timestamp() where owner ->> \\'id\\' = any($1)', [ids.leases]);
  } catch {
    // The next time, or never: whoever cannot be reached is taken for dead.
    const broken = client;
    client = null;
    if (broken !== null) broken.end().catch(() => undefined);
  } finally {
    isBusy = false;
  }
}
// Who was entered or took a lease has shown itself by that.
setInterval(show, everyMs);
`;

export class SignsOfLife {
  readonly #options: SignsOptions;
  #thread: Worker | undefined;
  /** What the thread knows to be this process's. */
  #shown = '';
  #turning: NodeJS.Timeout | undefined;

  constructor(options: SignsOptions) {
    this.#options = options;
  }

  /** Also after something was taken on or let go of. */
  show(): void {
    const { executors, leases, driver, address } = this.#options;
    const ids = { executors, leases };
    const shown = JSON.stringify(ids);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (this.#thread !== undefined) return this.#thread.postMessage(ids);
    const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
    const turns = new SharedArrayBuffer(4);
    const turned = new Int32Array(turns);
    const everyMs = Math.floor(address.leaseMs / SIGNS_IN_A_LEASE);
    const { connection } = address;
    const workerData = { driver, connection, schema: `"${address.schema}"`, everyMs, turns, ids };
    const thread = new Thread(SCRIPT, { eval: true, workerData, execArgv: [], env: { ...process.env } });
    thread.unref();
    thread.on('error', () => undefined);
    this.#thread = thread;
    this.#turning = setInterval(() => Atomics.add(turned, 0, 1), TURN_MS);
    this.#turning.unref();
  }

  async end(): Promise<void> {
    clearInterval(this.#turning);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}
