/** Whatever is kept of compiled code, a start does what the code says: what is not whole, or not of this code, counts as if it were not there. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileFor, loadCompiler, openCodeCache } from '../../bin/code-cache.cjs';
import { Project } from '../support/project.ts';

let project: Project;
let file: string;

beforeEach(() => {
  project = new Project();
  file = project.path('cache', 'the-command');
});
afterEach(() => project[Symbol.asyncDispose]());

/** A program of two parts, the second of which is loaded on use. */
function program(word: string): string {
  project.write({
    'dist/main.cjs': 'exports.say = () => require("./word.cjs").word();',
    'dist/word.cjs': `exports.word = () => '${word}';`,
  });
  return project.path('dist');
}

/** What a start of the program says; as its process ends it keeps what it compiled. */
function start(dist: string): string {
  const { load, keep } = openCodeCache(file, dist);
  const { say } = load('main.cjs') as { say: () => string };
  const said = say();
  keep();
  return said;
}

/** Which file it is: another one where it was written anew. */
const kept = (): number => fs.statSync(file).ino;

/** Files are replaced, and the number of one that has gone may be given again. */
function holdOn(): void {
  fs.linkSync(file, `${file}.${kept()}`);
}

describe('compiled code', () => {
  it('is kept for this user alone, and used by the next start', () => {
    const dist = program('hello');
    expect(start(dist)).toBe('hello');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    const first = kept();
    holdOn();
    expect(start(dist)).toBe('hello');
    expect(kept()).toBe(first);
    expect(fs.readdirSync(path.dirname(file))).toHaveLength(2);
  });

  // A system that says of a folder in one that is there that it has none: node's own way of making both never ends there.
  it.skipIf(process.platform !== 'linux')(
    'is not kept where no folder can be made, and the start ends',
    () => {
      file = '/proc/nobody/.cache/dynpart/the-command';
      expect(start(program('hello'))).toBe('hello');
      expect(fs.existsSync(file)).toBe(false);
    },
  );

  it('of installations that are gone goes when something is kept anew, and never what was kept last', () => {
    const dist = program('hello');
    const folder = path.dirname(file);
    fs.mkdirSync(folder, { mode: 0o700 });
    const other = (name: string, days: number): void => {
      const at = new Date(Date.now() - days * 24 * 60 * 60_000);
      fs.writeFileSync(path.join(folder, name), 'x');
      fs.utimesSync(path.join(folder, name), at, at);
    };
    other('status.old', 91);
    other('status.old.123.tmp', 100);
    for (let days = 1; days <= 60; days++) other(`status.${days}`, days);
    start(dist);
    const names = fs.readdirSync(folder);
    expect(names).toHaveLength(50);
    expect(names).toEqual(expect.arrayContaining(['the-command', 'status.1', 'status.49']));
    // A start that finds its code looks at nothing else.
    other('status.old', 91);
    start(dist);
    expect(fs.existsSync(path.join(folder, 'status.old'))).toBe(true);
  });

  it('of parts that an earlier start did not load is added', () => {
    const dist = program('hello');
    const { load, keep } = openCodeCache(file, dist);
    load('main.cjs');
    keep();
    const first = kept();
    holdOn();
    expect(start(dist)).toBe('hello');
    const second = kept();
    expect(second).not.toBe(first);
    holdOn();
    expect(start(dist)).toBe('hello');
    expect(kept()).toBe(second);
  });

  it('is made anew for other code, also where that is as long', () => {
    expect(start(program('hello'))).toBe('hello');
    expect(start(program('olleh'))).toBe('olleh');
    expect(start(program('hello'))).toBe('hello');
  });

  it('is not used when a byte of it is another one, or it was cut', () => {
    const dist = program('hello');
    start(dist);
    const whole = fs.readFileSync(file);
    const damaged = [
      ...Array.from({ length: 60 }, (_, at) => {
        const bytes = Buffer.from(whole);
        const place = Math.floor((at / 60) * bytes.length);
        bytes[place] = bytes[place]! ^ (1 << (at % 8));
        return bytes;
      }),
      Buffer.alloc(whole.length),
      Buffer.alloc(0),
      whole.subarray(0, 1),
      whole.subarray(0, -1),
      Buffer.concat([whole, Buffer.from('x')]),
    ];
    for (const bytes of damaged) {
      fs.writeFileSync(file, bytes);
      const before = kept();
      holdOn();
      expect(start(dist)).toBe('hello');
      expect(kept()).not.toBe(before);
      expect(fs.readFileSync(file).equals(bytes)).toBe(false);
    }
  });

  it.each([0o620, 0o602])('is not used where others may write to it (mode %o)', (mode) => {
    const dist = program('hello');
    start(dist);
    const before = kept();
    holdOn();
    fs.chmodSync(file, mode);
    expect(start(dist)).toBe('hello');
    expect(kept()).not.toBe(before);
  });

  it('is neither used nor kept in a folder that others may write to, or where there can be none', () => {
    const dist = program('hello');
    fs.mkdirSync(path.dirname(file));
    fs.chmodSync(path.dirname(file), 0o777);
    expect(start(dist)).toBe('hello');
    expect(fs.readdirSync(path.dirname(file))).toEqual([]);
    file = '/dev/null/cache/the-command';
    expect(start(dist)).toBe('hello');
  });

  it('leaves places and names in a stack as they are', () => {
    project.write({
      'dist/main.cjs': 'exports.say = () => { try { null.x } catch ({ stack }) { return stack } };',
    });
    expect(start(project.path('dist'))).toMatch(
      new RegExp(`at exports\\.say \\(${project.path('dist/main.cjs')}:1:34\\)`),
    );
  });
});

const fileOf = (args: string, dist = '/a/dist', env: Record<string, string> = { XDG_CACHE_HOME: '/cache' }) =>
  fileFor({ argv: ['node', 'dynpart', ...args.split(' ')], env, execArgv: [] }, dist);

describe('the file for a command', () => {
  it('is one for each command that is started again and again, and for each installation', () => {
    const tick = fileOf('sensor tick');
    expect(tick).toMatch(/^\/cache\/dynpart\/start\/sensor-tick\.\w+$/);
    expect(fileOf('-f x.ts --json sensor tick news')).toBe(tick);
    expect(fileOf('sensor tick', '/b/dist')).not.toBe(tick);
    expect(fileOf('materialize audio', '/a/dist', { HOME: '/home/me' })).toMatch(
      /^\/home\/me\/\.cache\/dynpart\/start\/materialize\.\w+$/,
    );
    expect(fileOf('sensor watch')).toBe(null);
  });

  it.each([
    ['flags of node', { NODE_OPTIONS: '--max-old-space-size=100' }],
    ['the word of node for no cache', { NODE_DISABLE_COMPILE_CACHE: '1' }],
    ['a relative cache folder', { XDG_CACHE_HOME: 'cache' }],
    ['no home', { XDG_CACHE_HOME: '' }],
  ])('is none with %s', (_what, more) => {
    expect(fileOf('sensor tick', '/a/dist', { XDG_CACHE_HOME: '/cache', ...more })).toBe(null);
  });
});

it('the real binary keeps what it compiled, and says the same with it, without it and after damage', async () => {
  await using own = new Project({
    'pipeline.js':
      "import { definePipeline, dynamicPartitions } from 'dynpart'; export default definePipeline({ partitions: [dynamicPartitions('letters')] });",
  });
  const env = { XDG_CACHE_HOME: own.path('cache') };
  const folder = own.path('cache', 'dynpart', 'start');
  const list = (more = {}) => own.dynpart(['partitions', 'list', '--json'], { env: { ...env, ...more } });
  const first = await list({ NODE_DISABLE_COMPILE_CACHE: '1' });
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(fs.existsSync(folder)).toBe(false);
  expect(await list()).toEqual(first);
  const file = path.join(folder, fs.readdirSync(folder).join());
  const { size } = fs.statSync(file);
  expect(size).toBeGreaterThan(50_000);
  expect(await list()).toEqual(first);
  fs.writeFileSync(file, Buffer.alloc(size));
  expect(await list()).toEqual(first);
  expect(fs.readFileSync(file).equals(Buffer.alloc(size))).toBe(false);
});

/** A pipeline of an asset that says a word, by a syntax that is compiled. */
const saying = (word: string): string => `
  import { asset, definePipeline, dynamicPartitions } from 'dynpart';
  enum Word { said = 'größer – ${word} 🎉' }
  const letters = dynamicPartitions('letters');
  export default definePipeline({ assets: [asset({ name: 'word', partitions: letters, materialize: (): Word => Word.said })] });`;

it('the compiler of pipeline files is kept as it is after an edit, and compiles the same with it, without it and after damage', async () => {
  await using own = new Project({ 'pipeline.ts': saying('') });
  const env = { XDG_CACHE_HOME: own.path('cache') };
  const folder = own.path('cache', 'dynpart', 'start');
  const make = async (word: string, more = {}): Promise<void> => {
    own.write({ 'pipeline.ts': saying(word) });
    const args = ['materialize', 'word', '--key', 'a', '--quiet'];
    expect(await own.dynpart(args, { env: { ...env, ...more } })).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await own.dynpart(['value', 'show', 'word', '--key', 'a'], { env });
    expect(JSON.parse(stdout)).toBe(`größer – ${word} 🎉`);
  };
  const compilers = () =>
    fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.startsWith('compiler.')) : [];
  await own.dynpart(['partitions', 'add', 'letters', 'a'], { env });
  fs.rmSync(own.path('cache'), { recursive: true });
  await make('plain', { NODE_DISABLE_COMPILE_CACHE: '1' });
  expect(compilers()).toEqual([]);
  await make('first');
  expect(compilers()).toHaveLength(1);
  const file = path.join(folder, compilers()[0]!);
  const { ino, size, mtimeNs } = fs.statSync(file, { bigint: true });
  expect(Number(size)).toBeGreaterThan(500_000);
  await make('second');
  expect(fs.statSync(file, { bigint: true })).toMatchObject({ ino, mtimeNs });
  fs.writeFileSync(file, Buffer.alloc(Number(size)));
  await make('third');
  expect(fs.readFileSync(file).equals(Buffer.alloc(Number(size)))).toBe(false);
});

it('no compiler is kept where nothing may be', () => {
  const started = {
    env: { XDG_CACHE_HOME: '/cache', NODE_OPTIONS: '--no-opt' },
    execArgv: [],
    once: () => expect.fail('at its end it would write'),
  };
  expect(loadCompiler(project.path('compiler.cjs'), started)).toBe(undefined);
});

/** A pipeline of one sensor. */
function pipelineOf(code: string): string {
  return `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
${code}
export default definePipeline({ partitions: [letters], sensors: [sensor({ name: 'found', evaluate })] });`;
}

it('a start may be the first to import something, with code that was compiled at an earlier one', async () => {
  const letters = "const letters = dynamicPartitions('letters');";
  await using own = new Project({
    'plain.ts': pipelineOf(`${letters} const evaluate = () => undefined;`),
    'feeds.ts': pipelineOf(
      `import { files } from 'dynpart/sources'; ${letters} const evaluate = files(letters, 'none.*');`,
    ),
  });
  for (const name of ['plain.ts', 'plain.ts', 'feeds.ts'])
    expect(
      await own.dynpart(['-f', name, 'sensor', 'tick'], { env: { XDG_CACHE_HOME: own.path('cache') } }),
      name,
    ).toMatchObject({ code: 0, stderr: '' });
});
