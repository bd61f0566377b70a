/** `dynpart partitions show`: of one key, where each asset stands, and what made it so. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
import { existsSync } from 'node:fs';
const items = dynamicPartitions('items');
const raw = asset({ name: 'raw', partitions: items, materialize: ({ addMetadata }) => { addMetadata({ rows: 2 }); return 1; } });
const sum = asset({ name: 'sum', partitions: items, inputs: { raw }, materialize: () => {
  if (existsSync(import.meta.dirname + '/bad')) throw new Error('no luck');
  return 2;
} });
const other = asset({ name: 'other', partitions: items, materialize: () => undefined });
export default definePipeline({ assets: [raw, sum, other] });
`;

interface Shown {
  readonly addedAt: string;
  readonly assets: readonly Record<string, unknown>[];
}

let project: Project;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE, bad: '' });
  await runHere(project, ['partitions', 'add', 'items', 'a', 'ab', '--', '-x']);
  await runHere(project, ['materialize', 'raw', 'sum', '--key', 'a']);
});
afterEach(() => project[Symbol.asyncDispose]());

const show = async (key: string): Promise<Shown> =>
  JSON.parse((await runHere(project, ['partitions', 'show', 'items', key, '--json'])).stdout) as Shown;

const on = (key: readonly string[]): Promise<Ran> =>
  runOn(
    new CapturedTerminal({ isTerminal: true, cwd: project.folder, env: { NO_COLOR: '1' } }),
    ['partitions', 'show', 'items', ...key],
    systemClock,
  );

describe('partitions show', () => {
  it('says per asset the state, since when, the run, the error and the file of the value', async () => {
    const { runs } = JSON.parse((await runHere(project, ['runs', 'list', '--json'])).stdout) as {
      runs: [{ id: string; finishedAt: string }];
    };
    const [run] = runs;
    const shown = await show('a');
    expect(shown).toEqual({
      set: 'items',
      key: 'a',
      addedAt: shown.addedAt,
      version: null,
      item: null,
      assets: [
        {
          asset: 'raw',
          state: 'materialized',
          reason: null,
          since: run.finishedAt,
          sinceNote: null,
          retryAt: null,
          error: null,
          metadata: { rows: 2 },
          warnings: [],
          run,
          value: project.path('.dynpart/values/raw/a.json'),
        },
        {
          asset: 'sum',
          state: 'failed',
          reason: null,
          since: run.finishedAt,
          sinceNote: null,
          retryAt: null,
          error: { code: 'asset-threw', message: expect.stringContaining('no luck'), hint: null },
          metadata: {},
          warnings: [],
          run,
          value: null,
        },
        {
          asset: 'other',
          state: 'missing',
          reason: null,
          since: shown.addedAt,
          sinceNote: null,
          retryAt: null,
          error: null,
          metadata: {},
          warnings: [],
          run: null,
          value: null,
        },
      ],
    });
  });

  it('keeps what was made beside a later failure, and shows no run of an earlier life of the key', async () => {
    fs.rmSync(project.path('bad'));
    await runHere(project, ['materialize', 'sum', '--key', 'a']);
    project.write({ bad: '' });
    await runHere(project, ['materialize', 'sum', '--key', 'a']);
    const [, sum] = (await show('a')).assets;
    expect(sum).toMatchObject({ state: 'failed', error: { code: 'asset-threw' } });
    expect(sum!['value']).toBe(project.path('.dynpart/values/sum/a.json'));
    await runHere(project, ['partitions', 'remove', 'items', 'a']);
    await new Promise((resolve) => setTimeout(resolve, 2));
    await runHere(project, ['partitions', 'add', 'items', 'a']);
    const again = await show('a');
    for (const asset of again.assets)
      expect(asset).toMatchObject({ state: 'missing', since: again.addedAt, run: null, value: null });
  });

  it('tells a key from those that begin with it, and works while the pipeline is broken', async () => {
    project.write({ 'pipeline.ts': 'export default broken(' });
    expect((await show('ab')).assets).toMatchObject([{ state: 'missing' }, { state: 'missing' }, {}]);
    const text = await runHere(project, ['partitions', 'show', 'items', 'a']);
    expect(text.code).toBe(0);
    const [raw, sum] = text.stdout.split('\n').map((line) => line.split('\t'));
    expect(raw).toEqual([
      'raw',
      'materialized',
      expect.any(String),
      expect.any(String),
      expect.any(String),
      '-',
      '-',
    ]);
    expect([sum!.length, sum![1], sum![5]]).toEqual([7, 'failed', expect.stringContaining('no luck')]);
  });

  it('says since when it is stale where a run tells, and else why it does not', async () => {
    fs.rmSync(project.path('bad'));
    await runHere(project, ['materialize', 'sum', '--key', 'a']);
    const again = await runHere(project, ['materialize', 'raw', '--key', 'a', '--json']);
    const [run] = (JSON.parse(again.stdout) as { runs: [{ finishedAt: string }] }).runs;
    const stale = { state: 'stale', reason: 'upstream', since: run.finishedAt, sinceNote: null };
    expect((await show('a')).assets[1]).toMatchObject(stale);
    const why = await runHere(project, ['why', 'sum', '--key', 'a', '--json']);
    expect(JSON.parse(why.stdout)).toMatchObject(stale);
    expect((await on(['a'])).stdout).toMatch(/\nsum: stale \(upstream\) for \d+ s\n/);
    await runHere(project, ['partitions', 'add', 'items', 'a', '--version', '2']);
    const sinceNote = 'when its key got another version is not on record';
    expect((await show('a')).assets[0]).toMatchObject({ state: 'stale', since: null, sinceNote });
    expect((await on(['a'])).stdout).toContain(`\nraw: stale (version)\n  ${sinceNote}\n`);
    const terminal = new CapturedTerminal({ isTerminal: true, cwd: project.folder, env: { NO_COLOR: '1' } });
    expect((await runOn(terminal, ['why', 'raw', '--key', 'a'])).stdout).toContain(
      `\nsince when: ${sinceNote}\n`,
    );
    await runHere(project, ['assets', 'mark', 'other', '--as', 'materialized', '--key', 'a']);
    expect((await show('a')).assets[2]).toMatchObject({
      state: 'materialized',
      since: null,
      sinceNote: expect.stringContaining('marked by hand') as unknown,
    });
  });

  it('says what the key carries, and why what was made is stale', async () => {
    await runHere(project, ['partitions', 'add', 'items', 'v', '--version', '1', '--item', '{"n":1}']);
    await runHere(project, ['materialize', 'raw', '--key', 'v']);
    expect((await show('v')).assets[0]).toMatchObject({ state: 'materialized', reason: null });
    await runHere(project, ['partitions', 'add', 'items', 'v', '--version', '2']);
    const shown = await show('v');
    expect(shown).toMatchObject({ version: '2', item: { n: 1 } });
    expect(shown.assets[0]).toMatchObject({
      state: 'stale',
      reason: 'version',
      since: null,
      metadata: { rows: 2 },
    });
    const { stdout, stderr } = await on(['v']);
    expect(stdout).toContain('version  2\nitem     {"n":1}\n');
    expect(stdout).toContain('raw: stale (version)\n');
    expect(stderr).toContain('make what is stale: dynpart materialize raw --key v\n');
  });

  it('leads to the runs, which say how long they took and who asked', async () => {
    await runHere(project, ['runs', 'retry', '--status', 'FAILURE']);
    const { stdout } = await runHere(project, ['runs', 'list', '--key', 'a']);
    const columns = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(columns.map((of) => [of.length, of[1], of[6]])).toEqual([
      [7, 'FAILURE', 'retry'],
      [7, 'FAILURE', 'materialize'],
    ]);
    for (const of of columns) expect(of[5]).toMatch(/^\d+\.\d s$/);
  });

  it('shows a person what to do about it', async () => {
    const { stdout, stderr } = await on(['a']);
    expect(stdout).toMatch(/^key {6}a\nset {6}items\nadded {4}\S+/);
    expect(stdout).toMatch(/\nraw: materialized \d+ s ago\n {2}rows: 2\n {2}run \S+: FAILURE\n {2}value \//);
    expect(stdout).toMatch(/\nsum: failed \d+ s ago\n {2}asset 'sum' for key "a" threw: no luck\n/);
    expect(stderr).toMatch(
      /^try again: dynpart materialize sum --key a\nwhat it printed: dynpart runs logs \S+$/m,
    );
    expect(stderr).toContain('make what is missing: dynpart materialize other --key a\n');
    expect(stderr).toContain('earlier runs: dynpart runs list --key a\n');
    expect((await on(['--', '-x'])).stderr).toContain('dynpart materialize raw sum other --key=-x\n');
  });

  it('says that a key or set is not there, and which is near', async () => {
    for (const [words, code, hint] of [
      ['items acc', 'unknown-key', 'dynpart partitions add items KEY'],
      ['item a', 'unknown-set', 'did you mean "items"'],
    ] as const) {
      const { document, code: exit } = await project.json(['partitions', 'show', ...words.split(' ')]);
      expect([exit, document.error.code]).toEqual([2, code]);
      expect(document.error.hint).toContain(hint);
    }
  });
});
