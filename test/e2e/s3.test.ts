/** Values in object storage through the real binary, with a state in a file and in PostgreSQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';
import { S3Server } from '../support/s3-server.ts';

const PIPELINE = `
  import fs from 'node:fs';
  import { asset, definePipeline, dynamicPartitions, s3 } from 'dynpart';
  const letters = dynamicPartitions('letters');
  const upper = asset({
    name: 'upper', partitions: letters,
    materialize: ({ partitionKey }) => partitionKey === 'date' ? { at: new Date() } : fs.readFileSync('word.txt', 'utf8') + partitionKey,
  });
  const twice = asset({
    name: 'twice', partitions: letters, inputs: { upper }, isolation: 'process',
    materialize: ({ inputs }) => inputs.upper === 'bad-a' ? Promise.reject(new Error('no')) : inputs.upper.repeat(2),
  });
  const last = asset({ name: 'last', partitions: letters, inputs: { twice }, materialize: ({ inputs }) => inputs.twice });
  export default definePipeline({
    assets: [upper, twice, last],
    ioManager: s3({ bucket: process.env.BUCKET ?? 'reports', endpoint: process.env.ENDPOINT }),
  });
`;

let cluster: PostgresCluster;
let server: S3Server;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());
beforeEach(async () => {
  server = await S3Server.start();
  return () => server[Symbol.asyncDispose]();
});

describe.each(['a file', 'PostgreSQL'])('s3 and a state in %s', (kind) => {
  it('makes, replaces, shows and removes values, and names what went wrong', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'word.txt': 'one-' });
    const state = kind === 'a file' ? {} : { DYNPART_STATE: cluster.url('s3') };
    const keys = { AWS_ACCESS_KEY_ID: 'me', AWS_SECRET_ACCESS_KEY: 'secret', NODE_NO_WARNINGS: '1' };
    const env = { ...state, ...keys, ENDPOINT: server.endpoint };
    const dynpart = (args: readonly string[], more = {}) =>
      project.dynpart(args, { env: { ...env, ...more } });
    if (kind !== 'a file') expect((await dynpart(['state', 'migrate'])).code).toBe(0);
    await dynpart(['partitions', 'add', 'letters', 'a', '../b']);
    const first = await dynpart(['materialize', '--all']);
    expect(first).toMatchObject({ code: 0 });
    expect(JSON.parse((await dynpart(['value', 'show', 'twice', '--key', '../b'])).stdout)).toBe(
      'one-../bone-../b',
    );
    expect(server.names).toHaveLength(6);

    project.write({ 'word.txt': 'two-' });
    expect((await dynpart(['materialize', '--all'])).code).toBe(0);
    expect(JSON.parse((await dynpart(['value', 'show', 'twice', '--key', 'a'])).stdout)).toBe('two-atwo-a');
    // In the run that makes it, what waits for its record comes first, also where another process made it.
    expect(JSON.parse((await dynpart(['value', 'show', 'last', '--key', 'a'])).stdout)).toBe('two-atwo-a');

    // What a process of another record has left, and is newer, does not count.
    server.put(`upper/a/zzz-1.${'f'.repeat(26)}.json`, '"left"');
    const refused = await dynpart(['materialize', 'upper', '--key', 'a'], { BUCKET: 'none' });
    expect(refused.code).toBe(1);
    expect(refused.stderr + refused.stdout).toContain("there is no bucket 'none'");
    expect(JSON.parse((await dynpart(['value', 'show', 'upper', '--key', 'a'])).stdout)).toBe('two-a');

    await dynpart(['partitions', 'add', 'letters', 'date']);
    const date = await dynpart(['materialize', 'upper', '--key', 'date']);
    expect(date.stderr + date.stdout).toContain('value.at is a Date');

    expect((await dynpart(['partitions', 'remove', 'letters', '../b', '--purge'])).code).toBe(0);
    expect(server.names.filter((name) => name.includes('%2F'))).toEqual([]);

    server.objects.clear();
    const gone = await dynpart(['value', 'show', 'upper', '--key', 'a']);
    expect(gone.code).toBe(5);
    expect(gone.stderr).toContain('in s3://reports/upper/a/ cannot be read: the object is gone');
    expect(gone.stderr).not.toContain('    at ');
  });
});
