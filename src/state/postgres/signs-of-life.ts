/** Tells the database that this process lives: from a thread, since user code may block the event loop for long. */
import type { Worker } from 'node:worker_threads';
import { ASKING_SCRIPT, MOST_ASKS } from '../at-work.ts';
import { thisProcess } from '../../files/process-owner.ts';
import { LOOK_EVERY_MS, LOOKING_SCRIPT, LoopSigns, OTHERS } from '../loop-signs.ts';
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

/** An event loop that has not turned for so long is blocked, as far as others are told which sensor has it. */
const STILL_MS = 2500;

/** The number of the sensor whose code has the event loop is shared with the thread. */
const HOLDER = OTHERS;

/** As text: it needs nothing of dynpart, and so no file of its own in what is built. */
const SCRIPT = `
const { workerData, parentPort } = require('node:worker_threads');
const { driver, connection, schema, everyMs, stillMs, shared, pid, host } = workerData;
${LOOKING_SCRIPT}
let known = workerData.known;
let client = null;
let isBusy = false;
async function ask(text, values) {
  if (client === null) {
    const { Client } = require(driver);
    const fresh = new Client({ connectionString: connection, application_name: 'dynpart heartbeat', connectionTimeoutMillis: 5000, query_timeout: 5000, keepAlive: true });
    fresh.on('error', () => { if (client === fresh) client = null; });
    await fresh.connect();
    // Nobody needs a sign of life after a crash of the server.
    await fresh.query('set synchronous_commit = off');
    client = fresh;
  }
  await client.query(text, values);
}
async function inTurn(work) {
  if (isBusy) return;
  isBusy = true;
  try {
    await work();
  } catch {
    // The next time, or never: whoever cannot be reached is taken for dead.
    const broken = client;
    client = null;
    if (broken !== null) broken.end().catch(() => undefined);
  } finally {
    isBusy = false;
  }
}
${ASKING_SCRIPT}
// Since when it stands still is told, and not only that it does: others wait for no further sign then.
async function show(runs) {
  await ask('update ' + schema + '.executor set beat = clock_timestamp(), turned = clock_timestamp() - $2::float8 * interval \\'1 ms\\', at_work = $3 where id = any($1)', [known.executors, still, runs]);
  if (known.leases.length > 0) await ask('update ' + schema + '.sensor_lease set beat = clock_timestamp() where owner ->> \\'id\\' = any($1)', [known.leases]);
}
// A run that blocks is told of when it has done so for longer than it may, and no longer than it does.
let runs = null;
let told = null;
let asks = ${MOST_ASKS};
async function tellBlocked() {
  const isBlocked = known.executors.length > 0 && still > mayBeStill();
  if (!isBlocked) [runs, asks] = [null, ${MOST_ASKS}];
  else if (runs === null && asks-- > 0) runs = await new Promise(atWork);
  // That it is blocked is told first, whoever it is.
  const now = isBlocked ? runs ?? 'somebody' : null;
  if (now === told) return;
  await show(runs);
  told = now;
}
// Of several sensors that share the event loop, the one that keeps it is named while it does, and nobody otherwise.
let named = null;
async function nameSensor() {
  const holds = still > stillMs ? known.sensors[Atomics.load(seenBy, ${HOLDER})] ?? null : null;
  if (holds === named) return;
  // By the process: it may be blocked before it has heard that a lease of it is there.
  await ask('update ' + schema + '.sensor_lease set thread = $1 where owner ->> \\'pid\\' = $2 and owner ->> \\'host\\' = $3', [holds, String(pid), host]);
  named = holds;
}
// Who was entered or took a lease has shown itself by that.
let shownAt = performance.now();
async function turn() {
  if (known.sensors.length > 0) await nameSensor();
  await tellBlocked();
  if (performance.now() - shownAt < everyMs) return;
  shownAt = performance.now();
  await show(runs);
}
setInterval(() => { look(); inTurn(turn); }, ${LOOK_EVERY_MS});
parentPort.on('message', (message) => { known = message; });
`;

export class SignsOfLife {
  readonly #options: SignsOptions;
  /** Sensors that share the event loop, by their number. */
  readonly #sensors: string[] = [];
  readonly #loop = new LoopSigns(1);
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
    const known = { executors, leases, sensors: this.#sensors };
    const shown = JSON.stringify(known);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (this.#thread !== undefined) return this.#thread.postMessage(known);
    const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
    const workerData = {
      driver,
      connection: address.connection,
      schema: `"${address.schema}"`,
      everyMs: Math.floor(address.leaseMs / SIGNS_IN_A_LEASE),
      stillMs: STILL_MS,
      shared: this.#loop.shared.buffer,
      pid: process.pid,
      host: thisProcess().host,
      known,
    };
    const thread = new Thread(SCRIPT, { eval: true, workerData, execArgv: [], env: { ...process.env } });
    thread.unref();
    thread.on('error', () => undefined);
    this.#thread = thread;
    this.#turning = setInterval(() => this.#loop.turned(), TURN_MS);
    this.#turning.unref();
  }

  /** The code of this sensor, of several that share the event loop, has it from now on: it may never give it back. */
  hasThread(sensor: string): void {
    let number = this.#sensors.indexOf(sensor);
    if (number === -1) {
      number = this.#sensors.push(sensor) - 1;
      this.show();
    }
    Atomics.store(this.#loop.shared, HOLDER, number);
  }

  /** Code of a run begins that may keep the event loop for so long. */
  begins(mayBlockMs: number): void {
    this.#loop.begins(mayBlockMs);
    this.show();
  }

  /** It has ended. */
  ends(mayBlockMs: number): void {
    this.#loop.ends(mayBlockMs);
  }

  async end(): Promise<void> {
    clearInterval(this.#turning);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}
