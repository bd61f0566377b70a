/** Whatever is in the cache folder, the tool works: a pack that is not whole, or not for this run, counts as if it were not there. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import * as fc from '../support/random.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { loadPipeline } from '../../src/loader/load-pipeline.ts';
import { writePack } from '../../src/loader/make-pack.ts';
import { type ModulePack, readPack } from '../../src/loader/module-pack.ts';
import { makeMissing } from '../../src/files/durable-files.ts';
import { binary, Project } from '../support/project.ts';
import { Fixture, pipelineSaying } from './fixture.ts';

const requireJiti = createRequire(import.meta.url);
const noJiti = (name: string): never => {
  throw new Error(`${name} was asked for`);
};

let project: Project;
afterEach(() => project[Symbol.asyncDispose]());

const pipeline = (name: string): string => `import { asset, definePipeline } from 'dynpart';
import { suffix } from './suffix';
export default definePipeline({ assets: [asset({ name: '${name}' + suffix, materialize: () => 1 })], sensors: [] });
`;

interface Load {
  readonly requireOwn?: (name: string) => unknown;
  readonly version?: string;
  readonly file?: string;
}

/** The names of the assets of a pipeline, loaded in this process. */
async function load({
  requireOwn = requireJiti,
  version = '1.0.0',
  file = 'pipeline.ts',
}: Load = {}): Promise<string[]> {
  const {
    pipeline: { assets },
  } = await loadPipeline(project.path(file), {
    packFile: project.path('the.pack'),
    makeFolder: makeMissing,
    version,
    requireOwn,
  });
  return [...assets.keys()];
}

function start(): void {
  project = new Project({
    'pipeline.ts': pipeline('a'),
    'suffix.ts': "export const suffix: string = '_1';\n",
  });
}

async function packed(): Promise<Buffer> {
  start();
  await load();
  expect(await load({ requireOwn: noJiti })).toEqual(['a_1']);
  return fs.readFileSync(project.path('the.pack'));
}

describe('a pack', () => {
  it('is all that a second load needs', async () => {
    await packed();
    expect(await load({ requireOwn: noJiti })).toEqual(['a_1']);
  });

  it('of another version of dynpart is not used', async () => {
    await packed();
    await expect(load({ requireOwn: noJiti, version: '1.0.1' })).rejects.toThrow();
    expect(await load({ version: '1.0.1' })).toEqual(['a_1']);
    expect(await load({ requireOwn: noJiti, version: '1.0.1' })).toEqual(['a_1']);
  });

  it('of another Node is not used', async () => {
    await packed();
    const real = Object.getOwnPropertyDescriptor(process, 'version')!;
    Object.defineProperty(process, 'version', { ...real, value: 'v99.0.0' });
    try {
      await expect(load({ requireOwn: noJiti })).rejects.toThrow();
    } finally {
      Object.defineProperty(process, 'version', real);
    }
  });

  it.each([
    ['is empty', () => Buffer.alloc(0)],
    ['is cut in half', (whole: Buffer) => whole.subarray(0, whole.length >> 1)],
    ['lacks its last byte', (whole: Buffer) => whole.subarray(0, -1)],
    ['has a byte too many', (whole: Buffer) => Buffer.concat([whole, Buffer.from(' ')])],
    ['is full of zeros', (whole: Buffer) => Buffer.alloc(whole.length)],
    ['has a page of zeros', (whole: Buffer) => Buffer.from(whole).fill(0, 64, 512)],
    ['is no text', () => Buffer.from([0xff, 0xfe, 0x0a, 0x80])],
    ['is JSON of something else', () => Buffer.from('null\n{}')],
  ])('that %s is made anew', async (_, damage) => {
    const whole = await packed();
    fs.writeFileSync(project.path('the.pack'), damage(whole));
    expect(await load()).toEqual(['a_1']);
    expect(fs.readFileSync(project.path('the.pack'))).toEqual(whole);
    expect(await load({ requireOwn: noJiti })).toEqual(['a_1']);
  });

  it('with a single flipped bit is never taken for whole', async () => {
    const whole = await packed();
    const file = project.path('the.pack');
    const { madeWith } = JSON.parse(whole.toString('utf8').split('\n')[1]!) as ModulePack;
    expect(readPack(file, madeWith)).not.toBeNull();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Buffer.from(whole);
        damaged[at] = damaged[at]! ^ (1 << bit);
        fs.writeFileSync(file, damaged);
        expect(readPack(file, madeWith)).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  it('that was cut anywhere is never taken for whole', async () => {
    const whole = await packed();
    const file = project.path('the.pack');
    const { madeWith } = JSON.parse(whole.toString('utf8').split('\n')[1]!) as ModulePack;
    for (let length = 0; length < whole.length; length += 7) {
      fs.writeFileSync(file, whole.subarray(0, length));
      expect(readPack(file, madeWith)).toBeNull();
    }
  });

  it('that is a folder, or in one that is none, is done without', async () => {
    start();
    fs.mkdirSync(project.path('the.pack'));
    expect(await load()).toEqual(['a_1']);
    expect(await load()).toEqual(['a_1']);
    expect(fs.readdirSync(project.folder).toSorted()).toEqual(['pipeline.ts', 'suffix.ts', 'the.pack']);
    for (const packFile of [
      '/dev/null/x.pack',
      project.path('no/such/folder/x.pack'),
      `/proc/${process.pid}/x.pack`,
    ]) {
      const {
        pipeline: { assets },
      } = await loadPipeline(project.path('pipeline.ts'), {
        packFile,
        makeFolder: makeMissing,
        version: '1',
        requireOwn: requireJiti,
      });
      expect([...assets.keys()]).toEqual(['a_1']);
    }
  });

  it('of a pipeline that is gone goes when one is made, and nothing that is no pack', () => {
    project = new Project({ 'old.pack': 'x', 'old.pack.12.tmp': 'x', 'old.txt': 'x', 'new.pack': 'x' });
    const at = new Date(Date.now() - 91 * 24 * 60 * 60_000);
    for (const name of ['old.pack', 'old.pack.12.tmp', 'old.txt']) fs.utimesSync(project.path(name), at, at);
    fs.chmodSync(project.folder, 0o700);
    writePack(project.path('made.pack'), { madeWith: '' } as ModulePack, makeMissing);
    expect(
      fs
        .readdirSync(project.folder)
        .filter((name) => name.includes('.'))
        .toSorted(),
    ).toEqual(expect.arrayContaining(['made.pack', 'new.pack', 'old.txt']));
    expect(fs.readdirSync(project.folder).filter((name) => name.startsWith('old'))).toEqual(['old.txt']);
  });

  it('of another pipeline is not used', async () => {
    await packed();
    project.write({ 'other.ts': pipeline('b') });
    expect(await load({ file: 'other.ts' })).toEqual(['b_1']);
    expect(await load({ file: 'pipeline.ts' })).toEqual(['a_1']);
    expect(await load({ file: 'pipeline.ts', requireOwn: noJiti })).toEqual(['a_1']);
  });

  it('may hold names that objects have of their own', async () => {
    start();
    project.write({
      'pipeline.ts': pipeline('a').replace('./suffix', './constructor'),
      'constructor.ts': "export const suffix: string = '_2';\n",
    });
    expect(await load()).toEqual(['a_2']);
    expect(await load({ requireOwn: noJiti })).toEqual(['a_2']);
  });

  it('is kept whole by writers that come at the same time', async () => {
    start();
    const loads = await Promise.all(Array.from({ length: 8 }, () => load()));
    expect(loads).toEqual(Array.from({ length: 8 }, () => ['a_1']));
    expect(await load({ requireOwn: noJiti })).toEqual(['a_1']);
    expect(fs.readdirSync(project.folder).toSorted()).toEqual(['pipeline.ts', 'suffix.ts', 'the.pack']);
  });

  it('that cannot be renamed leaves nothing behind', async () => {
    start();
    fs.mkdirSync(project.path('the.pack', 'full'), { recursive: true });
    writePack(project.path('the.pack'), { madeWith: '' } as ModulePack, makeMissing);
    expect(fs.readdirSync(project.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

const say = async (env: Readonly<Record<string, string>>): Promise<unknown> =>
  (await (project as Fixture).say('pipeline.ts', { env })).value;

describe('the cache folder', () => {
  it.each([
    ['is a file', { XDG_CACHE_HOME: 'FOLDER/pipeline.ts' }],
    ['lies in no folder', { XDG_CACHE_HOME: '/dev/null/cache' }],
    ['may not be made', { XDG_CACHE_HOME: '/proc/cache' }],
    ['is not absolute', { XDG_CACHE_HOME: 'relative' }],
    ['is empty text', { XDG_CACHE_HOME: '' }],
    ['is of a home that is not there', { XDG_CACHE_HOME: '', HOME: '/proc/nobody' }],
    ['is of a home without a name', { XDG_CACHE_HOME: '', HOME: '' }],
  ])('that %s is done without', async (_, env) => {
    project = new Fixture({ 'pipeline.ts': pipelineSaying('1') });
    const actual = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, value.replace('FOLDER', project.folder)]),
    );
    expect(await say(actual)).toBe(1);
    expect(await say(actual)).toBe(1);
    expect(project.exists('relative')).toBe(false);
  });

  it('is found where cron sets no HOME', async () => {
    project = new Fixture({ 'pipeline.ts': pipelineSaying('1') });
    const child = spawn(process.execPath, [binary, 'sensor', 'tick', '--dry-run', '--json'], {
      cwd: project.folder,
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(0);
  });

  it('is written by many processes at once', async () => {
    project = new Fixture({ 'pipeline.ts': pipelineSaying('1') });
    const fixture = project as Fixture;
    const codes = await Promise.all(
      Array.from(
        { length: 6 },
        async () => (await fixture.json(['sensor', 'tick', '--dry-run'], { env: fixture.env })).code,
      ),
    );
    expect(codes).toEqual([0, 0, 0, 0, 0, 0]);
    expect(fixture.packs).toHaveLength(1);
    expect(await fixture.say()).toEqual({ value: 1, compiled: false });
  });
});
