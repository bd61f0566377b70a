/** A value that is on record and cannot be read, be it gone, cut or out of reach: with each store it keeps the run that needs it, and nobody else. */
import fs from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from 'pg';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ProjectHere } from '../support/in-process.ts';
import { S3Server } from '../support/s3-server.ts';

const PIPELINE = `
  import { asset, definePipeline, dynamicPartitions, s3 } from 'dynpart';
  const things = dynamicPartitions('things');
  const up = asset({ name: 'up', partitions: things, materialize: ({ partitionKey }) => 'of ' + partitionKey });
  const down = asset({ name: 'down', partitions: things, inputs: { up }, materialize: ({ inputs }) => inputs.up });
  const { ENDPOINT: endpoint } = process.env;
  export default definePipeline({ assets: [up, down], ...(endpoint && { ioManager: s3({ bucket: 'reports', endpoint }) }) });
`;

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

interface Scene {
  readonly project: ProjectHere;
  readonly server: S3Server;
}

const fileOfB = ({ project }: Scene): string => project.path('.dynpart/values/up/b.json');

async function inDatabase(statement: string): Promise<void> {
  const client = new Client({ connectionString: cluster.server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function objectOfB({ server }: Scene): string {
  return server.names.find((name) => name.startsWith('up/b/'))!;
}

type Damage = (scene: Scene) => void | Promise<void>;

const FILES: Record<string, Damage> = {
  'a file that is gone': (scene) => fs.rmSync(fileOfB(scene)),
  'a file that was cut': (scene) => fs.truncateSync(fileOfB(scene), 3),
  'a folder in place of a file': (scene) => {
    fs.rmSync(fileOfB(scene));
    fs.mkdirSync(fileOfB(scene));
  },
  'a link that leads to itself': (scene) => {
    fs.rmSync(fileOfB(scene));
    fs.symlinkSync('b.json', fileOfB(scene));
  },
};
const ROWS: Record<string, Damage> = {
  'a row that is gone': () => inDatabase(`delete from damaged.value where key = 'b'`),
  'a row that was cut': () => inDatabase(`update damaged.value set bytes = '"of' where key = 'b'`),
};
const OBJECTS: Record<string, Damage> = {
  'an object that is gone': (scene) => void scene.server.objects.delete(objectOfB(scene)),
  'an object that was cut': (scene) => scene.server.put(objectOfB(scene), '"of'),
};

const CASES = [
  ...Object.entries(FILES).map(([name, damage]) => ['files', name, damage] as const),
  ...Object.entries(ROWS).map(([name, damage]) => ['PostgreSQL', name, damage] as const),
  ...Object.entries(OBJECTS).map(([name, damage]) => ['a bucket', name, damage] as const),
];

it.each(CASES)(
  '%s, %s: the run that needs it waits, all others are made, and a worker goes on',
  async (kind, name, damage) => {
    await using project = new ProjectHere({ 'pipeline.ts': PIPELINE });
    await using server = await S3Server.start();
    const scene = { project, server };
    if (kind === 'PostgreSQL') await inDatabase('drop schema if exists damaged cascade');
    const env: Record<string, string> = {
      NODE_NO_WARNINGS: '1',
      ...(kind === 'PostgreSQL' && { DYNPART_STATE: cluster.url('damaged') }),
      ...(kind === 'a bucket' && {
        ENDPOINT: server.endpoint,
        AWS_ACCESS_KEY_ID: 'me',
        AWS_SECRET_ACCESS_KEY: 'secret',
      }),
    };
    const dynpart = (...args: string[]) => project.dynpart(args, { env });
    const made = async (): Promise<unknown> =>
      (await project.json(['status', 'down'], { env })).document.assets[0];
    if (kind === 'PostgreSQL') await dynpart('state', 'migrate');
    await dynpart('partitions', 'add', 'things', 'a', 'b', 'c');
    expect(await dynpart('materialize', 'up', '--all')).toMatchObject({ code: 0 });
    await damage(scene);

    const { code, document } = await project.json(['materialize', 'down', '--all'], { env });
    expect([code, document.error]).toEqual([
      5,
      {
        code: 'value-damaged',
        message: expect.stringMatching(/^the value of asset 'up' for key "b" in .* cannot be read: /),
        hint: 'materialize it again: dynpart materialize up --key b',
      },
    ]);
    expect(document.summary).toMatchObject({ succeeded: 2, failed: 0 });
    expect(await made()).toMatchObject({ materialized: 2, failed: 0, inProgress: 1 });

    const worker = project.start(['worker'], { env });
    await worker.saw('stays in the queue');
    await dynpart('partitions', 'add', 'things', 'd');
    await dynpart('materialize', '--key', 'd', '--no-run');
    await expect.poll(made, { timeout: 60_000 }).toMatchObject({ materialized: 3, failed: 0, inProgress: 1 });
    worker.process.kill('SIGTERM');
    const { code: left, stderr } = await worker.done;
    expect([left, stderr.split('dynpart materialize up --key b')]).toEqual([
      0,
      [expect.anything(), expect.anything()],
    ]);
    expect(stderr).not.toContain('stopped:');

    if (name.startsWith('a folder')) fs.rmdirSync(fileOfB(scene));
    expect(await dynpart('materialize', 'up', '--key', 'b')).toMatchObject({ code: 0 });
    expect(await dynpart('worker', '--once')).toMatchObject({ code: 0 });
    expect(await made()).toMatchObject({ materialized: 4, failed: 0, inProgress: 0 });
  },
);

it('PostgreSQL: more damaged values than a worker takes up at once keep nobody else', async () => {
  await using project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  await inDatabase('drop schema if exists damaged cascade');
  const env = { DYNPART_STATE: cluster.url('damaged'), NODE_NO_WARNINGS: '1' };
  const dynpart = (...args: string[]) => project.dynpart(args, { env });
  const made = async (): Promise<unknown> =>
    (await project.json(['status', 'down'], { env })).document.assets[0];
  await dynpart('state', 'migrate');
  await dynpart('partitions', 'add', 'things', ...Array.from({ length: 40 }, (_, at) => `key-${at}`));
  await dynpart('materialize', 'up', '--all');
  await inDatabase(`delete from damaged.value`);
  await dynpart('materialize', 'down', '--all', '--no-run');
  await dynpart('partitions', 'add', 'things', 'whole');
  await dynpart('materialize', '--key', 'whole', '--no-run');
  const worker = project.start(['worker', '--concurrency', '1'], { env });
  await expect.poll(made, { timeout: 60_000 }).toMatchObject({ materialized: 1, failed: 0, inProgress: 40 });
  worker.process.kill('SIGTERM');
  expect((await worker.done).code).toBe(0);
});
