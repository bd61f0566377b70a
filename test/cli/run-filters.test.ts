/** `runs retry` and `runs cancel` by what runs are: the filters of `runs list`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const orders = dynamicPartitions('orders');
const failing = (name) => () => {
  if (fs.existsSync(new URL('fails-' + name, import.meta.url))) throw new Error('down');
};
const raw = asset({ name: 'raw', partitions: items, materialize: failing('raw') });
const text = asset({ name: 'text', partitions: items, inputs: { raw }, materialize: failing('text') });
const bill = asset({ name: 'bill', partitions: orders, materialize: failing('bill') });
const page = asset({ name: 'page', materialize: failing('page') });
const menu = asset({ name: 'menu', materialize: failing('menu') });
const feed = sensor({ name: 'feed', evaluate: () => ({
  dynamicPartitionsRequests: [items.buildAddRequest(['a', 'b'])],
  runRequests: ['a', 'b'].map((partitionKey) => ({ partitionKey, runKey: partitionKey, assets: [raw, text] })),
}) });
export default definePipeline({ assets: [raw, text, bill, page, menu], sensors: [feed] });
`;

interface Run {
  readonly id: string;
  readonly partitionKey: string | null;
  readonly status: string;
  readonly retryOf: string | null;
  readonly assets: readonly { readonly asset: string }[];
}

let project: Project;
beforeEach(() => {
  project = new Project({ 'pipeline.ts': PIPELINE });
});
afterEach(() => project[Symbol.asyncDispose]());

const fails = (...names: string[]): void => {
  project.write(Object.fromEntries(names.map((name) => [`fails-${name}`, ''])));
};

async function mended(): Promise<void> {
  const { rm } = await import('node:fs/promises');
  for (const name of ['raw', 'text', 'bill', 'page', 'menu'])
    await rm(project.path(`fails-${name}`), { force: true });
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
async function json(...args: string[]): Promise<{ code: number | null; document: any }> {
  const { code, stdout } = await runHere(project, ['--json', ...args]);
  return { code, document: JSON.parse(stdout) };
}

/** What was made of which run: keys, assets, and the run that is retried. */
async function retried(...args: string[]): Promise<[string, string[], string | null][]> {
  const { document } = await json('runs', 'retry', ...args);
  return (document.runs as Run[])
    .map(({ partitionKey, assets, retryOf }): [string, string[], string | null] => [
      partitionKey ?? '-',
      assets.map(({ asset }) => asset),
      retryOf,
    ])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The id of the newest run of a key or, without one, of an asset. */
async function newest(...filters: string[]): Promise<string> {
  const { document } = await json('runs', 'list', ...filters);
  return (document.runs as Run[])[0]!.id;
}

describe('runs retry with filters', () => {
  it('takes the newest run of each key that passes', async () => {
    fails('raw', 'bill');
    await json('sensor', 'tick');
    await json('materialize', '--key', 'a');
    await json('partitions', 'add', 'orders', 'a', '--materialize');
    const [a, b] = [await newest('--key', 'a', '--asset', 'raw'), await newest('--key', 'b')];
    const order = await newest('--asset', 'bill');
    await mended();
    // A key of the same name in another set is another key.
    expect(new Set(await retried('--status', 'FAILURE', '--key', 'a'))).toEqual(
      new Set([
        ['a', ['bill'], order],
        ['a', ['raw', 'text'], a],
      ]),
    );
    expect(await retried('--status', 'failure')).toEqual([['b', ['raw', 'text'], b]]);
    expect(await retried('--status', 'FAILURE')).toEqual([]);
  });

  it('of a sensor or an asset', async () => {
    fails('raw', 'bill');
    await json('sensor', 'tick');
    await json('partitions', 'add', 'orders', 'o', '--materialize');
    expect((await retried('--sensor', 'feed')).map(([key]) => key)).toEqual(['a', 'b']);
    expect((await retried('--asset', 'bill')).map(([key]) => key)).toEqual(['o']);
  });

  it('makes nothing again that a later run has made, and not what one is about to make', async () => {
    fails('text', 'raw');
    await json('sensor', 'tick');
    await mended();
    await json('materialize', 'raw', '--key', 'a');
    expect((await json('materialize', '--key', 'b', '--no-run')).code).toBe(0);
    const a = await newest('--key', 'a', '--status', 'FAILURE');
    const { code, document } = await json('runs', 'retry', '--status', 'FAILURE');
    expect(code).toBe(0);
    expect(document).toMatchObject({
      runs: [{ partitionKey: 'a', status: 'SUCCESS', retryOf: a, assets: [{ asset: 'text' }] }],
      summary: { total: 1, succeeded: 1, leftOut: 1 },
    });
    expect((await json('runs', 'retry', '--status', 'FAILURE')).document).toMatchObject({
      runs: [],
      summary: { total: 0, leftOut: 1 },
    });
  });

  it('takes assets without a key one by one', async () => {
    fails('page', 'menu');
    await json('materialize', 'page');
    await json('materialize', 'menu');
    await mended();
    const { document } = await json('runs', 'retry', '--status', 'FAILURE');
    expect((document.runs as Run[]).map(({ assets }) => assets[0]!.asset).toSorted()).toEqual([
      'menu',
      'page',
    ]);
  });

  it('passes over keys and assets that are not there any more, which a named run is refused for', async () => {
    fails('raw', 'bill');
    await json('sensor', 'tick');
    await json('partitions', 'add', 'orders', 'o', '--materialize');
    const gone = await newest('--key', 'b');
    await json('partitions', 'remove', 'items', 'b');
    await mended();
    project.write({ 'pipeline.ts': PIPELINE.replace('assets: [raw, text, bill,', 'assets: [raw, text,') });
    expect((await retried('--status', 'FAILURE')).map(([key]) => key)).toEqual(['a']);
    expect(await json('runs', 'retry', gone)).toMatchObject({
      code: 2,
      document: { error: { code: 'unknown-key' } },
    });
  });
});

describe('runs cancel with filters', () => {
  beforeEach(async () => {
    await json('sensor', 'tick', '--no-run');
    await json('partitions', 'add', 'orders', 'o');
    await json('materialize', 'bill', '--key', 'o', '--no-run');
  });

  it.each([
    [['--key', 'b'], ['b']],
    [['--asset', 'bill'], ['o']],
    [
      ['--sensor', 'feed'],
      ['a', 'b'],
    ],
    [
      ['--status', 'QUEUED'],
      ['a', 'b', 'o'],
    ],
    [['--status', 'QUEUED', '--sensor', 'feed', '--key', 'a'], ['a']],
    [['--status', 'STARTED'], []],
    [['--status', 'SUCCESS'], []],
  ])('%j cancels those that have not ended', async (filters, keys) => {
    const { code, document } = await json('runs', 'cancel', ...filters);
    expect(code).toBe(0);
    const ended = (document.runs as Run[]).map(({ partitionKey, status }) => [partitionKey, status]);
    expect(new Set(ended)).toEqual(new Set(keys.map((key) => [key, 'CANCELED'])));
    const left = (await json('runs', 'list', '--status', 'QUEUED')).document.runs as Run[];
    expect(new Set(left.map(({ partitionKey }) => partitionKey))).toEqual(
      new Set(['a', 'b', 'o'].filter((key) => !keys.includes(key))),
    );
  });
});

describe.each(['retry', 'cancel'])('runs %s', (command) => {
  it('without ids and filters, or with both, is refused', async () => {
    await json('sensor', 'tick');
    const id = await newest();
    for (const [args, message] of [
      [[], 'neither'],
      [[id, '--key', 'a'], 'which of both'],
    ] as const)
      expect(await json('runs', command, ...args)).toMatchObject({
        code: 2,
        document: { error: { code: 'usage', message: expect.stringContaining(message) as string } },
      });
  });

  it('refuses names that are not there', async () => {
    for (const filters of [
      ['--asset', 'rwa'],
      ['--sensor', 'fede'],
    ])
      expect(await json('runs', command, ...filters)).toMatchObject({
        code: 2,
        document: { error: { code: `unknown-${filters[0]!.slice(2)}` } },
      });
  });
});
