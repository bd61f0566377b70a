/** The package as users get it: what is in the tarball, and that it works when it is installed into a project or globally. */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { Project, root } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const raw = asset({ name: 'raw', partitions: items, materialize: ({ partitionKey }) => ({ length: partitionKey.length }) });
const twice = asset({
  name: 'twice',
  partitions: items,
  inputs: { raw },
  retry: { maxRetries: 1 },
  async materialize({ inputs, exec, log, addMetadata }): Promise<string> {
    const length: number = inputs.raw.length;
    const { stdout } = await exec(process.execPath, ['-p', String(length) + ' * 2']);
    log.info('computed');
    addMetadata({ length });
    return stdout;
  },
});
const feed = sensor({
  name: 'feed',
  assets: [raw, twice],
  minimumIntervalSeconds: 1,
  async evaluate({ cursor, partitions }) {
    const before: string | null = cursor;
    const fresh = await partitions(items).missing(['a', 'bb']);
    if (fresh.length === 0) return { skipReason: 'nothing after ' + before };
    return {
      cursor: 'bb',
      dynamicPartitionsRequests: [items.buildAddRequest(fresh)],
      runRequests: fresh.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
    };
  },
});
export default definePipeline({ assets: [raw, twice], sensors: [feed] });
`;

const SOURCES = `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { each, feed, type FeedItem, files, type FileItem, http, rows } from 'dynpart/sources';
const uploads = dynamicPartitions<FileItem>('uploads');
const episodes = dynamicPartitions<FeedItem>('episodes');
const things = dynamicPartitions('things');
const sensors = [
  sensor({ name: 'files', evaluate: files(uploads, 'in/*.csv', { cwd: '/', settle: '1m' }) }),
  sensor({ name: 'feeds', evaluate: each(['https://a.example/feed'], (url) => feed(episodes, url)) }),
  sensor({ name: 'list', evaluate: http(things, { url: 'https://a.example/', items: (page: { id: number }[]) => page, key: ({ id }) => id }) }),
  sensor({ name: 'rows', evaluate: rows(things, { query: () => [{ id: 1 }], key: 'id' }) }),
];
export const pipeline = definePipeline({ partitions: [uploads, episodes, things], sensors });
`;

const REQUIRED = `const { definePipeline, dynamicPartitions, sensor } = require('dynpart');
const { files } = require('dynpart/sources');
const uploads = dynamicPartitions('uploads');
const inbox = sensor({ name: 'inbox', evaluate: files(uploads, 'inbox/*.csv', { settle: '0s' }) });
module.exports = definePipeline({ partitions: [uploads], sensors: [inbox] });
`;

interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

function command(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { ...options, encoding: 'utf8', timeout: 200_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? 'killed'), stdout, stderr }),
    );
  });
}

/** What it warns of is seen: neither its log level nor its scripts are other than a user's. */
const npm = (args: readonly string[], cwd: string): Promise<Ended> =>
  command('npm', [...args, '--no-audit', '--no-fund', '--no-update-notifier'], { cwd });

/** Why nothing could be installed; without a registry and a full cache that is not the package's fault. */
const OUT_OF_REACH = /ENOTCACHED|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH/;

/** Installs from the cache or, when that has not everything, from the registry. */
async function install(context: TestContext, args: readonly string[], cwd: string): Promise<void> {
  const offline = await npm(['install', ...args, '--offline'], cwd);
  if (offline.code === 0) return expect(offline.stderr).toBe('');
  const online = await npm(['install', ...args, '--prefer-offline', '--fetch-retries=1'], cwd);
  if (online.code !== 0 && OUT_OF_REACH.test(online.stderr))
    context.skip(`the package was NOT tried: the registry is out of reach: ${online.stderr.split('\n')[0]}`);
  expect({ code: online.code, stderr: online.stderr }).toEqual({ code: 0, stderr: '' });
}

/** The first code of this language in a Markdown text. */
function firstBlock(markdown: string, language: string): string {
  const found = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(markdown)?.[1];
  if (found === undefined) throw new Error(`there is no ${language}`);
  return found;
}

function manifestOf(name: string): { readonly version: string } {
  return JSON.parse(fs.readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
}

/** As cron would call it. */
const bare = (home: string): NodeJS.ProcessEnv => ({
  PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  HOME: home,
  XDG_CACHE_HOME: path.join(home, '.cache'),
});

let packed: Project;
let tarball: string;
let files: string[];

beforeAll(async () => {
  packed = new Project();
  const { code, stdout, stderr } = await npm(
    // Built already, and others may be reading it.
    ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', packed.folder],
    root,
  );
  expect(code, stderr).toBe(0);
  const [pack] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = packed.path(pack.filename);
  files = pack.files.map((file) => file.path);
});

afterAll(async () => packed[Symbol.asyncDispose]());

const page = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');

describe('the tarball', () => {
  it('has what users need and nothing else', () => {
    const outside = files.filter((file) => !/^(dist|docs|examples|templates)\//.test(file)).toSorted();
    expect(outside).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/code-cache.cjs',
      'bin/dynamic-import.cjs',
      'bin/dynpart.cjs',
      'llms.txt',
      'package.json',
      'pipeline.example.ts',
    ]);
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/cli-core.cjs',
        'dist/evaluator.cjs',
        'dist/help.txt',
        'dist/index.js',
        'dist/sources.js',
        'dist/sources-looker.cjs',
        'dist/types/sources/index.d.ts',
        'examples/customers.ts',
        'dist/types/index.d.ts',
        'docs/state-file.md',
        'templates/files/inbox/monday.csv',
      ]),
    );
    const odd = files.filter((file) => {
      if (file.startsWith('dist/types/')) return !file.endsWith('.d.ts');
      if (file.startsWith('dist/')) return !/\.c?js$|^dist\/(help\.txt|page\.html)$/.test(file);
      return file.startsWith('docs/') && !/^docs\/[^/]+\.md$/.test(file);
    });
    expect(odd).toEqual([]);
    expect(files.filter((file) => /(^|\/)(node_modules|test|src|bench|\.dynpart)\//.test(file))).toEqual([]);
    expect(fs.statSync(tarball).size).toBeLessThan(820_000);
  });

  it('has every file that its own package.json names', () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
      types: string;
      exports: Record<string, string | Record<string, string>>;
    };
    const named = [
      ...Object.values(manifest.bin),
      manifest.types,
      ...Object.values(manifest.exports).flatMap((target) =>
        typeof target === 'string' ? [target] : Object.values(target),
      ),
    ].map((name) => name.replace(/^\.\//, ''));
    expect(named.filter((name) => !files.includes(name))).toEqual([]);
  });
});

/** The step of the build that bundles. Its output goes into a folder of its own: others read `dist` meanwhile. */
function bundle(cwd: string, out: string): Promise<Ended> {
  const { scripts } = JSON.parse(page('package.json')) as { scripts: { build: string } };
  const step = scripts.build.split(' && ').find((each) => each.includes('rolldown '))!;
  const env = bare(path.dirname(out)); // NODE_ENV=test alone would make the bundler quiet
  const PATH = `${path.join(root, 'node_modules', '.bin')}:${env['PATH']}`;
  return command('sh', ['-c', `${step} --dir "$0"`, out], { cwd, env: { ...env, PATH } });
}

describe('the bundler, as the build calls it', () => {
  it('says nothing when all is well: `npm ci` on a fresh clone shows what it prints', async () => {
    await using project = new Project();
    expect(await bundle(root, project.path('out'))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(fs.existsSync(project.path('out/cli.cjs'))).toBe(true);
  });

  it('still says what it warns of, and what is wrong', async () => {
    await using project = new Project({
      'rolldown.config.ts': "export default { input: 'a.js', output: { dir: 'out' } };\n",
      'a.js': "export { a } from 'not-there';\n",
      'b.js': 'export {};\n',
    });
    const warned = await bundle(project.folder, project.path('out'));
    expect(warned.code).toBe(0);
    expect(warned.stderr).toContain('UNRESOLVED_IMPORT');
    project.write({ 'a.js': "import { b } from './b.js';\nexport const a = b;\n" });
    const failed = await bundle(project.folder, project.path('out'));
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('"b" is not exported by "b.js"');
  });
});

describe('installed into an empty project', () => {
  it('runs a TypeScript pipeline, and its types compile', { timeout: 400_000 }, async (context) => {
    await using project = new Project({
      'package.json': '{ "private": true }\n',
      'pipeline.ts': PIPELINE,
    });
    await install(context, [tarball], project.folder);
    const env = bare(project.folder);
    const bin = project.path('node_modules/.bin/dynpart');
    const tick = await command(bin, ['sensor', 'tick', '--json'], { cwd: project.folder, env });
    expect(tick.code, tick.stderr).toBe(0);
    expect(JSON.parse(tick.stdout)).toMatchObject({
      ticks: [
        {
          status: 'SUCCESS',
          runs: [
            { partitionKey: 'a', status: 'SUCCESS' },
            { partitionKey: 'bb', status: 'SUCCESS' },
          ],
        },
      ],
    });
    const again = await command(bin, ['sensor', 'tick'], { cwd: project.folder, env });
    expect(again).toEqual({ code: 0, stdout: '', stderr: '' });
    const version = await command(bin, ['--version'], { cwd: project.folder, env });
    expect(path.basename(tarball)).toBe(`dynpart-${version.stdout.trim()}.tgz`);
  });

  it(
    "compiles with the documented tsconfig and today's TypeScript, whatever the type of the project",
    { timeout: 400_000 },
    async (context) => {
      await using project = new Project({
        'package.json': '{ "private": true }\n',
        'tsconfig.json': firstBlock(page('docs/start.md'), 'json'),
        'pipeline.ts': firstBlock(page('README.md'), 'ts'),
        'other.ts': PIPELINE,
        'tested.ts': `import { testPipeline, type RunRecord, type TestPipeline } from 'dynpart/testing';
import pipeline from './other.ts';
export const test: TestPipeline = testPipeline(pipeline, { now: '2026-03-01', fetch: ({ url }) => new Response(url) });
export const run: Promise<RunRecord> = test.materialize('raw', 'a');
`,
        'sources.mts': SOURCES,
        'sources.cts': SOURCES,
        'more.ts':
          "import one from './other';\nimport { default as two } from './other.ts';\nexport { one, two };\n",
      });
      await install(context, [tarball], project.folder);
      for (const name of ['typescript', '@typescript', '@types'])
        fs.symlinkSync(path.join(root, 'node_modules', name), project.path('node_modules', name));
      expect(manifestOf('typescript').version).toMatch(/^7\./);
      const compile = (): Promise<Ended> =>
        command(process.execPath, [project.path('node_modules/typescript/bin/tsc')], { cwd: project.folder });
      for (const type of [{}, { type: 'module' }, { type: 'commonjs' }]) {
        project.write({ 'package.json': JSON.stringify({ private: true, ...type }) });
        expect(await compile(), JSON.stringify(type)).toEqual({ code: 0, stdout: '', stderr: '' });
      }
      // Compiled for node alone: imported in the one, and required by name in the other.
      const flags =
        '--module nodenext --target es2023 --types node --strict --skipLibCheck --outDir built --ignoreConfig';
      const built = await command(
        process.execPath,
        [project.path('node_modules/typescript/bin/tsc'), ...flags.split(' '), 'sources.mts', 'sources.cts'],
        { cwd: project.folder },
      );
      expect(built).toEqual({ code: 0, stdout: '', stderr: '' });
      for (const file of ['sources.mjs', 'sources.cjs'])
        expect(
          await command(process.execPath, [project.path('built', file)], { cwd: project.folder }),
        ).toEqual({
          code: 0,
          stdout: '',
          stderr: '',
        });
      expect(fs.readFileSync(project.path('built/sources.cjs'), 'utf8')).toContain(
        'require("dynpart/sources")',
      );
      // The types say something: what is wrong does not compile.
      project.write({ 'wrong.ts': PIPELINE.replace('inputs.raw.length', 'inputs.raw.size') });
      const wrong = await compile();
      expect(wrong.code).not.toBe(0);
      expect(wrong.stdout).toMatch(/^wrong\.ts\(\d+,\d+\): error TS2339: Property 'size'/);
    },
  );
});

describe('installed globally', () => {
  it(
    'runs a pipeline in a folder without node_modules, also in a watch',
    { timeout: 400_000 },
    async (context) => {
      await using prefix = new Project();
      await using project = new Project({ 'pipeline.ts': PIPELINE });
      await install(context, ['--global', '--prefix', prefix.folder, tarball], prefix.folder);
      const env = bare(project.folder);
      const bin = prefix.path('bin/dynpart');
      const listed = await command(bin, ['assets', 'list'], { cwd: project.folder, env });
      expect(listed).toEqual({
        code: 0,
        stdout: 'raw\titems\t-\t-\t-\ntwice\titems\traw\t-\t-\n',
        stderr: '',
      });
      await using required = new Project({ 'pipeline.cjs': REQUIRED, 'inbox/a.csv': 'one' });
      const tick = await command(bin, ['-f', 'pipeline.cjs', 'sensor', 'tick', '--json'], {
        cwd: required.folder,
        env,
      });
      expect(tick.code, tick.stderr).toBe(0);
      expect(JSON.parse(tick.stdout).ticks[0].partitions[0].added).toEqual(['inbox/a.csv']);
      // The watch evaluates in a thread, which has to find the package as well.
      const watch = spawn(bin, ['sensor', 'watch', '--json'], { cwd: project.folder, env });
      let said = '';
      const ended = new Promise<number | null>((resolve) => watch.on('close', resolve));
      for (const stream of [watch.stdout, watch.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          // Once: a second one would have it leave at once.
          if (said.split('"finishedAt"').length > 3 && !watch.killed) watch.kill('SIGTERM');
        });
      expect(await ended, said).toBe(0);
      const status = await command(bin, ['status', '--json'], { cwd: project.folder, env });
      expect(JSON.parse(status.stdout)).toMatchObject({
        assets: [
          { asset: 'raw', total: 2, materialized: 2 },
          { asset: 'twice', total: 2, materialized: 2 },
        ],
      });
      expect(fs.readdirSync(project.folder).toSorted()).toEqual(['.cache', '.dynpart', 'pipeline.ts']);
    },
  );
});
