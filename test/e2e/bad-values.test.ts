/** Assets that return what cannot be kept, throw, time out or miss their upstream: a failed run with its reason, exit 1. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import type { Project, RunResult } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions('things');
const cyclic: any = { list: [1] };
cyclic.list.push({ back: cyclic });
class Point { x = 1; }
const values: Record<string, () => unknown> = {
  nan: () => ({ score: [1, NaN] }),
  infinity: () => -Infinity,
  date: () => ({ at: new Date(0) }),
  map: () => new Map([['a', 1]]),
  set: () => ({ tags: new Set(['a']) }),
  method: () => ({ run() {} }),
  bigint: () => ({ n: 1n }),
  cyclic: () => cyclic,
  hole: () => [1, undefined],
  nested: () => ({ 'a b': { c: [{ d: undefined }, [undefined]] } }),
  symbol: () => Symbol('s'),
  instance: () => ({ at: new Point() }),
  error: () => new Error('a value'),
  floats: () => new Float32Array(2),
  deep: () => { let value: unknown = 1; for (let at = 0; at < 5000; at++) value = [value]; return value; },
  getter: () => ({ get broken() { throw new Error('getter threw'); } }),
  proxy: () => new Proxy({}, { ownKeys() { throw new Error('proxy threw'); } }),
  bytes: () => new Uint8Array([0, 255, 10, 128]),
  buffer: () => Buffer.from([1, 2, 3]),
  nothing: () => undefined,
  json: () => ({ a: [1, null, true, 'x', { b: undefined }], __proto__: null }),
  shared: () => { const a = [1]; return { a, b: a }; },
  protos: () => JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}'),
  lone: () => 'a\\ud800b',
};
const value = asset({ name: 'value', partitions: things, materialize: ({ partitionKey }) => values[partitionKey]!() as any });
const shown = asset({
  name: 'shown',
  partitions: things,
  inputs: { value },
  materialize({ inputs }) {
    const { value } = inputs;
    if (value === undefined) return 'undefined';
    return value instanceof Uint8Array ? ['bytes', ...value] : ['json', JSON.stringify(value)];
  },
});
const last = asset({ name: 'last', partitions: things, deps: [shown], materialize: () => 1 });
function fetchIt(key: string): never {
  throw new RangeError('no such thing: ' + key);
}
const throws = asset({
  name: 'throws',
  partitions: things,
  async materialize({ partitionKey }) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return fetchIt(partitionKey);
  },
});
const odd: Record<string, () => unknown> = {
  text: () => { throw 'only text'; },
  nothing: () => Promise.reject(undefined),
  getter: () => { const error: any = new Error('goes round'); error.cause = error; throw error; },
};
const throwsOdd = asset({ name: 'throwsOdd', partitions: things, materialize: ({ partitionKey }) => odd[partitionKey]!() as any });
const flaky = asset({
  name: 'flaky',
  partitions: things,
  retry: { maxRetries: 2, delayMs: 10 },
  materialize({ run, partitionKey, log }) {
    log.info('try ' + run.attempt);
    if (partitionKey === 'nan') return NaN;
    if (partitionKey !== 'json' || run.attempt < 3) throw new Error('not yet');
    return run.attempt;
  },
});
const slow = asset({
  name: 'slow',
  partitions: things,
  timeoutMs: 200,
  materialize: ({ signal, partitionKey }) =>
    new Promise((resolve) => {
      if (partitionKey === 'json') signal.addEventListener('abort', () => resolve('too late'));
      else setTimeout(resolve, 60_000);
    }),
});
const metadata = asset({
  name: 'metadata',
  partitions: things,
  materialize({ addMetadata, partitionKey }) {
    addMetadata(values[partitionKey]!() as never);
  },
});
const floating = asset({
  name: 'floating',
  partitions: things,
  async materialize({ partitionKey }) {
    if (partitionKey === 'nothing') void Promise.reject(new Error('nobody waits for me'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
});
const exits = asset({ name: 'exits', partitions: things, materialize: ({ partitionKey }) => { if (partitionKey === 'nothing') process.exit(0); } });
export default definePipeline({ assets: [value, shown, last, throws, throwsOdd, flaky, slow, metadata, floating, exits] });
`;

const KEYS = [
  ...PIPELINE.slice(PIPELINE.indexOf('values:'), PIPELINE.indexOf('};\nconst value ')).matchAll(
    /^ {2}(\w+): \(\) =>/gm,
  ),
].map(([, key]) => key!);

interface Run {
  readonly id: string;
  readonly status: string;
  readonly error: { code: string; message: string; hint: string | null } | null;
  readonly assets: readonly {
    asset: string;
    status: string;
    attempts: number;
    error: { code: string; message: string } | null;
  }[];
}

let project: Project;

beforeAll(async () => {
  project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  expect((await project.dynpart(['partitions', 'add', 'things', ...KEYS, 'text'])).code).toBe(0);
});

afterAll(async () => project[Symbol.asyncDispose]());

/** No frames but the user's own, and no word of a bug. */
function expectNoStack({ stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>): void {
  const said = `${stdout}\n${stderr}`.replaceAll('\\n', '\n');
  expect.soft(said).not.toMatch(/node:internal|this is a bug|^Node\.js v/m);
  const frames = said.split('\n').filter((line) => /^\s+at /.test(line));
  expect.soft(frames.filter((frame) => !frame.includes(`${project.folder}/`))).toEqual([]);
}

async function materialize(
  assets: readonly string[],
  key: string,
): Promise<{ code: number | null; run: Run }> {
  const result = await project.dynpart(['materialize', ...assets, '--key', key, '--json']);
  expectNoStack(result);
  const { runs } = JSON.parse(result.stdout) as { runs?: Run[] };
  expect([key, runs?.length]).toEqual([key, 1]);
  return { code: result.code, run: runs![0]! };
}

const lineOf = (text: string): string =>
  `pipeline.ts:${PIPELINE.split('\n').findIndex((line) => line.includes(text)) + 1}`;

describe('a value that is not JSON', () => {
  const NOT_JSON: readonly (readonly [key: string, path: string, why: RegExp])[] = [
    ['nan', 'value.score[1] ', /NaN/],
    ['infinity', 'value ', /-Infinity/],
    ['date', 'value.at ', /Date.*toISOString/],
    ['map', 'value ', /Map/],
    ['set', 'value.tags ', /Set/],
    ['method', 'value.run ', /function/],
    ['bigint', 'value.n ', /bigint/],
    ['cyclic', 'value.list[1].back ', /itself/],
    ['hole', 'value[1] ', /undefined/],
    ['nested', 'value["a b"].c[1][0] ', /undefined/],
    ['symbol', 'value ', /symbol/],
    ['instance', 'value.at ', /Point/],
    ['error', 'value ', /Error/],
    ['floats', 'value ', /Float32Array/],
    ['deep', 'value[0][0]', /deep/],
  ];

  it.each(NOT_JSON)(
    '(%s) fails the run, names %s and says why; what depends on it is skipped',
    async (key, path, why) => {
      const { code, run } = await materialize(['value', 'shown', 'last'], key);
      expect(code).toBe(1);
      expect(run.status).toBe('FAILURE');
      expect(run.error).toMatchObject({
        code: 'value-not-json',
        message: expect.stringContaining(`kept: ${path}`),
      });
      expect(run.error!.message).toMatch(why);
      expect(run.error!.message).toContain(`"${key}"`);
      expect(run.assets.map(({ asset, status, error }) => [asset, status, error?.code])).toEqual([
        ['value', 'FAILURE', 'value-not-json'],
        ['shown', 'SKIPPED', 'upstream-failed'],
        ['last', 'SKIPPED', 'upstream-failed'],
      ]);
      expect(run.assets[1]!.error!.message).toContain("'value'");
      expect(run.assets[2]!.error!.message).toContain("'shown'");
      expect(fs.existsSync(project.path('.dynpart', 'values', 'value', `${key}.json`))).toBe(false);
    },
  );

  it('is told in words on stderr, and nothing is on stdout', async () => {
    const result = await project.start(['materialize', 'value', '--key', 'nan']).done;
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('value.score[1] is NaN');
    expectNoStack(result);
  });

  it.each(['getter', 'proxy'])(
    '(%s) because looking at it throws fails its own run and no other',
    async (key) => {
      const result = await project.dynpart(['materialize', 'value', '--key', key, '--key', 'json', '--json']);
      expectNoStack(result);
      expect.soft(result.code).toBe(1);
      const { runs } = JSON.parse(result.stdout) as { runs?: Run[] };
      expect(runs?.map(({ status }) => status).toSorted()).toEqual(['FAILURE', 'SUCCESS']);
      expect(result.stdout).toContain(`${key} threw`);
      const { document } = await project.json(['runs', 'list', '--status', 'STARTED']);
      expect(document.runs).toEqual([]);
    },
  );

  it('because looking at it throws does not come back with every tick and worker', async () => {
    await using own = new ProjectHere({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const value = asset({ name: 'value', partitions: dynamicPartitions('things'), materialize: () => ({ get a() { throw new Error('g'); } }) });
export default definePipeline({ assets: [value] });`,
    });
    await own.dynpart(['materialize', '--key', 'a', '--add']);
    expect((await own.json(['runs', 'list'])).document.runs).toEqual([
      expect.objectContaining({ status: 'FAILURE' }),
    ]);
    const { code, document } = await own.json(['worker', '--once']);
    expect(code).toBe(0);
    expect(document.runs).toEqual([]);
  });

  it('does not replace an earlier value that was kept', async () => {
    await using own = new ProjectHere({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const value = asset({ name: 'value', partitions: dynamicPartitions('things'), materialize: () => (process.env.BAD ? NaN : 'good') });
export default definePipeline({ assets: [value] });`,
    });
    expect((await own.dynpart(['materialize', '--key', 'a', '--add'])).code).toBe(0);
    const file = own.path(
      '.dynpart',
      'values',
      'value',
      fs.readdirSync(own.path('.dynpart', 'values', 'value'))[0]!,
    );
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toBe('good');
    expect((await own.dynpart(['materialize', '--key', 'a'], { env: { BAD: '1' } })).code).toBe(1);
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toBe('good');
    expect((await own.json(['status'])).document.assets[0]).toMatchObject({ materialized: 0, failed: 1 });
  });
});

describe('a value that can be kept', () => {
  it.each([
    ['bytes', ['bytes', 0, 255, 10, 128]],
    ['buffer', ['bytes', 1, 2, 3]],
    ['nothing', 'undefined'],
    ['json', ['json', '{"a":[1,null,true,"x",{}]}']],
    ['shared', ['json', '{"a":[1],"b":[1]}']],
    ['protos', ['json', '{"__proto__":{"x":1},"constructor":2}']],
    ['lone', ['json', '"a\\ud800b"']],
  ])('(%s) reaches the asset that depends on it, in this run and in a later one', async (key, seen) => {
    for (const assets of [['value', 'shown'], ['shown']]) {
      const { code, run } = await materialize(assets, key);
      expect([code, run.status]).toEqual([0, 'SUCCESS']);
      expect(JSON.parse(project.read('.dynpart', 'values', 'shown', `${key}.json`))).toEqual(seen);
    }
  });
});

describe('an asset that fails', () => {
  it('by throwing shows the frames of the user, ends with 1, and is in the log', async () => {
    const { code, run } = await materialize(['throws'], 'json');
    expect(code).toBe(1);
    expect(run.error).toMatchObject({ code: 'asset-threw' });
    const [first, ...frames] = run.error!.message.split('\n');
    expect(first).toContain('RangeError: no such thing: json');
    expect(frames[0]).toContain(`${project.folder}/${lineOf('throw new RangeError')}`);
    expect(frames[1]).toContain(`${project.folder}/${lineOf('return fetchIt')}`);
    expect(frames).toHaveLength(2);
    const logs = await project.dynpart(['runs', 'logs', run.id]);
    expect(logs.stdout).toContain('no such thing: json');
    const shown = await project.dynpart(['runs', 'show', run.id]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain('no such thing: json');
    expectNoStack(shown);
  });

  it.each([
    ['text', 'only text'],
    ['nothing', 'undefined'],
    ['getter', 'goes round'],
  ])('by throwing something odd (%s) is a failed run as any other', async (key, said) => {
    const { code, run } = await materialize(['throwsOdd'], key);
    expect(code).toBe(1);
    expect(run.error).toMatchObject({ code: 'asset-threw', message: expect.stringContaining(said) });
  });

  it('is tried again as often as it says, and each try is in the log', async () => {
    const good = await materialize(['flaky'], 'json');
    expect([good.code, good.run.status, good.run.assets[0]!.attempts]).toEqual([0, 'SUCCESS', 3]);
    const bad = await materialize(['flaky'], 'date');
    expect([bad.code, bad.run.status, bad.run.assets[0]!.attempts]).toEqual([1, 'FAILURE', 3]);
    const odd = await materialize(['flaky'], 'nan');
    expect([odd.code, odd.run.error!.code, odd.run.assets[0]!.attempts]).toEqual([1, 'value-not-json', 3]);
    const { document } = await project.json(['runs', 'logs', bad.run.id]);
    expect(document.attempts.map(({ attempt }: { attempt: number }) => attempt)).toEqual([1, 2, 3]);
    for (const { attempt, lines } of document.attempts) {
      const said = lines.map(({ text }: { text: string }) => text).join('\n');
      expect(said).toContain(`try ${attempt}`);
      expect(said).toContain('not yet');
    }
  });

  it('by taking too long is stopped at its timeout, also when it does not listen', async () => {
    const { code, run } = await materialize(['slow'], 'nan');
    expect(code).toBe(1);
    expect(run.error).toMatchObject({ code: 'asset-timeout', message: expect.stringContaining('200 ms') });
  });

  it('by taking too long does not succeed with what it returns after its signal was aborted', async () => {
    const { code, run } = await materialize(['slow'], 'json');
    expect(code).toBe(1);
    expect(run.error).toMatchObject({ code: 'asset-timeout', message: expect.stringContaining('200 ms') });
  });

  it('by metadata that is not JSON says which', async () => {
    const { code, run } = await materialize(['metadata'], 'nan');
    expect(code).toBe(1);
    expect(run.error!.message).toContain('metadata.score[1] is NaN');
    expect((await materialize(['metadata'], 'infinity')).run.error!.message).toContain('addMetadata');
  });

  it('in a promise that nobody waits for fails its run, and no other', async () => {
    const result = await project.start([
      'materialize',
      'floating',
      '--key',
      'nothing',
      '--key',
      'json',
      '--json',
    ]).done;
    expectNoStack(result);
    expect.soft(result.code).toBe(1);
    expect(result.stdout).toMatch(/^\{.*\}\n$/);
    expect(result.stdout).toContain('nobody waits for me');
  });

  it('by calling process.exit does not look like success', async () => {
    const result = await project.start(['materialize', 'exits', '--key', 'nothing', '--json']).done;
    expectNoStack(result);
    expect.soft(result.code).not.toBe(0);
    expect(result.stdout).toMatch(/^\{.*\}\n$/);
  });
});

describe('an upstream', () => {
  it('that is neither chosen nor there fails the run and is named', async () => {
    await project.dynpart(['partitions', 'add', 'things', 'alone']);
    const { code, run } = await materialize(['shown', 'last'], 'alone');
    expect(code).toBe(1);
    expect(run.error).toMatchObject({
      code: 'upstream-missing',
      message: expect.stringContaining("'value'"),
      hint: expect.stringContaining('value'),
    });
    expect(run.error!.message).toContain('"alone"');
    expect(run.assets.map(({ asset, status, error }) => [asset, status, error?.code])).toEqual([
      ['shown', 'FAILURE', 'upstream-missing'],
      ['last', 'SKIPPED', 'upstream-failed'],
    ]);
  });

  it('that was made stands until it is replaced, whatever fails after it: it counts as failed, and is there for others', async () => {
    await using own = new ProjectHere({
      'pipeline.ts': `import { existsSync } from 'node:fs';
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions('things');
const fails = () => { if (existsSync('broken')) throw new Error('broken'); };
const up = asset({ name: 'up', partitions: things, materialize: () => (fails(), 'made') });
const down = asset({ name: 'down', partitions: things, inputs: { up }, materialize: ({ inputs }) => 'of ' + inputs.up });
export default definePipeline({ assets: [up, down] });`,
    });
    const counts = async (name: string): Promise<unknown> =>
      (await own.json(['status', name])).document.assets[0];
    expect((await own.dynpart(['materialize', 'up', '--key', 'k', '--add'])).code).toBe(0);
    own.write({ broken: '' });
    expect((await own.dynpart(['materialize', 'up', '--key', 'k'])).code).toBe(1);
    expect(await counts('up')).toMatchObject({ total: 1, materialized: 0, failed: 1, missing: 0 });
    expect((await own.dynpart(['materialize', 'down', '--missing'])).code).toBe(0);
    expect(await counts('down')).toMatchObject({ materialized: 1 });
    expect(own.read('.dynpart/values/down/k.json')).toBe('"of made"\n');
    expect((await own.dynpart(['state', 'check'])).code).toBe(0);
    fs.rmSync(path.join(own.folder, 'broken'));
    const { document } = await own.json(['materialize', '--failed']);
    expect(document.summary).toMatchObject({ total: 1, succeeded: 1 });
    expect(await counts('up')).toMatchObject({ materialized: 1, failed: 0 });
    // A key that was removed and added again is a new one: what was made of the old one is not there.
    own.write({ broken: '' });
    await own.dynpart(['partitions', 'remove', 'things', 'k']);
    expect((await own.dynpart(['materialize', 'up', '--key', 'k', '--add'])).code).toBe(1);
    expect((await own.json(['materialize', 'down', '--missing'])).document.summary).toMatchObject({
      total: 0,
      waiting: 1,
    });
  });

  it('whose value file is gone or damaged is told with the file, exit 5, and not written down as a failure of the asset', async () => {
    await using own = new ProjectHere({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions('things');
const up = asset({ name: 'up', partitions: things, materialize: () => ({ a: 1 }) });
const down = asset({ name: 'down', partitions: things, inputs: { up }, materialize: () => 1 });
export default definePipeline({ assets: [up, down] });`,
    });
    expect((await own.dynpart(['materialize', 'up', '--key', 'a', '--add'])).code).toBe(0);
    own.write({ '.dynpart/values/up/a.json': '{"a":' });
    const result = await own.dynpart(['materialize', 'down', '--key', 'a', '--json']);
    expect(result.code).toBe(5);
    const document = JSON.parse(result.stdout);
    expect(document.error).toMatchObject({
      code: 'value-damaged',
      message: expect.stringContaining('a.json'),
    });
    expect((await own.json(['status', 'down'])).document.assets[0]).toMatchObject({ failed: 0 });
  });
});
