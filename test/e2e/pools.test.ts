/** Pools: limits and rates that hold over all processes of a state, keep nobody else, and are named where they are wrong. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import type { Project } from '../support/project.ts';

/** @param work what a call does, as code: for so many milliseconds, or until there is something to be seen */
const pipeline = (
  pools: string,
  pool: string,
  work: number | string = 60,
): string => `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions<any>('things');
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (isSeen: () => boolean) => { while (!isSeen()) await sleep(10); };
const note = (sign: string, key: string) => fs.appendFileSync('calls', sign + ' ' + Date.now() + ' ' + key + '\\n');
const call = asset({
  name: 'call',
  partitions: things,
  pool: ${pool},
  async materialize({ partitionKey }) {
    note('+', partitionKey);
    await (partitionKey.startsWith('quick') ? sleep(1) : ${typeof work === 'number' ? `sleep(${work})` : work});
    note('-', partitionKey);
  },
});
const free = asset({ name: 'free', partitions: dynamicPartitions('others'), materialize: ({ partitionKey }) => { note('!', partitionKey); } });
export default definePipeline({ assets: [call, free], pools: ${pools}, concurrency: 8 });
`;

let project: Project;
beforeEach(() => void (project = new ProjectHere()));
afterEach(() => project[Symbol.asyncDispose]());

const keys = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${name}-${at}`);

const add = async (set: string, names: readonly string[]): Promise<void> => {
  const { code, stderr } = await project.dynpart(['partitions', 'add', set, '--from', '-'], {
    input: names.join('\n'),
  });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
};

interface Call {
  readonly sign: string;
  readonly at: number;
  readonly key: string;
}

const calls = (): Call[] =>
  fs
    .readFileSync(project.path('calls'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [sign, at, key] = line.split(' ');
      return { sign: sign!, at: Number(at), key: key! };
    });

/** The most that were at work at once, by what the pool of a key is called. */
const most = (poolOf: (key: string) => string = () => ''): Record<string, number> => {
  const now: Record<string, number> = {};
  const top: Record<string, number> = {};
  for (const { sign, key } of calls()) {
    if (sign === '!') continue;
    const pool = poolOf(key);
    now[pool] = (now[pool] ?? 0) + (sign === '+' ? 1 : -1);
    top[pool] = Math.max(top[pool] ?? 0, now[pool]);
  }
  return top;
};

describe('a pool', () => {
  it('limits what runs at once, and keeps nobody else', async () => {
    // What is in the pool goes on until the others are made: were one of those kept, this would have no end.
    const areMade = "until(() => fs.readFileSync('calls', 'utf8').split('!').length > 12)";
    project.write({ 'pipeline.ts': pipeline('{ api: { limit: 2 } }', "'api'", areMade) });
    await add('things', keys('k', 12));
    await add('others', keys('o', 12));
    expect((await project.dynpart(['materialize', '--all'], { killAfterMs: 150_000 })).code).toBe(0);
    expect(most()).toEqual({ '': 2 });
    expect((await project.dynpart(['state', 'check'])).code).toBe(0);
  });

  it('is one of its own for each name that a function gives, by default; a large one does not hold up small ones', async () => {
    project.write({
      'pipeline.ts': pipeline(
        '{ default: { limit: 2 }, small: { limit: 1 } }',
        "({ partitionKey }) => partitionKey.split('-')[0]!",
        30,
      ),
    });
    await add('things', [...keys('big', 60), ...keys('one', 3), ...keys('two', 3), ...keys('small', 3)]);
    expect((await project.dynpart(['materialize', '--all'])).code).toBe(0);
    expect(most((key) => key.split('-')[0]!)).toEqual({ big: 2, one: 2, two: 2, small: 1 });
    const seen = calls();
    const lastSmall = seen.findLastIndex(({ key }) => !key.startsWith('big'));
    expect(
      seen.slice(0, lastSmall).filter(({ sign, key }) => sign === '+' && key.startsWith('big')).length,
    ).toBeLessThan(20);
  });

  it('holds over processes, also where one is killed; and none waits for ever', async () => {
    project.write({ 'pipeline.ts': pipeline('{ api: { limit: 3 } }', "'api'", 40) });
    await add('things', keys('k', 60));
    const chosen = (from: number): string[] =>
      keys('k', 60)
        .slice(from, from + 20)
        .flatMap((key) => ['--key', key]);
    const started = [0, 20, 40].map((from) => project.start(['materialize', 'call', ...chosen(from)]));
    await expect.poll(() => project.exists('calls') && calls().length).toBeGreaterThan(5);
    started[0]!.process.kill('SIGKILL');
    expect((await Promise.all(started.slice(1).map(({ done }) => done))).map(({ code }) => code)).toEqual([
      0, 0,
    ]);
    expect((await project.dynpart(['materialize', '--missing'])).code).toBe(0);
    // What was killed says no end: those that were in its hands at that moment are no more than the limit.
    expect(most()['']).toBeLessThanOrEqual(6);
    const beforeTheKill = calls().slice(0, 40);
    expect(beforeTheKill.length).toBe(40);
    expect((await project.json(['status'])).document.assets[0]).toMatchObject({
      materialized: 60,
      missing: 0,
    });
  });

  it('has a place for what is executed alone, after a kill', async () => {
    project.write({ 'pipeline.ts': pipeline('{ api: { limit: 1 } }', "'api'", 5000) });
    await add('things', ['a']);
    const first = project.start(['materialize', 'call', '--key', 'a', '--verbose']);
    await first.saw('started');
    first.process.kill('SIGKILL');
    await first.done;
    project.write({ 'pipeline.ts': pipeline('{ api: { limit: 1 } }', "'api'", 1) });
    const { code, document } = await project.json(['worker', '--once']);
    expect([code, document.runs[0]?.status]).toEqual([0, 'SUCCESS']);
  });

  it('is shared exactly by processes that all end well', async () => {
    project.write({ 'pipeline.ts': pipeline('{ api: { limit: 3 } }', "'api'", 30) });
    await add('things', keys('k', 45));
    const chosen = (from: number): string[] =>
      keys('k', 45)
        .slice(from, from + 15)
        .flatMap((key) => ['--key', key]);
    const ended = await Promise.all(
      [0, 15, 30].map((from) => project.start(['materialize', 'call', ...chosen(from)]).done),
    );
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(most()).toEqual({ '': 3 });
    expect(calls()).toHaveLength(90);
  });

  it('says whom a process waits for', async () => {
    project.write({
      'pipeline.ts': pipeline('{ api: { limit: 1 } }', "'api'", "until(() => fs.existsSync('go'))"),
    });
    await add('things', ['a', 'quick-b']);
    const first = project.start(['materialize', 'call', '--key', 'a', '--verbose']);
    await first.saw('started');
    await new Promise((resolve) => setTimeout(resolve, 700));
    const waiting = project.start(['materialize', 'call', '--key', 'quick-b', '--verbose']);
    await waiting.saw('waiting');
    const { document: why } = await project.json(['why', 'call', '--key', 'quick-b']);
    expect(why.text).toMatch(/ There 1 run waits for pool api, in which it has no place\.$/);
    const words = '1 run waits for pool api, where 1 place is taken';
    const listed = await project.dynpart(['runs', 'list', '--status', 'QUEUED', '--verbose']);
    expect(listed.stderr).toContain(words);
    const shown = await project.dynpart(['runs', 'show', listed.stdout.split('\t')[0]!]);
    expect(shown.stdout).toMatch(
      /^waits {5}in process \d+ on .*: 1 run waits for pool api, where 0 places are taken$/m,
    );
    project.write({ go: '' });
    const second = await waiting.done;
    expect(second.code).toBe(0);
    expect(second.stderr).toContain('waiting: pool api is full: 1 run of other processes has its places');
    expect((await first.done).code).toBe(0);
  });

  it('with a rate begins so many calls in a time, over all processes', async () => {
    project.write({
      'pipeline.ts': pipeline('{ api: { limit: 8, rate: { calls: 4, perSeconds: 3 } } }', "'api'", 5),
    });
    await add('things', keys('k', 10));
    const chosen = (from: number): string[] =>
      keys('k', 10)
        .slice(from, from + 5)
        .flatMap((key) => ['--key', key]);
    const ended = await Promise.all(
      [0, 5].map((from) => project.start(['materialize', 'call', ...chosen(from)]).done),
    );
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const starts = calls()
      .filter(({ sign }) => sign === '+')
      .map(({ at }) => at);
    expect(starts).toHaveLength(10);
    for (const from of starts)
      expect(starts.filter((at) => at >= from && at < from + 3000).length).toBeLessThanOrEqual(4);
    expect((await project.dynpart(['state', 'check'])).code).toBe(0);
  });

  it.each([
    ["(() => 'other') as any", `nobody defined "other", and there is no pool 'default'`],
    ["(() => { throw new Error('no host'); }) as any", 'its function threw: no host'],
    ['(() => undefined) as any', 'its function answers with undefined'],
    ["(async () => 'api') as any", 'its function answers with a promise'],
    ["(() => '') as any", 'is no name'],
  ])('that cannot be told (%s) fails the run, and nothing was called', async (pool, words) => {
    project.write({ 'pipeline.ts': pipeline('{ api: { limit: 2 } }', pool) });
    const { code, document } = await project.json(['materialize', 'call', '--key', 'a', '--add']);
    expect([code, document.runs[0].error.code]).toEqual([1, 'pool-invalid']);
    expect(document.runs[0].error.message).toContain(words);
    expect(document.runs[0].error.hint).toMatch(new RegExp(`dynpart runs retry ${document.runs[0].id}$`));
    expect(project.exists('calls')).toBe(false);
  });

  it.each([
    ['{ api: { limit: 0 } }', "'api'", "limit of pool 'api' must be a whole number above 0"],
    ['{ api: {} as any }', "'api'", "pool 'api' has no limit"],
    ['{ api: 2 as any }', "'api'", "pool 'api' must be an object"],
    [
      '{ api: { limit: 1, rate: { calls: 0, perSeconds: 1 } } }',
      "'api'",
      "rate.calls of pool 'api' must be a whole number above 0",
    ],
    [
      '{ api: { limit: 1, rate: { calls: 1, perSeconds: 0 } } }',
      "'api'",
      "rate.perSeconds of pool 'api' must be a number of seconds above 0",
    ],
    ['{ api: { limit: 1, rate: { calls: 1 } as any } }', "'api'", "rate of pool 'api' has no perSeconds"],
    ['{ api: { limit: 1, rat: 1 } as any }', "'api'", "unknown option 'rat'"],
    [
      '{ api: { limit: 1 } }',
      "'apy'",
      "pool of asset 'call' is 'apy', which nobody defined; did you mean 'api'?",
    ],
    ['{ api: { limit: 1 } }', '5 as any', "pool of asset 'call' must be a name, or a function"],
    ['[] as any', "'api'", 'pools of the pipeline must be an object'],
  ])('%s with %s is refused', async (pools, pool, words) => {
    project.write({ 'pipeline.ts': pipeline(pools, pool) });
    const { code, document } = await project.json(['check']);
    expect(code).toBe(2);
    expect(document.problems.map(({ message }: { message: string }) => message).join('\n')).toContain(words);
  });
});
