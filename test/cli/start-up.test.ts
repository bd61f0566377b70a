/** What a command loads before it does its work: files, their bytes and parts of node, counted. Time is the benchmarks' business. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binary, Project, root } from '../support/project.ts';

const PIPELINE = `
  import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
  const letters = dynamicPartitions('letters');
  const upper = asset({ name: 'upper', partitions: letters, materialize: ({ partitionKey }) => partitionKey });
  const feed = sensor({
    name: 'feed',
    assets: [upper],
    minimumIntervalSeconds: 0.001,
    evaluate: ({ cursor }) => cursor === 'seen' ? { skipReason: 'nothing new' } : {
      cursor: 'seen',
      dynamicPartitionsRequests: [letters.buildAddRequest(['a'])],
      runRequests: [{ partitionKey: 'a', runKey: 'a' }],
    },
  });
  export default definePipeline({ assets: [upper], sensors: [feed] });
`;

let project: Project;

beforeAll(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  const { code, stderr } = await project.dynpart(['sensor', 'tick']);
  if (code !== 0) throw new Error(stderr);
});

afterAll(() => project[Symbol.asyncDispose]());

interface Loaded {
  /** Parts of the bundle, by their group or command. */
  readonly parts: string;
  readonly bytes: number;
  /** What else of the package or of its dependencies. */
  readonly others: string;
  /** Modules of node that a bare `node` has not loaded. */
  readonly builtins: string;
}

async function loadedBy(args: readonly string[]): Promise<Loaded> {
  const into = project.path('loaded.json');
  const hook = path.join(root, 'test/support/loaded.cjs');
  const { code, stderr } = await project.dynpart(args, {
    env: { NODE_OPTIONS: `--require=${hook}`, LOADED_INTO: into },
  });
  expect([code, stderr]).toEqual([0, '']);
  const { files, builtins } = JSON.parse(fs.readFileSync(into, 'utf8')) as Record<string, string[]>;
  const ours = files!.filter((file) => file !== hook && file !== binary);
  const parts = ours.filter(isPart);
  return {
    parts: words(parts.map((file) => PART.exec(path.relative(root, file))![1]!)),
    bytes: parts.reduce((sum, file) => sum + fs.statSync(file).size, 0),
    others: words(ours.filter((file) => !isPart(file)).map((file) => path.relative(root, file))),
    builtins: words(builtins!.flatMap((name) => /^NativeModule (?!internal\/)(.*)$/.exec(name)?.[1] ?? [])),
  };
}

function isPart(file: string): boolean {
  return PART.test(path.relative(root, file));
}

const PART = /^dist\/cli-(.+)\.cjs$/;

function words(list: readonly string[]): string {
  return list.toSorted().join(' ');
}

it('a watch that waits for runs has loaded what executes them', async () => {
  // A project of its own: where the end comes while the sensor is evaluated, others would read that it was interrupted.
  await using watched = new Project({ 'pipeline.ts': PIPELINE });
  const into = watched.path('loaded.json');
  const hook = path.join(root, 'test/support/loaded.cjs');
  const watch = watched.start(['sensor', 'watch', '-v'], {
    env: { NODE_OPTIONS: `--require=${hook}`, LOADED_INTO: into },
    killAfterMs: 60_000,
  });
  await watch.saw('watching feed');
  watch.process.kill('SIGTERM');
  expect((await watch.done).code).toBe(0);
  const { files } = JSON.parse(fs.readFileSync(into, 'utf8')) as { readonly files: readonly string[] };
  expect(files.map((file) => path.basename(file))).toContain('cli-execution.cjs');
});

describe('a start loads', () => {
  // A number that is passed is raised here where what a command needs has grown; where it needs no more, what has grown is
  // imported on use (`await import`), or moved to another group of rolldown.config.ts.
  it.each<{ args: string; parts: string; most: number; builtins?: string; others?: string }>([
    { args: '--version', parts: '', most: 0, others: 'package.json' },
    { args: '--help', parts: '', most: 0, others: '' },
    { args: 'partitions list letters', parts: 'core partitions', most: 157_200 },
    { args: 'status', parts: 'core report status', most: 157_200 },
    { args: 'runs list', parts: 'core runs', most: 156_500 },
    // What is stale of many keys, and which runs come behind others, is planned by every tick.
    { args: 'sensor list', parts: 'core report sensor-list', most: 154_900 },
    { args: 'sensor tick', parts: 'core tick', most: 258_300, builtins: 'vm' },
  ])(
    'for `$args` no more than it needs',
    async ({ args, parts, most, builtins = '', others = 'bin/code-cache.cjs' }) => {
      const loaded = await loadedBy(args.split(' '));
      expect(loaded).toEqual({ parts, bytes: expect.any(Number), others, builtins });
      expect(loaded.bytes).toBeLessThanOrEqual(most);
    },
  );
});
