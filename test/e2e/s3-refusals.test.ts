/** What an S3-compatible server of others refuses, through the real binary: each is a failure that says what to do, and nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project, type RunResult } from '../support/project.ts';
import { KEYS, S3FromNpm } from '../support/s3-from-npm.ts';
import { S3Server } from '../support/s3-server.ts';

const PIPELINE = `
  import { asset, definePipeline, dynamicPartitions, s3 } from 'dynpart';
  const letters = dynamicPartitions('letters');
  const upper = asset({ name: 'upper', partitions: letters, materialize: ({ partitionKey }) => process.env.WORD + partitionKey });
  export default definePipeline({ assets: [upper], ioManager: s3({ bucket: process.env.BUCKET ?? 'reports', endpoint: process.env.ENDPOINT }) });
`;

/** A clock that is wrong by three hours. */
const CLOCK = `const now = Date.now; Date.now = () => now() + 3 * 3_600_000;
const Real = Date; globalThis.Date = class extends Real { constructor(...args) { super(...(args.length === 0 ? [Real.now()] : args)); } static now() { return Real.now(); } };`;

let project: Project;
let server: S3FromNpm;

beforeAll(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE, 'clock.cjs': CLOCK });
  server = await S3FromNpm.start(project.path('.bucket'), 'reports');
  await dynpart(['partitions', 'add', 'letters', 'a/b é']);
  expect(await dynpart(['materialize', '--all'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await project[Symbol.asyncDispose]();
});

const dynpart = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> =>
  project.dynpart(args, {
    env: { ...KEYS, NODE_NO_WARNINGS: '1', ENDPOINT: server.endpoint, WORD: 'one-', ...env },
  });

const shown = async (env = {}): Promise<string> =>
  (await dynpart(['value', 'show', 'upper', '--key', 'a/b é'], env)).stdout.trim();

const NO_KEYS = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' };

describe('a server of others', () => {
  it.each<[string, Record<string, string>, string]>([
    ['a bucket that is not there', { BUCKET: 'none' }, "there is no bucket 'none'"],
    ['keys that it does not know', { AWS_ACCESS_KEY_ID: 'who' }, 'does not know these keys'],
    ['no keys', NO_KEYS, 'there are no keys'],
    ['a server that is not there', { ENDPOINT: 'http://127.0.0.1:9' }, 'Is the server there?'],
  ])('refuses %s', async (_what, env, words) => {
    const refused = await dynpart(['materialize', '--all'], { WORD: 'two-', ...env });
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain(words);
    expect(refused.stdout + refused.stderr).not.toMatch(/^\s+at .*node_modules/m);
  });

  it('has kept what was there, and takes the next', async () => {
    expect(await shown()).toBe('"one-a/b é"');
    expect(await dynpart(['materialize', '--failed'], { WORD: 'three-' })).toMatchObject({ code: 0 });
    expect(await shown()).toBe('"three-a/b é"');
  });

  it('takes values of a machine whose clock is off by hours: the package corrects itself', async () => {
    const wrong = { NODE_OPTIONS: `--require ${project.path('clock.cjs')}`, WORD: 'late-' };
    expect(await dynpart(['materialize', '--all'], wrong)).toMatchObject({ code: 0 });
    expect(await shown()).toBe('"late-a/b é"');
  });
});

it('a value that is too large for the server is a failure that says so, and what was there stays', async () => {
  await using own = await S3Server.start();
  const env = { ENDPOINT: own.endpoint };
  expect(await dynpart(['materialize', '--all'], env)).toMatchObject({ code: 0 });
  own.trouble = { method: 'PUT', what: { status: 400, code: 'EntityTooLarge' }, times: 1 };
  const refused = await dynpart(['materialize', '--all'], { ...env, WORD: 'two-' });
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toContain('the value is larger than bucket');
  expect(own.names).toHaveLength(1);
  expect(await shown(env)).toBe('"one-a/b é"');
});
