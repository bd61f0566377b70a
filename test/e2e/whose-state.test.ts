/** A state belongs to one pipeline: each file has its own, what is beside a state too, and another pipeline is refused. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

/** A pipeline with a set, a sensor that finds `1` and `2`, an asset that says whose code made it, and one that is made of it. */
const pipelineOf = (set: string, { asset = `${set}-record`, by = set } = {}): string => `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const set = dynamicPartitions('${set}');
const a = asset({ name: '${asset}', partitions: set, materialize: ({ partitionKey }) => '${by} ' + partitionKey });
const report = asset({ name: '${asset}-report', partitions: set, inputs: { a }, materialize: ({ inputs }) => 'report of ' + inputs.a });
export default definePipeline({ assets: [a, report], sensors: [ sensor({ name: 'find-${set}', assets: [a], async evaluate() {
  return { dynamicPartitionsRequests: [set.buildAddRequest(['1', '2'])], runRequests: ['1', '2'].map((partitionKey) => ({ partitionKey, runKey: partitionKey })) };
} }) ] });
`;

/** Turns a state, with what is beside it, into what dynpart left before schema 3. */
function asOlder(project: Project, file: string): void {
  const state = JSON.parse(project.read(file)) as { serial: number };
  // In place: the newest generation is a further name of the same file.
  fs.writeFileSync(project.path(file), `${JSON.stringify({ ...state, schema: 2 })}\n`);
  const own = project.path(file.replace(/\.json$/, '.dynpart'));
  if (!fs.existsSync(own)) return;
  for (const name of fs.readdirSync(own, { recursive: true, encoding: 'utf8' })) {
    const [from, to] = [path.join(own, name), path.join(path.dirname(own), name)];
    if (!fs.statSync(from).isFile()) continue;
    const content = fs.readFileSync(from);
    fs.mkdirSync(path.dirname(to), { recursive: true });
    // All states of a folder had one history.
    if (name.endsWith('.jsonl')) fs.appendFileSync(to, content);
    else {
      fs.rmSync(to, { force: true });
      fs.writeFileSync(to, content);
    }
  }
  fs.rmSync(own, { recursive: true });
}

/** A command line for a pipeline whose state stands in a folder of states. */
const on = (name: string, ...args: string[]): string[] => [
  '-f',
  `${name}.mjs`,
  '--state',
  `var/${name}.json`,
  ...args,
];

const valuesIn = (project: Project, folder: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readdirSync(project.path(folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => [name, project.read(folder, name).trim()]),
  );

function everything(project: Project): Record<string, string> {
  return Object.fromEntries(
    fs
      .readdirSync(project.folder, { recursive: true, encoding: 'utf8' })
      .toSorted()
      .map((name) => [name, `${fs.statSync(project.path(name)).mtimeMs}`]),
  );
}

describe('two pipeline files in one folder', () => {
  it('have a state each, and neither takes up what the other left', async () => {
    await using project = new Project({
      'orders.mjs': pipelineOf('orders'),
      'pipeline.mjs': pipelineOf('customers'),
    });
    await project.dynpart(['-f', 'orders.mjs', 'sensor', 'tick', '--no-run']);
    const other = await project.json(['sensor', 'tick']);
    expect(other.document.resumed).toEqual([]);
    expect(other.document.ticks).toMatchObject([
      { status: 'SUCCESS', runs: [{ status: 'SUCCESS' }, { status: 'SUCCESS' }] },
    ]);
    const { document } = await project.json(['-f', 'orders.mjs', 'runs', 'list']);
    expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(['QUEUED', 'QUEUED']);
    await project.json(['-f', 'orders.mjs', 'worker', '--once']);
    expect(
      fs
        .readdirSync(project.path('.dynpart'))
        .filter((name) => !name.startsWith('.'))
        .toSorted(),
    ).toEqual(['claims', 'executors', 'history', 'orders.dynpart', 'orders.json', 'state.json', 'values']);
    expect(valuesIn(project, '.dynpart/orders.dynpart/values')).toEqual({
      'orders-record/1.json': '"orders 1"',
      'orders-record/2.json': '"orders 2"',
    });
  });

  it('whose state one of them names is told whose it is, and changes nothing', async () => {
    await using project = new ProjectHere({
      'orders.mjs': pipelineOf('orders'),
      'customers.mjs': pipelineOf('customers'),
    });
    await project.dynpart(['-f', 'orders.mjs', 'sensor', 'tick']);
    const before = everything(project);
    for (const command of [
      ['status'],
      ['runs', 'list'],
      ['sensor', 'tick'],
      ['partitions', 'add', 'customers', 'x'],
    ]) {
      const { code, document } = await project.json([
        '-f',
        'customers.mjs',
        '--state',
        '.dynpart/orders.json',
        ...command,
      ]);
      expect.soft([command, code, document.error.code]).toEqual([command, 2, 'foreign-state']);
      expect.soft(document.error.message).toContain(project.path('orders.mjs'));
      expect.soft(document.error.message).toContain(project.path('customers.mjs'));
      expect.soft(document.error.hint).toContain('state adopt');
    }
    expect(everything(project)).toEqual(before);
  });

  it('may hand over a state: then it is the other one that is refused', async () => {
    await using project = new ProjectHere({
      'orders.mjs': pipelineOf('orders'),
      'customers.mjs': pipelineOf('customers'),
    });
    await project.dynpart(['-f', 'orders.mjs', 'sensor', 'tick']);
    const state = ['--state', '.dynpart/orders.json'];
    expect(await project.json(['-f', 'customers.mjs', ...state, 'state', 'adopt'])).toMatchObject({
      code: 0,
      document: { from: project.path('orders.mjs'), to: project.path('customers.mjs') },
    });
    expect((await project.dynpart(['-f', 'customers.mjs', ...state, 'sensor', 'tick'])).code).toBe(0);
    expect((await project.json(['-f', 'orders.mjs', 'status'])).document.error.code).toBe('foreign-state');
  });
});

it('two states in one folder share no values, no history and no logs', async () => {
  await using project = new ProjectHere({
    'orders.mjs': pipelineOf('orders', { asset: 'record' }),
    'customers.mjs': pipelineOf('customers', { asset: 'record' }),
  });
  for (const name of ['orders', 'customers'])
    await project.dynpart(['-f', `${name}.mjs`, '--state', `var/${name}.json`, 'sensor', 'tick']);
  await project.dynpart([
    '-f',
    'orders.mjs',
    '--state',
    'var/orders.json',
    'materialize',
    'record-report',
    '--all',
  ]);
  expect(valuesIn(project, 'var/orders.dynpart/values')).toMatchObject({
    'record-report/1.json': '"report of orders 1"',
  });
  const { document } = await project.json([
    '-f',
    'customers.mjs',
    '--state',
    'var/customers.json',
    'runs',
    'list',
  ]);
  expect(document.runs).toHaveLength(2);
});

describe('the same pipeline', () => {
  it('is known again under another name, with its state where it stands', async () => {
    await using project = new ProjectHere({ 'orders.mjs': pipelineOf('orders') });
    await project.dynpart(['-f', 'orders.mjs', 'sensor', 'tick']);
    fs.renameSync(project.path('orders.mjs'), project.path('sales.mjs'));
    const tick = await project.json(['-f', 'sales.mjs', 'sensor', 'tick']);
    expect(tick.document.ticks).toMatchObject([{ status: 'SKIPPED', runs: [] }]);
    await project.dynpart(['-f', 'sales.mjs', 'partitions', 'add', 'orders', '3']);
    expect(project.exists('.dynpart/sales.json')).toBe(false);
    expect(JSON.parse(project.read('.dynpart/orders.json')).pipeline.file).toBe(project.path('sales.mjs'));
    expect((await project.json(['-f', 'sales.mjs', 'partitions', 'list', 'orders'])).document.total).toBe(3);
  });

  it('is known again in another release, beside the one that is still there', async () => {
    await using project = new ProjectHere({
      '1/pipeline.mjs': pipelineOf('orders'),
      '2/pipeline.mjs': pipelineOf('orders'),
    });
    const env = { DYNPART_STATE: project.path('shared.json') };
    await project.dynpart(['-f', '1/pipeline.mjs', 'sensor', 'tick'], { env });
    const tick = await project.json(['-f', '2/pipeline.mjs', 'sensor', 'tick'], { env });
    expect(tick.document.ticks).toMatchObject([{ status: 'SKIPPED' }]);
  });

  it('is not one of that name which has nothing in common with it', async () => {
    await using project = new ProjectHere({
      '1/pipeline.mjs': pipelineOf('orders'),
      '2/pipeline.mjs': pipelineOf('customers'),
    });
    const env = { DYNPART_STATE: project.path('shared.json') };
    await project.dynpart(['-f', '1/pipeline.mjs', 'sensor', 'tick'], { env });
    const { code, document } = await project.json(['-f', '2/pipeline.mjs', 'sensor', 'tick'], { env });
    expect([code, document.error.code]).toEqual([2, 'foreign-state']);
  });
});

describe('a state that an older dynpart left', () => {
  it('goes to the pipeline that it remembers; one beside it begins with an empty one', async () => {
    await using project = new ProjectHere({
      'orders.mjs': pipelineOf('orders'),
      'customers.mjs': pipelineOf('customers'),
    });
    await project.dynpart(['-f', 'orders.mjs', '--state', '.dynpart/state.json', 'sensor', 'tick']);
    asOlder(project, '.dynpart/state.json');
    const before = everything(project);
    expect((await project.json(['-f', 'orders.mjs', 'status'])).document.assets[0]).toMatchObject({
      materialized: 2,
    });
    expect((await project.json(['-f', 'customers.mjs', 'status'])).document.assets[0]).toMatchObject({
      total: 0,
    });
    expect(everything(project)).toEqual(before);
    expect(
      (await project.json(['-f', 'customers.mjs', 'sensor', 'tick'])).document.ticks[0].runs,
    ).toHaveLength(2);
    expect((await project.json(['-f', 'orders.mjs', 'sensor', 'tick'])).document.ticks[0]).toMatchObject({
      status: 'SKIPPED',
    });
    expect(project.exists('.dynpart/orders.json')).toBe(false);
  });

  it('which several pipelines shared is refused to each of them, until somebody says whose it is', async () => {
    await using project = new ProjectHere({
      'orders.mjs': pipelineOf('orders'),
      'customers.mjs': pipelineOf('customers'),
    });
    const state = ['--state', '.dynpart/state.json'];
    await project.dynpart(['-f', 'orders.mjs', ...state, 'sensor', 'tick']);
    await project.dynpart(['-f', 'customers.mjs', ...state, 'state', 'adopt']);
    await project.dynpart(['-f', 'customers.mjs', ...state, 'sensor', 'tick']);
    asOlder(project, '.dynpart/state.json');
    const before = everything(project);
    for (const name of ['orders', 'customers']) {
      const { code, document } = await project.json(['-f', `${name}.mjs`, 'sensor', 'tick']);
      expect.soft([name, code, document.error?.code]).toEqual([name, 2, 'foreign-state']);
    }
    expect(everything(project)).toEqual(before);
    expect((await project.dynpart(['-f', 'customers.mjs', 'state', 'adopt'])).code).toBe(0);
    expect((await project.json(['-f', 'customers.mjs', 'status'])).document.assets[0]).toMatchObject({
      materialized: 2,
    });
    // What orders made is still in there: it does not begin anew behind its user's back.
    expect((await project.json(['-f', 'orders.mjs', 'sensor', 'tick'])).document.error.code).toBe(
      'foreign-state',
    );
  });

  it('and is not called state.json keeps its values and its history, each in its own place from then on', async () => {
    await using project = new ProjectHere({
      'orders.mjs': pipelineOf('orders'),
      'customers.mjs': pipelineOf('customers'),
    });
    for (const name of ['orders', 'customers']) await project.dynpart(on(name, 'sensor', 'tick'));
    for (const name of ['orders', 'customers']) asOlder(project, `var/${name}.json`);
    const before = everything(project);
    expect(
      (await project.json(on('orders', 'sensor', 'history', 'find-orders'))).document.ticks,
    ).toHaveLength(1);
    expect(everything(project)).toEqual(before);
    await project.dynpart(on('orders', 'materialize', 'orders-record-report', '--all'));
    expect(valuesIn(project, 'var/orders.dynpart/values')).toEqual({
      'orders-record/1.json': '"orders 1"',
      'orders-record/2.json': '"orders 2"',
      'orders-record-report/1.json': '"report of orders 1"',
      'orders-record-report/2.json': '"report of orders 2"',
    });
    const runs = await project.json(on('orders', 'runs', 'list'));
    expect(runs.document.runs.map(({ assets }: { assets: { asset: string }[] }) => assets[0]!.asset)).toEqual(
      ['orders-record-report', 'orders-record-report', 'orders-record', 'orders-record'],
    );
    // The other one is still where it was, whole, and is brought along by its own first commit.
    expect(valuesIn(project, 'var/values')).toMatchObject({ 'customers-record/1.json': '"customers 1"' });
    await project.dynpart(on('customers', 'materialize', '--all'));
    expect(Object.keys(valuesIn(project, 'var/customers.dynpart/values'))).toHaveLength(4);
  });

  it('is whole after a kill in the middle of that', async () => {
    await using project = new ProjectHere({ 'orders.mjs': pipelineOf('orders') });
    await project.dynpart(on('orders', 'sensor', 'tick'));
    asOlder(project, 'var/orders.json');
    // A process that is gone had made half of the new place.
    project.write({ 'var/orders.dynpart.tmp.1-1-elsewhere/values/orders-record/1.json': '"half' });
    await project.dynpart(on('orders', 'materialize', 'orders-record-report', '--all'));
    // And one that had made it, and was killed before its commit.
    asOlder(project, 'var/orders.json');
    fs.mkdirSync(project.path('var/orders.dynpart'));
    fs.cpSync(project.path('var/values'), project.path('var/orders.dynpart/values'), { recursive: true });
    await project.dynpart(on('orders', 'materialize', 'orders-record-report', '--all'));
    expect(valuesIn(project, 'var/orders.dynpart/values')).toMatchObject({
      'orders-record/1.json': '"orders 1"',
      'orders-record-report/1.json': '"report of orders 1"',
    });
    expect((await project.json(on('orders', 'status'))).document.assets).toMatchObject([
      { materialized: 2 },
      { materialized: 2 },
    ]);
  });
});

describe('a state that cannot be meant', () => {
  it('is a URL: refused in words', async () => {
    await using project = new ProjectHere({ 'pipeline.mjs': pipelineOf('orders') });
    for (const [url, words] of [
      ['postgres://db/x', 'sslmode'],
      ['postgresql://db/x', 'sslmode'],
      ['mysql://db/x', 'mysql://'],
      ['s3://bucket/x', 's3://'],
      ['file:///tmp/x', 'file://'],
    ] as const) {
      for (const options of [{ args: ['--state', url] }, { args: [], env: { DYNPART_STATE: url } }]) {
        const { code, document } = await project.json([...options.args, 'status'], {
          env: options.env ?? {},
        });
        expect.soft([url, code, document.error.code]).toEqual([url, 2, 'usage']);
        expect.soft(document.error.message).toContain(words);
      }
    }
    expect(fs.readdirSync(project.folder)).toEqual(['pipeline.mjs']);
  });

  it('is that of a file called state.mjs, unless it is named', async () => {
    await using project = new ProjectHere({ 'state.mjs': pipelineOf('orders') });
    const { code, document } = await project.json(['-f', 'state.mjs', 'sensor', 'tick']);
    expect([code, document.error.code]).toEqual([2, 'usage']);
    expect(document.error.hint).toContain('--state');
    expect((await project.dynpart(['-f', 'state.mjs', '--state', 'x.json', 'sensor', 'tick'])).code).toBe(0);
  });

  it('is called like another one but for .json', async () => {
    await using project = new ProjectHere({ 'pipeline.mjs': pipelineOf('orders') });
    await project.dynpart(['--state', 'one.json', 'sensor', 'tick']);
    const { code, document } = await project.json(['--state', 'one', 'sensor', 'tick']);
    expect([code, document.error.code]).toEqual([2, 'usage']);
    expect(document.error.message).toContain('one.dynpart');
  });
});
