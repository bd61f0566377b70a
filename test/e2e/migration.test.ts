/** A folder that dynpart 0.1 left, under the present one: read as it is, brought forward by the first command that changes something. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Project } from '../support/project.ts';

const SCHEMA_1 = fs.readFileSync(path.join(import.meta.dirname, '../fixtures/state-schema-1.json'), 'utf8');

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const first = asset({ name: 'first', partitions: items, materialize: ({ partitionKey }) => ({ key: partitionKey }) });
const second = asset({ name: 'second', partitions: items, inputs: { first }, materialize: ({ inputs }) => inputs.first.key + '!' });
const total = asset({ name: 'total', materialize: () => 1 });
const source = sensor({ name: 'source', assets: [first, second], evaluate: () => undefined });
export default definePipeline({ assets: [first, second, total], sensors: [source] });
`;

function projectOfSchema1(): Project {
  const project = new Project({ 'pipeline.mjs': PIPELINE, '.dynpart/state.json': SCHEMA_1 });
  fs.linkSync(
    project.path('.dynpart', 'state.json'),
    project.path('.dynpart', `.state.json.${'9'.padStart(12, '0')}`),
  );
  return project;
}

function files(project: Project): Record<string, string> {
  return Object.fromEntries(
    fs
      .readdirSync(project.path('.dynpart'), { recursive: true, encoding: 'utf8' })
      .toSorted()
      .map((name) => [name, `${fs.statSync(project.path('.dynpart', name)).mtimeMs}`]),
  );
}

const copies = (project: Project): string[] =>
  fs.readdirSync(project.path('.dynpart')).filter((name) => name.includes('before-schema'));

it('a state of schema 1 is left alone by commands that only read', async () => {
  await using project = projectOfSchema1();
  const before = files(project);
  for (const args of [
    ['partitions', 'list', 'items'],
    ['runs', 'list'],
    ['sensor', 'list'],
    ['status'],
    ['state', 'check'],
    ['state', 'export'],
    ['partitions', 'remove', 'items', 'a', '--dry-run'],
    ['materialize', '--missing', '--dry-run'],
    ['sensor', 'tick', '--dry-run'],
  ]) {
    const { code, stderr } = await project.dynpart(args);
    expect.soft([args, code, stderr.includes('schema')]).toEqual([args, 0, false]);
  }
  expect(files(project)).toEqual(before);
  expect(project.stateBytes()).toBe(SCHEMA_1);
  expect(
    (await project.json(['partitions', 'list', 'items'])).document.keys.map(
      ({ key }: { key: string }) => key,
    ),
  ).toEqual(['a', 'bad', 'Ünï', 'b', 'c', 'killer']);
});

it('the first command that changes it keeps a copy, says so once, and everything is still there', async () => {
  await using project = projectOfSchema1();
  const first = await project.dynpart(['partitions', 'add', 'items', 'new']);
  const [copy] = copies(project);
  expect(first).toMatchObject({ code: 0, stdout: '' });
  expect(first.stderr.split('\n').filter((line) => line.includes('schema'))).toEqual([
    `warning: ${project.path('.dynpart', 'state.json')} has schema 5 now; as it was before, it is kept as ${project.path('.dynpart', copy!)}`,
  ]);
  expect(project.read('.dynpart', copy!)).toBe(SCHEMA_1);
  const old = JSON.parse(SCHEMA_1);
  expect(project.state()).toMatchObject({
    ...old,
    schema: 5,
    serial: 10,
    // The file that it remembered is gone, and this one has its sets and assets.
    pipeline: { ...old.pipeline, file: project.path('pipeline.mjs'), stamp: expect.any(String) },
    writtenBy: {},
    sets: {
      items: {
        keys: [...old.sets.items.keys, 'new'],
        added: [...old.sets.items.added, [1, expect.anything()]],
      },
    },
  });
  expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
  // Its queue, and the run of the process that was killed, are taken up.
  const worked = await project.dynpart(['worker', '--once']);
  expect(worked).toMatchObject({ code: 0 });
  expect(worked.stderr).not.toContain('schema');
  expect(copies(project)).toEqual([copy]);
  const { assets } = (await project.json(['status'])).document;
  expect(
    assets.map(({ asset, materialized, inProgress }: Record<string, unknown>) => [
      asset,
      materialized,
      inProgress,
    ]),
  ).toEqual([
    ['first', 5, 0],
    ['second', 4, 0],
    ['total', 1, 0],
  ]);
});

it('copies and generations of schema 1 are ways back', async () => {
  await using project = projectOfSchema1();
  await project.dynpart(['partitions', 'add', 'items', 'new', 'newer']);
  const [copy] = copies(project);
  const keys = async (): Promise<string> => (await project.dynpart(['partitions', 'list', 'items'])).stdout;
  expect((await project.dynpart(['state', 'restore', project.path('.dynpart', copy!)])).code).toBe(0);
  expect(await keys()).toBe('a\nbad\nÜnï\nb\nc\nkiller\n');
  expect(project.state()).toMatchObject({ schema: 5, serial: 11 });

  await using other = projectOfSchema1();
  fs.rmSync(other.path('.dynpart', 'state.json'));
  other.write({ '.dynpart/state.json': 'damaged' });
  expect((await other.dynpart(['state', 'restore', '--last'])).code).toBe(0);
  expect(other.state()).toMatchObject({ schema: 5, serial: 10 });
  expect((await other.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
});
