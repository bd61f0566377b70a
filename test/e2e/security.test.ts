/** What docs/security.md says, statement by statement. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packFileFor } from '../../src/cli/cache-folder.ts';
import { checksum } from '../../src/loader/checksum.ts';
import { makeMissing } from '../../src/files/durable-files.ts';
import { loadPipeline } from '../../src/loader/load-pipeline.ts';
import { writePack } from '../../src/loader/make-pack.ts';
import { processTag } from '../../src/files/process-owner.ts';
import { FuzzProject, HOSTILE, offences, PIPELINE } from '../support/fuzz.ts';
import { Project, root } from '../support/project.ts';

const isRoot = process.geteuid?.() === 0;

/** Every file and folder below one, with its mode and owner. */
function entriesBelow(folder: string): { readonly name: string; readonly stat: fs.Stats }[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, stat: fs.lstatSync(path.join(folder, name)) }));
}

describe('a link planted in the state folder', () => {
  let project: FuzzProject;
  let victim: string;

  beforeEach(async () => {
    project = new FuzzProject();
    victim = project.path('victim');
    fs.writeFileSync(victim, 'precious\n');
    await project.must(['partitions', 'add', 'things', 'a', 'b']);
  });

  afterEach(async () => {
    expect(fs.readFileSync(victim, 'utf8')).toBe('precious\n');
    await project[Symbol.asyncDispose]();
  });

  function plant(...name: string[]): string {
    const link = path.join(project.stateFolder, ...name);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(victim, link);
    return link;
  }

  const tag = processTag();

  it.each([
    ['the journal of values', `values/.tmp/${tag}`, ['materialize', 'one', '--key', 'a']],
    ['the history of runs', 'history/runs.000001.jsonl', ['materialize', 'report']],
    ['the history of ticks', 'history/ticks/lazy.000001.jsonl', ['sensor', 'tick', 'lazy']],
  ] as const)('as %s is not appended to, and is named', async (_, name, command) => {
    const link = plant(name);
    const ran = await project.must([...command], 5);
    expect(ran.stderr).toContain(link);
    expect(ran.stderr).toContain('symbolic link');
    expect(offences([...command], ran)).toEqual([]);
  });

  it('as the log of a run is not appended to', async () => {
    await project.must(['materialize', 'one', '--key', 'a', '--no-run']);
    const { runs } = JSON.parse((await project.must(['runs', 'list', '--json'])).stdout) as {
      runs: { id: string }[];
    };
    const link = plant('logs', `${runs[0]!.id}.jsonl`);
    expect((await project.must(['worker', '--once'], 5)).stderr).toContain(link);
  });

  it.each<readonly [string, (count: number) => string, readonly string[]]>([
    ['the state', (count) => `.state.json.tmp.${tag}.${count}`, ['partitions', 'add', 'things', 'c']],
    ['a claim', (count) => `claims/lazy.json.${tag}.${count}.tmp`, ['sensor', 'tick', 'lazy']],
  ])(
    'under every temporary name that a process could take for %s is not written through',
    async (_, nameOf, command) => {
      for (let count = 1; count <= 1000; count++) plant(nameOf(count));
      expect((await project.must(command, 5)).stderr).toContain('EEXIST');
      await project.must(['partitions', 'list', 'things']);
    },
  );

  it('as a value is replaced, and what it leads to is left alone', async () => {
    const link = plant('values', 'one', 'a.json');
    await project.must(['materialize', 'one', '--key', 'a']);
    expect(fs.lstatSync(link).isFile()).toBe(true);
  });

  it('as the next generation does not keep anyone from committing', async () => {
    plant('.state.json.000000000002');
    await project.must(['partitions', 'add', 'things', 'c']);
    await project.must(['state', 'check']);
  });

  it('as the state file is the user’s: it is followed, and stays a link', async () => {
    const elsewhere = project.path('elsewhere.json');
    const file = path.join(project.stateFolder, 'state.json');
    fs.copyFileSync(file, elsewhere);
    fs.rmSync(file);
    fs.symlinkSync(elsewhere, file);
    await project.must(['partitions', 'add', 'things', 'c']);
    expect(fs.readFileSync(elsewhere, 'utf8')).toContain('"c"');
    expect(fs.lstatSync(file).isSymbolicLink()).toBe(true);
  });

  it('as a state file that leads nowhere is refused, and nothing is made where it leads', async () => {
    const file = project.path('other', 'state.json');
    fs.mkdirSync(path.dirname(file));
    fs.symlinkSync(project.path('nowhere'), file);
    for (const command of [['partitions', 'add', 'things', 'c'], ['status']]) {
      const ran = await project.must([...command, '--state', file], 5);
      expect(ran.stderr).toContain('leads nowhere');
    }
    expect(project.exists('nowhere')).toBe(false);
    expect(fs.readdirSync(project.path('other'))).toEqual(['state.json']);
  });

  it('as a folder is followed: values may live on another disk', async () => {
    fs.mkdirSync(project.path('large-disk'));
    fs.symlinkSync(project.path('large-disk'), path.join(project.stateFolder, 'values'));
    await project.must(['materialize', 'one', '--key', 'a']);
    expect(project.exists('large-disk', 'one', 'a.json')).toBe(true);
  });
});

describe('the mode of a file', () => {
  it.each(['077', '027', '000'])('is never wider than an umask of %s', async (umask) => {
    const bits = Number.parseInt(umask, 8);
    const before = process.umask(bits);
    try {
      await using project = new FuzzProject();
      await project.fill();
      await project.must(['materialize', 'one', '--key', 'a']);
      await project.must(['state', 'export', 'copy.json']);
      await project.must(['state', 'restore', '--last']);
      const made = entriesBelow(project.folder).filter(({ name }) => name !== 'pipeline.ts');
      expect(made.length).toBeGreaterThan(20);
      const wider = made.filter(({ stat }) => (stat.mode & 0o777 & bits) !== 0);
      expect(wider.map(({ name }) => name)).toEqual([]);
      // What will be executed is nobody else's, however open the umask.
      const cached = made.filter(({ name }) => name.startsWith('.cache/dynpart'));
      expect(cached.some(({ name }) => name.endsWith('.pack'))).toBe(true);
      for (const { name, stat } of cached) expect([name, stat.mode & 0o077]).toEqual([name, 0]);
    } finally {
      process.umask(before);
    }
  });
});

const modeOf = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);

describe('a copy of a state that somebody narrowed', () => {
  it.each([
    [0o600, '600', '700'],
    [0o660, '640', '750'],
    [0o644, '644', '755'],
  ])('is read by nobody who may not read the state (%o)', async (mode, file, folder) => {
    await using project = new FuzzProject();
    await project.must(['partitions', 'add', 'things', 'a']);
    await project.must(['materialize', '--all']);
    fs.chmodSync(project.path('.dynpart', 'state.json'), mode);
    const before = process.umask(0o022);
    try {
      await project.must(['state', 'export', 'copy.json']);
      await project.must(['status', '--html', 'page.html']);
      await project.must(['state', 'move', '--to', 'moved/state.json']);
    } finally {
      process.umask(before);
    }
    expect(['copy.json', 'page.html'].map((name) => modeOf(project.path(name)))).toEqual([file, file]);
    const wide = entriesBelow(project.path('moved')).filter(
      ({ stat }) => (stat.mode & 0o777).toString(8) !== (stat.isDirectory() ? folder : file),
    );
    expect(wide.map(({ name, stat }) => `${name} ${(stat.mode & 0o777).toString(8)}`)).toEqual([]);
    expect(modeOf(project.path('moved'))).toBe(folder);
  });
});

describe('a state that every user can write to', () => {
  const READ = ['partitions', 'list', 'things'];

  it('is warned of in words that say how to close it', async () => {
    await using project = new FuzzProject();
    await project.must(['partitions', 'add', 'things', 'a']);
    const said = async (...more: string[]): Promise<string> =>
      (await project.must([...READ, ...more])).stderr;
    expect(await said()).toBe('');
    fs.chmodSync(project.stateFolder, 0o777);
    const warning = `warning: every user of this machine can write to ${project.stateFolder}, and so decide what dynpart takes for done; close it: chmod o-w ${project.stateFolder}\n`;
    expect(await said()).toBe(warning);
    expect(await said('--json')).toBe(warning);
    expect(await said('--quiet')).toBe('');
    // Sticky, as /tmp: a newer generation could still be put beside the file. Whoever closes /tmp stops other programs.
    fs.chmodSync(project.stateFolder, 0o1777);
    expect(await said()).toBe(
      `warning: every user of this machine can write to ${project.stateFolder}, and so decide what dynpart takes for done; name a state in a folder of your own: --state FILE\n`,
    );
    // A group may share a state on purpose.
    fs.chmodSync(project.stateFolder, 0o775);
    expect(await said()).toBe('');
    fs.chmodSync(path.join(project.stateFolder, 'state.json'), 0o666);
    expect(await said()).toContain(`chmod o-w ${path.join(project.stateFolder, 'state.json')}`);
  });
});

const folderOf = (project: Project): string => project.path('.cache', 'dynpart', 'code');
const packOf = (project: Project): string =>
  path.join(folderOf(project), fs.readdirSync(folderOf(project)).join());

describe('a pack in the cache folder', () => {
  const requireOwn = createRequire(import.meta.url);

  /** What the pipeline of a project says, and whether it had to be compiled. */
  async function said(project: Project): Promise<{ readonly value: string; readonly compiled: boolean }> {
    let compiled = false;
    const { pipeline } = await loadPipeline(project.path('pipeline.ts'), {
      packFile: packFileFor(project.path('pipeline.ts'), { XDG_CACHE_HOME: project.path('.cache') }),
      makeFolder: (folder) => makeMissing(folder, 0o700),
      version: '1.0.0',
      requireOwn: (name) => {
        compiled = true;
        return requireOwn(name) as unknown;
      },
    });
    return { value: [...pipeline.assets.keys()].join(), compiled };
  }

  /** A project whose pack says something else than its pipeline does, and is whole. */
  async function withEvilPack(): Promise<Project> {
    const project = new Project({
      'pipeline.ts': `import { asset, definePipeline } from 'dynpart';
export default definePipeline({ assets: [asset({ name: 'good', materialize: () => 1 })] });
`,
    });
    expect(await said(project)).toEqual({ value: 'good', compiled: true });
    const file = packOf(project);
    const pack = JSON.parse(fs.readFileSync(file, 'utf8').split('\n')[1]!) as {
      files: Record<string, { code: string }>;
    };
    for (const packed of Object.values(pack.files)) packed.code = packed.code.replace('good', 'evil');
    const body = JSON.stringify(pack);
    fs.writeFileSync(file, `${checksum(Buffer.from(body))}\n${body}`);
    return project;
  }

  it('is executed when it is this user’s alone', async () => {
    await using project = await withEvilPack();
    expect(await said(project)).toEqual({ value: 'evil', compiled: false });
  });

  it.each([0o620, 0o602, 0o666])('is not executed when others may write to it (mode %d)', async (mode) => {
    await using project = await withEvilPack();
    fs.chmodSync(packOf(project), mode);
    expect(await said(project)).toEqual({ value: 'good', compiled: true });
    // The new one is as it should be.
    expect(fs.statSync(packOf(project)).mode & 0o777).toBe(0o600);
    expect(await said(project)).toEqual({ value: 'good', compiled: false });
  });

  it.each([0o720, 0o702, 0o1777])(
    'is not executed, and not kept, in a folder that others may write to (mode %d)',
    async (mode) => {
      await using project = await withEvilPack();
      const before = fs.readFileSync(packOf(project));
      fs.chmodSync(folderOf(project), mode);
      expect(await said(project)).toEqual({ value: 'good', compiled: true });
      expect(fs.readFileSync(packOf(project)).equals(before)).toBe(true);
    },
  );

  it.skipIf(!isRoot)(
    `is not executed when it, or its folder, is another user’s${isRoot ? '' : ' (skipped: only root can give a file away)'}`,
    async () => {
      await using project = await withEvilPack();
      fs.chownSync(packOf(project), 12345, 12345);
      expect(await said(project)).toEqual({ value: 'good', compiled: true });
      await using other = await withEvilPack();
      fs.chownSync(folderOf(other), 12345, 12345);
      expect(await said(other)).toEqual({ value: 'good', compiled: true });
    },
  );

  it('is not written through a link under its temporary name', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, victim: 'precious' });
    const cache = project.path('.cache', 'dynpart', 'code');
    fs.mkdirSync(cache, { recursive: true, mode: 0o700 });
    const pack = path.join(cache, 'the.pack');
    fs.symlinkSync(project.path('victim'), `${pack}.${process.pid}.tmp`);
    writePack(pack, { madeWith: '', files: {}, links: {}, absent: [], witnesses: {} }, makeMissing);
    expect(project.read('victim')).toBe('precious');
    expect(fs.existsSync(pack)).toBe(false);
  });
});

const NASTY_NAMES = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', '__defineGetter__'];

describe('a prototype', () => {
  it('is not reached by sets, assets and sensors that are called like its parts', async () => {
    await using project = new FuzzProject();
    for (const name of NASTY_NAMES) {
      project.write({
        'pipeline.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const set = dynamicPartitions('${name}');
const made = asset({ name: '${name}', partitions: set, materialize: () => 1 });
const feed = sensor({ name: '${name}', assets: [made], evaluate: () => ({
  cursor: '${name}',
  dynamicPartitionsRequests: [set.buildAddRequest(['${name}'])],
  runRequests: [{ partitionKey: '${name}', runKey: '${name}', tags: JSON.parse('{"__proto__":"x","${name}":"y"}') }],
}) });
export default definePipeline({ assets: [made], sensors: [feed] });
`,
      });
      const json = async (...args: string[]) => JSON.parse((await project.must([...args, '--json'])).stdout);
      expect((await json('sensor', 'list')).sensors[0]).toMatchObject({
        sensor: name,
        cursor: null,
        lastTick: null,
      });
      const [tick] = (await json('sensor', 'tick', name)).ticks;
      expect(tick).toMatchObject({
        status: 'SUCCESS',
        partitions: [{ added: [name] }],
        runs: [{ runKey: name }],
      });
      expect((await json('sensor', 'tick', name)).ticks[0]).toMatchObject({ skippedRunKeys: [name] });
      expect((await json('status')).assets[0]).toMatchObject({ asset: name, materialized: 1, missing: 0 });
      expect((await json('partitions', 'list', name)).total).toBe(1);
      expect((await json('partitions', 'remove', name, name, '--purge')).removed).toEqual([name]);
      await project.must(['state', 'check']);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('is not changed by a state file that says __proto__', async () => {
    await using project = new FuzzProject();
    await project.fill();
    const good = project.stateBytes()!;
    const places = [...good.matchAll(/\{/g)].map(({ index }) => index);
    const evil = '"__proto__":{"polluted":true,"keys":[],"set":null,"status":"m"},';
    for (const at of places) {
      fs.rmSync(project.path('.dynpart', 'state.json'));
      // Before a closing brace there must be no comma.
      const text = `${good.slice(0, at + 1)}${good[at + 1] === '}' ? evil.slice(0, -1) : evil}${good.slice(at + 1)}`;
      project.write({ '.dynpart/state.json': text });
      for (const args of [
        ['status', '--json'],
        ['partitions', 'list', '--json'],
        ['state', 'check', '--json'],
      ]) {
        const ran = await project.run(args);
        expect(offences(args, ran)).toEqual([]);
        expect(ran.stdout).not.toContain('polluted');
      }
    }
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('a name', () => {
  it.each([
    '../up',
    '/etc',
    'a/b',
    '.hidden',
    '',
    ' ',
    'a\\b',
    'a\u0000b',
    '__proto__',
    'é',
    'x'.repeat(201),
    '-x',
  ])('of a set, an asset or a sensor is refused where it is %j', async (name) => {
    await using project = new FuzzProject();
    const said = JSON.stringify(name);
    project.write({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
export default definePipeline({
  assets: [asset({ name: ${said}, materialize: () => 1 }), asset({ name: 'ok', partitions: dynamicPartitions(${said}), materialize: () => 1 })],
  sensors: [sensor({ name: ${said}, evaluate: () => undefined })],
});
`,
    });
    const { stderr } = await project.must(['assets', 'list'], 2);
    for (const thing of ['asset', 'set', 'sensor'])
      expect(stderr).toMatch(new RegExp(`${thing}.*name|name.*${thing}`));
    expect(stderr).not.toMatch(HOSTILE);
    expect(fs.readdirSync(project.folder).toSorted()).toEqual(['pipeline.ts']);
  });
});

describe('a program', () => {
  it('gets a key as one argument, and no shell sees it', async () => {
    await using project = new FuzzProject();
    project.write({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions('things');
const echo = asset({ name: 'echo', partitions: things, async materialize({ partitionKey, exec }) {
  const { stdout } = await exec('printf', ['<%s>', partitionKey]);
  return [stdout.slice(1, -1)];
} });
export default definePipeline({ assets: [echo] });
`,
    });
    const keys = [
      '$(touch pwned)',
      '`touch pwned`',
      '; touch pwned',
      '| touch pwned',
      '&& touch pwned',
      '> pwned',
      "' touch pwned '",
      '$HOME',
      '*',
      '%PATH%',
      '--version',
    ];
    await project.must(['partitions', 'add', 'things', '--', ...keys]);
    await project.must(['materialize', '--all']);
    const values = entriesBelow(path.join(project.stateFolder, 'values', 'echo')).map(
      ({ name }) => JSON.parse(project.read('.dynpart', 'values', 'echo', name)) as string[],
    );
    expect(values.flat().toSorted()).toEqual(keys.toSorted());
    expect(project.exists('pwned')).toBe(false);
  });
});

describe('a record in a pipe', () => {
  it('is one line with its tabs, whatever is in its fields', async () => {
    await using project = new FuzzProject();
    await project.fill();
    await project.must(['sensor', 'cursor', 'feed', '--set', 'a\tb\nc']);
    await project.must(['partitions', 'add', 'things', ' =1+1', '=1+1', '"', 'a,b', 'a;b']);
    for (const [args, tabs] of [
      [['sensor', 'list'], 5],
      [['runs', 'list'], 6],
      [['status'], 10],
      [['sensor', 'history', 'feed'], 2],
      [['partitions', 'list'], 1],
      [['partitions', 'list', 'things'], 0],
      [['sensor', 'cursor', 'feed'], 0],
    ] as const) {
      const { stdout } = await project.must([...args]);
      const lines = stdout.split('\n').slice(0, -1);
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect([args, line, line.split('\t').length - 1]).toEqual([args, line, tabs]);
    }
  });
});

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      { readonly dev?: boolean; readonly hasInstallScript?: boolean; readonly integrity?: string }
    >
  >;
}

describe('the packages that dynpart installs', () => {
  const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as Lock;
  const runtime = Object.entries(lock.packages).filter(([place, { dev }]) => place !== '' && dev !== true);
  const page = fs.readFileSync(path.join(root, 'docs/security.md'), 'utf8');
  const listed = page
    .slice(page.indexOf('## Dependencies'))
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));

  it('are those that docs/security.md gives a reason for, and no others', () => {
    const names = new Set(
      runtime.map(([place]) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)),
    );
    expect(listed.toSorted()).toEqual([...names].toSorted());
    expect(page).toContain(`Ten packages are needed, ${runtime.length} with what they need in turn`);
  });

  it('are locked by a checksum, and none runs a script when it is installed', () => {
    for (const [place, { hasInstallScript, integrity }] of runtime)
      expect([place, hasInstallScript ?? false, integrity?.slice(0, 7)]).toEqual([place, false, 'sha512-']);
  });
});
