/** Workers on several machines, each with a network, processes and a clock of its own: one is killed, one is cut off. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { Machine } from '../support/machines.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

/** The walk of docs/postgresql.md: a sensor finds episodes, workers anywhere make them. */
const PIPELINE = `
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const at = (name: string): string => path.join(import.meta.dirname, name);
const episodes = dynamicPartitions('episodes');
const episode = asset({
  name: 'episode',
  partitions: episodes,
  async materialize({ partitionKey }) {
    const note = (what: string): void => fs.appendFileSync(at('notes.txt'), \`\${what} \${partitionKey} \${process.env['MACHINE']}\\n\`);
    note('begun');
    while (fs.existsSync(at('wait'))) await sleep(20);
    await sleep(Number(fs.readFileSync(at('ms.txt'), 'utf8')));
    note('made');
    return { key: partitionKey };
  },
});
const notes = asset({ name: 'notes', partitions: episodes, inputs: { episode }, materialize: ({ inputs }) => inputs.episode.key.length });
const feed = sensor({
  name: 'feed',
  assets: [episode, notes],
  async evaluate({ partitions }) {
    const keys = await partitions(episodes).missing(fs.readFileSync(at('feed.txt'), 'utf8').split('\\n'));
    return {
      dynamicPartitionsRequests: [episodes.buildAddRequest(keys)],
      runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ assets: [episode, notes], sensors: [feed], concurrency: 6 });
`;

/** A clock that is wrong by so many minutes. */
const CLOCK = `
const { MINUTES_AHEAD } = process.env;
const RealDate = Date;
const ahead = Number(MINUTES_AHEAD) * 60_000;
globalThis.Date = class extends RealDate {
  constructor(...given) { super(...(given.length === 0 ? [RealDate.now() + ahead] : given)); }
  static now() { return RealDate.now() + ahead; }
};
`;

const missing = Machine.missing;
const machines: Machine[] = [];
let cluster: PostgresCluster;
let files: string;
let states = 0;

beforeAll(async () => {
  if (missing !== null) return;
  for (let number = 0; number < 3; number++) machines.push(Machine.start(number));
  files = fs.mkdtempSync('/tmp/dynpart-tls-');
  certify(files, machines[0]!.here);
  cluster = await PostgresCluster.start({
    network: '10.0.0.0/8',
    tls: { certificate: `${files}/server.pem`, key: `${files}/server.key` },
  });
});

afterAll(() => {
  for (const machine of machines) machine[Symbol.dispose]();
  if (missing !== null) return;
  cluster[Symbol.dispose]();
  fs.rmSync(files, { recursive: true });
});

/** An authority of our own, and the server's certificate for one address. */
function certify(folder: string, address: string): void {
  const openssl = (...args: readonly string[]): unknown =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-subj'];
  for (const name of ['ca', 'other'])
    openssl(
      'req',
      '-x509',
      ...fresh,
      `/CN=${name}`,
      '-days',
      '2',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  openssl('req', ...fresh, '/CN=server', '-keyout', 'server.key', '-out', 'server.csr');
  fs.writeFileSync(`${folder}/names`, `subjectAltName=IP:${address}\n`);
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.pem');
}

/** What the connections of all processes are called. */
async function connections(): Promise<string[]> {
  const client = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
  await client.connect();
  try {
    return (await client.query('select application_name as name from pg_stat_activity')).rows.map(
      ({ name }) => name,
    );
  } finally {
    await client.end();
  }
}

class Place {
  readonly project: Project;
  readonly schema = `machines_${++states}`;

  constructor(keys: number) {
    const feed = Array.from({ length: keys }, (_, at) => `episode ${at}`);
    this.project = new Project({
      'pipeline.ts': PIPELINE,
      'clock.cjs': CLOCK,
      'feed.txt': feed.join('\n'),
      'ms.txt': '150',
      'notes.txt': '',
    });
  }

  /** As the machine sees the server. */
  env(number: number, minutesAhead = 0): Record<string, string> {
    return {
      DYNPART_STATE: `postgres://dynpart@${machines[number]!.here}:${cluster.port}/postgres?schema=${this.schema}&sslmode=disable&lease=10`,
      MACHINE: String(number),
      MINUTES_AHEAD: String(minutesAhead),
      NODE_OPTIONS: `--require ${this.project.path('clock.cjs')}`,
    };
  }

  notes(what: string, machine?: number): string[] {
    const said = this.project.read('notes.txt').split('\n');
    return said.filter(
      (line) => line.startsWith(`${what} `) && (machine === undefined || line.endsWith(` ${machine}`)),
    );
  }

  async materialized(): Promise<number> {
    const { document } = await this.project.json(['status', 'notes'], { env: this.env(0) });
    return document.assets[0].materialized;
  }

  /** Each episode is on record once, whoever made it how often. */
  async check(keys: number): Promise<void> {
    const { document } = await this.project.json(['runs', 'list', '--limit', '200'], { env: this.env(0) });
    expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(
      Array(keys).fill('SUCCESS'),
    );
    const made = document.runs.map(({ partitionKey }: { partitionKey: string }) => partitionKey);
    expect(new Set(made).size).toBe(keys);
    expect(await this.project.json(['state', 'check'], { env: this.env(0) })).toMatchObject({
      code: 0,
      document: { ok: true },
    });
  }
}

describe.skipIf(missing !== null)(`three machines (${missing ?? 'network namespaces'})`, () => {
  it('make every episode once, also where one of them is killed and their clocks differ by minutes', async () => {
    const KEYS = 36;
    const place = new Place(KEYS);
    await using project = place.project;
    expect(await project.dynpart(['state', 'migrate'], { env: place.env(0) })).toMatchObject({ code: 0 });
    const workers = machines.map(({ within }, number) =>
      project.start(['worker'], { env: place.env(number, (number - 1) * 10), within }),
    );
    // All of them are there before there is anything to do, however long each took to start.
    await until(async () => (await connections()).filter((name) => name === 'dynpart listens').length === 3);
    expect(await project.dynpart(['sensor', 'tick', '--no-run'], { env: place.env(0) })).toMatchObject({
      code: 0,
    });
    await until(() => place.notes('begun', 1).length > 0 && place.notes('made').length > 3);
    workers[1]!.process.kill('SIGKILL');
    await workers[1]!.done;
    const lost = place.notes('begun', 1).length - place.notes('made', 1).length;
    await until(async () => (await place.materialized()) === KEYS);
    for (const number of [0, 2]) Machine.terminate(workers[number]!.process);
    expect((await Promise.all([workers[0]!.done, workers[2]!.done])).map(({ code }) => code)).toEqual([0, 0]);
    await place.check(KEYS);
    // Both others had a part in it, and nobody took what a living one had in hand.
    expect(place.notes('made', 0).length).toBeGreaterThan(0);
    expect(place.notes('made', 2).length).toBeGreaterThan(0);
    // What was made and was not on record when its worker was killed is made again, and so is what it was at.
    expect(place.notes('begun').length).toBeLessThanOrEqual(KEYS + lost + 12);
  });

  it('go on where the line to one of them is dead, and what that one comes to counts for nothing', async () => {
    const place = new Place(2);
    await using project = place.project;
    project.write({ 'ms.txt': '4000' });
    expect(await project.dynpart(['state', 'migrate'], { env: place.env(0) })).toMatchObject({ code: 0 });
    await project.dynpart(['sensor', 'tick', '--no-run'], { env: place.env(0) });
    const first = project.start(['worker'], { env: place.env(0), within: machines[0]!.within });
    await until(() => place.notes('begun', 0).length === 2);
    machines[0]!.cutOff();
    project.write({ 'ms.txt': '10' });
    const second = project.start(['worker'], { env: place.env(1), within: machines[1]!.within });
    await until(() => place.notes('made', 1).length === 2);
    machines[0]!.reconnect();
    await first.saw('no longer this process');
    for (const worker of [first, second]) Machine.terminate(worker.process);
    await Promise.all([first.done, second.done]);
    // It came to its own end meanwhile, and nobody heard of it.
    expect(place.notes('made', 0)).toHaveLength(2);
    await place.check(2);
  });

  it('talk to the server so that nobody else can read it, and to nobody who is not the server', async () => {
    const place = new Place(1);
    await using project = place.project;
    project.write({ 'ms.txt': '10', wait: '' });
    const env = (number: number, more: string): Record<string, string> => ({
      DYNPART_STATE: `postgres://tls@${machines[number]!.here}:${cluster.port}/postgres?schema=${place.schema}${more}`,
    });
    const client = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
    await client.connect();
    await client.query('create role tls login superuser');
    const verified = env(0, `&sslmode=verify-full&sslrootcert=${files}/ca.pem`);
    expect(await project.dynpart(['state', 'migrate'], { env: verified })).toMatchObject({ code: 0 });
    await project.dynpart(['sensor', 'tick', '--no-run'], { env: verified });
    const worker = project.start(['worker'], { env: verified });
    await until(() => place.notes('begun').length === 1);
    const lines = `select application_name as name, bool_and(ssl) as ssl from pg_stat_activity join pg_stat_ssl using (pid) where usename = 'tls' group by 1 order by 1`;
    await until(async () => (await client.query(lines)).rows.length === 3);
    expect((await client.query(lines)).rows).toEqual(
      ['dynpart', 'dynpart heartbeat', 'dynpart listens'].map((name) => ({ name, ssl: true })),
    );
    fs.rmSync(project.path('wait'));
    worker.process.kill('SIGTERM');
    await worker.done;
    await client.end();
    for (const [number, more] of [
      [0, '&sslmode=verify-full'],
      [0, `&sslmode=verify-full&sslrootcert=${files}/other.pem`],
      // The right server under a name that is not its own.
      [1, `&sslmode=verify-full&sslrootcert=${files}/ca.pem`],
    ] as const)
      expect(await project.json(['status'], { env: env(number, more) })).toMatchObject({
        code: 5,
        document: { error: { code: 'database-unreachable', message: expect.stringMatching(/certificate/) } },
      });
  });
});

async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await happened()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect.fail(`it never happened: ${String(happened)}`);
}
