/** Checks that fail, warn, throw, hang or answer nonsense: the value is kept out, what was on record stands, and each is named. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, RetryAfter, skip, warn } from 'dynpart';
const things = dynamicPartitions('things');
const told = (name: string): any => (fs.existsSync(name) ? fs.readFileSync(name, 'utf8') : '');
const tries = { count: 0 };
const value = asset({
  name: 'value',
  partitions: things,
  // Short where something is to take longer, and else not: a machine may be slow.
  timeoutMs: /^(hangs|blocks)$/.test(told('tell')) ? 900 : 60_000,
  retry: { maxRetries: 3 },
  materialize({ addMetadata }) {
    fs.appendFileSync('made', 'x');
    addMetadata({ by: 'hand' });
    if (told('tell') === 'skip') return skip('nothing');
    return told('tell') === 'undefined' ? undefined : { text: told('tell') };
  },
  checks: {
    async 'says something'({ value, partitionKey, item, metadata }) {
      console.log('checking', partitionKey, item, metadata.by);
      const tell = told('tell');
      if (tell === 'throws') return (value as any).gone.length;
      if (tell === 'throws odd') throw null;
      if (tell === 'later') throw new RetryAfter(tries.count++ === 0 ? 0 : 3600);
      if (tell === 'hangs') return new Promise<never>(() => {});
      if (tell === 'blocks') { for (const until = Date.now() + 1300; Date.now() < until;); return true; }
      const odd: Record<string, any> = { no: undefined, number: 5, false: false, list: [], empty: '  ', proxy: new Proxy({}, { get() { throw new Error('proxy'); } }) };
      if (tell in odd) return odd[tell];
      return tell !== 'bad' || 'it says\\nnothing good';
    },
    short: ({ value }) => (value?.text === 'bad' ? 'too bad' : value?.text === 'long' || value?.text === 'bad' ? warn('rather \\u001b[31mlong') : true),
    schema: { '~standard': { version: 1, vendor: 'own', validate: (given: any) => (given?.text === 'unfit' ? { issues: [{ message: 'does not fit', path: ['text'] }] } : { value: 'made of it' }) } },
  },
});
const below = asset({ name: 'below', partitions: things, inputs: { value }, materialize: ({ inputs }) => inputs.value });
export default definePipeline({ assets: [value, below] });
`;

let project: Project;

beforeAll(async () => {
  project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  expect((await project.dynpart(['partitions', 'add', 'things', 'a', '--item', '{"n":1}'])).code).toBe(0);
});
afterAll(async () => project[Symbol.asyncDispose]());

async function make(tell: string, assets: readonly string[] = ['value', 'below']) {
  project.write({ tell, made: '' });
  const { code, document } = await project.json(['materialize', ...assets, '--key', 'a']);
  return { code, run: document.runs[0], made: fs.readFileSync(project.path('made'), 'utf8').length };
}

const shown = async (name = 'below'): Promise<string> =>
  (await project.dynpart(['value', 'show', name, '--key', 'a'])).stdout;

describe('a check', () => {
  it('that is content lets the value be kept as it was returned, also where it is a schema', async () => {
    const { code, run } = await make('good');
    expect([code, run.status]).toEqual([0, 'SUCCESS']);
    expect(JSON.parse(await shown())).toEqual({ text: 'good' });
    const { stdout } = await project.dynpart(['runs', 'logs', run.id]);
    expect(stdout).toContain('checking a { n: 1 } hand');
  });

  it.each([
    [
      'bad',
      'check-failed',
      `2 checks of asset 'value' for key "a" failed: "says something": it says\nnothing good; "short": too bad`,
    ],
    ['unfit', 'check-failed', `check "schema" of asset 'value' for key "a" failed: text: does not fit`],
    [
      'throws',
      'check-threw',
      `check "says something" of asset 'value' for key "a" threw: TypeError: Cannot read`,
    ],
    ['throws odd', 'check-threw', 'threw: null'],
    ['hangs', 'check-timeout', `check "says something" of asset 'value' for key "a" took longer than 900 ms`],
    ['blocks', 'check-timeout', 'took longer than 900 ms'],
    ['no', 'check-invalid', 'returned undefined where true'],
    ['number', 'check-invalid', 'returned a number where true'],
    ['false', 'check-invalid', 'returned false where true'],
    ['list', 'check-invalid', 'returned an array where true'],
    ['empty', 'check-invalid', 'returned an empty text where true'],
    ['proxy', 'check-threw', 'threw: proxy'],
  ])('that says %j keeps the value out: %s', async (tell, code, words) => {
    await make('good');
    const { code: exit, run, made } = await make(tell);
    expect(exit).toBe(1);
    expect(run.error).toMatchObject({
      code,
      message: expect.stringContaining(words),
      hint: expect.stringContaining('what was on record stands'),
    });
    expect(run.assets.map((one: { status: string }) => one.status)).toEqual(['FAILURE', 'SKIPPED']);
    expect(run.assets[1].error.code).toBe('upstream-failed');
    // Not tried again within the run: the same code would make the same.
    expect([made, run.attempts]).toEqual([1, 1]);
    expect(JSON.parse(await shown('value'))).toEqual({ text: 'good' });
    const { document } = await project.json(['partitions', 'show', 'things', 'a']);
    expect(document.assets[0]).toMatchObject({ state: 'failed', error: { code } });
    expect(document.assets[1].state).toBe('materialized');
  });

  it('that throws RetryAfter has the value made again within the run, or later', async () => {
    const { run, made } = await make('later');
    expect(made).toBe(2);
    expect(run.error).toMatchObject({
      code: 'check-threw',
      message: expect.stringContaining('asks to be tried again at'),
    });
  });

  it('is not asked of what was skipped', async () => {
    const { code, run } = await make('skip');
    expect([code, run.status, run.assets[0].skipReason]).toEqual([0, 'SUCCESS', 'nothing']);
    expect((await project.dynpart(['runs', 'logs', run.id])).stdout).not.toContain('checking');
  });

  it('is asked of undefined, and its warning is recorded and shown, without control characters', async () => {
    expect((await make('undefined')).run.status).toBe('SUCCESS');
    const { code, run } = await make('long');
    const warnings = [{ check: 'short', message: 'rather \u001b[31mlong' }];
    expect([code, run.status, run.assets[0].warnings, run.assets[1].warnings]).toEqual([
      0,
      'SUCCESS',
      warnings,
      [],
    ]);
    const { document } = await project.json(['partitions', 'show', 'things', 'a']);
    expect(document.assets[0]).toMatchObject({ state: 'materialized', warnings });
    expect((await project.json(['runs', 'show', run.id])).document.run.assets[0].warnings).toEqual(warnings);
    const { stdout } = await project.dynpart(['runs', 'show', run.id]);
    expect(stdout).toContain('warning of check short: rather \\u001b[31mlong');
    const list = (await project.dynpart(['runs', 'list', '--limit', '2'])).stdout.split('\n');
    expect(list.slice(0, 2).map((line) => line.split('\t').at(-1))).toEqual(['1', '-']);
    const { stderr } = await project.dynpart(['materialize', 'value', '--key', 'a', '--verbose']);
    expect(stderr).toContain("check short of asset 'value' for a: rather \\u001b[31mlong");
    expect(stderr).toContain('1 run succeeded, 1 with warnings');
    expect((await project.dynpart(['state', 'check'])).code).toBe(0);
  });
});

it('checks that are no checks are named with all other problems', async () => {
  await using own = new Project({
    'pipeline.ts': `import { asset, definePipeline } from 'dynpart';
const one = asset({ name: 'one', materialize: () => 1, checks: 5 as any });
const two = asset({ name: 'two', materialize: () => 1, checks: { good: () => true, 'not one': 'x' as any, '': () => true } });
const three = asset({ name: 'three', materialize: () => 1, checks: [() => true] as any });
export default definePipeline({ assets: [one, two, three] });
`,
  });
  const { code, document } = await own.json(['check']);
  expect(code).toBe(2);
  const messages = document.problems.map(({ message }: { message: string }) => message).join('\n');
  for (const part of [
    "checks of asset 'one' must be",
    'not a number',
    "check 'not one' of asset 'two' must be a function",
    `checks of asset 'two' has "" as a name`,
    "checks of asset 'three' must be",
    'not an array',
  ])
    expect(messages).toContain(part);
});
