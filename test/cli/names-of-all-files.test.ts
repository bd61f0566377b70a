/** Names that the state remembers, checked against all of the user's files: an answer is never that of an older code. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const parts = (assets: string, sensors: string): string => `
import { asset, dynamicPartitions, sensor } from 'dynpart';
const set = dynamicPartitions('s');
export const assets = ${assets}.map((name) => asset({ name, partitions: set, materialize: () => 1 }));
export const sensors = ${sensors}.map((name) => sensor({
  name,
  evaluate: () => ({ dynamicPartitionsRequests: [set.buildAddRequest(['k'])] }),
}));
`;

const withAsset = (name: string): string =>
  `import { definePipeline } from 'dynpart';${parts(`['${name}']`, "['one']")}
  export default definePipeline({ assets, sensors });`;

const pipelineOf = (set: string, asset: string, sensor: string): string => `
  import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
  const set = dynamicPartitions('filled');
  const made = asset({ name: '${asset}', partitions: set, materialize: () => 1 });
  const evaluate = () => ({
    cursor: 'here',
    dynamicPartitionsRequests: [set.buildAddRequest(['k'])],
    runRequests: [{ partitionKey: 'k', runKey: 'k' }],
  });
  const look = sensor({ name: '${sensor}', assets: [made], evaluate });
  export default definePipeline({ assets: [made], sensors: [look], partitions: [dynamicPartitions('${set}')] });`;

let project: Project;

/** As `cp -p`, `rsync -t` and archives do. */
const keepTime = (file: string): void => fs.utimesSync(project.path(file), 1_700_000_000, 1_700_000_000);

async function start(files: Readonly<Record<string, string>>): Promise<void> {
  project = new Project(files);
  Object.keys(files).forEach(keepTime);
  expect(await runHere(project, ['sensor', 'tick'])).toMatchObject({ code: 0 });
  expect(await runHere(project, ['materialize', '--all'])).toMatchObject({ code: 0 });
  expect(await runHere(project, ['status', '--exit-code'])).toMatchObject({ code: 0 });
}

afterEach(() => project[Symbol.asyncDispose]());

describe('after an edit of a file that the pipeline imports', () => {
  beforeEach(async () => {
    await start({
      'pipeline.ts': `import { definePipeline } from 'dynpart';
        import { assets, sensors } from './parts.ts';
        export default definePipeline({ assets, sensors });`,
      'parts.ts': parts("['a']", "['one']"),
    });
    fs.writeFileSync(project.path('parts.ts'), parts("['a', 'b']", "['one', 'two']"));
  });

  it('status counts what is missing now, before and after a tick that found nothing new', async () => {
    expect(await runHere(project, ['status', '--exit-code'])).toMatchObject({ code: 10 });
    await runHere(project, ['sensor', 'tick']);
    const { code, stdout } = await runHere(project, ['status', '--exit-code', '--json']);
    expect(code).toBe(10);
    expect(JSON.parse(stdout)).toMatchObject({ assets: [{ asset: 'a' }, { asset: 'b', missing: 1 }] });
  });

  it('its new names are known', async () => {
    expect(await runHere(project, ['status', 'b'])).toMatchObject({ code: 0 });
    expect(await runHere(project, ['runs', 'list', '--asset', 'b'])).toMatchObject({ code: 0 });
    expect(await runHere(project, ['sensor', 'stop', 'two'])).toMatchObject({ code: 0 });
  });
});

describe('after an edit that takes names away', () => {
  beforeEach(async () => {
    await start({ 'pipeline.ts': pipelineOf('empty', 'old-asset', 'old-sensor') });
    fs.writeFileSync(project.path('pipeline.ts'), pipelineOf('other', 'new-asset', 'new-sensor'));
  });

  it.each([
    ['sensor', ['sensor', 'tick', 'old-sensor']],
    ['sensor', ['sensor', 'watch', 'old-sensor']],
    ['sensor', ['sensor', 'start', 'old-sensor']],
    ['sensor', ['sensor', 'stop', 'old-sensor']],
    ['sensor', ['sensor', 'cursor', 'old-sensor', '--set', 'there']],
    ['sensor', ['sensor', 'cursor', 'old-sensor', '--clear']],
    ['asset', ['materialize', 'old-asset', '--all']],
    ['asset', ['materialize', 'old-asset', '--key', 'k']],
    ['asset', ['status', 'old-asset']],
    ['asset', ['partitions', 'list', 'filled', '--status', 'missing', '--asset', 'old-asset']],
    ['set', ['partitions', 'add', 'empty', 'k']],
    ['set', ['partitions', 'list', 'empty']],
    ['set', ['partitions', 'remove', 'empty', 'k']],
  ])('what needs a %s of now says that this one is gone: %j', async (thing, args) => {
    const before = project.stateBytes();
    const { code, stdout } = await runHere(project, [...args, '--json']);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    expect({ code, error: error.code }).toEqual({ code: 2, error: `unknown-${thing}` });
    expect(error.message).toMatch(new RegExp(`^the pipeline has no ${thing} "[a-z-]+" any more$`));
    expect(project.stateBytes()).toBe(before);
  });

  it('a name that never was is told from one that is gone', async () => {
    const { stderr } = await runHere(project, ['materialize', 'old-asset', 'never', '--all']);
    expect(stderr).toMatch(/^error: there are no assets "old-asset", "never"\n/);
  });

  it('what it left can be looked at, and its keys stay usable', async () => {
    expect(await runHere(project, ['sensor', 'cursor', 'old-sensor'])).toMatchObject({ stdout: 'here\n' });
    expect(await runHere(project, ['sensor', 'history', 'old-sensor'])).toMatchObject({ code: 0 });
    expect(await runHere(project, ['runs', 'list', '--asset', 'old-asset'])).toMatchObject({ code: 0 });
    fs.writeFileSync(
      project.path('pipeline.ts'),
      "import { definePipeline } from 'dynpart';\nexport default definePipeline({});\n",
    );
    expect(await runHere(project, ['partitions', 'add', 'filled', 'k2'])).toMatchObject({ code: 0 });
    expect(await runHere(project, ['partitions', 'list', 'filled'])).toMatchObject({ stdout: 'k\nk2\n' });
  });
});

it('an edit that keeps size and time of a file is an edit', async () => {
  await start({ 'pipeline.ts': withAsset('a') });
  fs.writeFileSync(project.path('pipeline.ts'), withAsset('b'));
  keepTime('pipeline.ts');
  expect(await runHere(project, ['status', '--exit-code'])).toMatchObject({ code: 10 });
});

it('a name that comes from elsewhere than from a file of code is looked for before it is denied', async () => {
  await start({
    'pipeline.ts': `import fs from 'node:fs';
      import { definePipeline } from 'dynpart';
      ${parts("fs.readFileSync(import.meta.dirname + '/names.txt', 'utf8').split(',')", "['one']")}
      export default definePipeline({ assets, sensors });`,
    'names.txt': 'a',
  });
  fs.writeFileSync(project.path('names.txt'), 'a,b');
  expect(await runHere(project, ['status', 'b'])).toMatchObject({ code: 0 });
  expect(await runHere(project, ['status', 'c'])).toMatchObject({ code: 2 });
});

it('while an imported file is broken, the remembered names serve', async () => {
  await start({
    'pipeline.ts': `import { definePipeline } from 'dynpart';
      import { assets, sensors } from './parts.ts';
      export default definePipeline({ assets, sensors });`,
    'parts.ts': parts("['a']", "['one']"),
  });
  fs.writeFileSync(project.path('parts.ts'), 'export const assets = [;');
  expect(await runHere(project, ['sensor', 'stop', 'one'])).toMatchObject({ code: 0 });
  // What it says may be of another pipeline than the file is now: nobody is to take it for a check of the file.
  const broken = `warning: ${project.path('parts.ts')}:1:24: Unexpected token; using the names that the state remembers: dynpart check`;
  for (const args of [
    ['status', 'a'],
    ['status', '--exit-code'],
    ['assets', 'list'],
    ['sensor', 'list'],
  ])
    expect((await runHere(project, args)).stderr.split('\n')[0]).toBe(broken);
  expect(await runHere(project, ['status', '--quiet'])).toMatchObject({ code: 0, stderr: '' });
});
