/** `dynpart assets mark`: what somebody says of keys, chosen as for `materialize`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const raw = asset({ name: 'raw', partitions: items, materialize: ({ partitionKey }) => partitionKey });
const sum = asset({ name: 'sum', partitions: items, inputs: { raw }, materialize: ({ inputs }) => inputs.raw + '!' });
const config = asset({ name: 'config', materialize: () => 1 });
export default definePipeline({ assets: [raw, sum, config] });
`;

let project: Project;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  await runHere(project, ['partitions', 'add', 'items', 'a', 'b', 'ab']);
});
afterEach(() => project[Symbol.asyncDispose]());

const run = (...args: readonly string[]) => runHere(project, args);

const mark = async (...args: readonly string[]) => {
  const { stdout, code } = await run('assets', 'mark', ...args, '--json');
  return { code, ...(JSON.parse(stdout) as Record<string, unknown>) };
};

/** `asset: materialized (stale) skipped missing`. */
async function counts(): Promise<string[]> {
  const { assets } = JSON.parse((await run('status', 'raw', 'sum', '--json')).stdout) as {
    assets: Record<string, number | string>[];
  };
  return assets.map(
    (one) => `${one['asset']}: ${one['materialized']} (${one['stale']}) ${one['skipped']} ${one['missing']}`,
  );
}

describe('assets mark', () => {
  it('takes for made what was made elsewhere, says that its value is not here, and makes stale what came of it', async () => {
    await run('materialize', '--key', 'a');
    await run('materialize', 'raw', '--key', 'b');
    await run('assets', 'mark', 'raw', '--as', 'missing', '--key', 'a');
    expect(await counts()).toEqual(['raw: 1 (0) 0 2', 'sum: 1 (0) 0 2']);
    const { stderr, code } = await run('assets', 'mark', 'raw', '--as', 'materialized', '--all', '-v');
    expect(code).toBe(0);
    expect(stderr).toContain('2 keys of raw marked as materialized; 1 key of raw materialized already');
    // That of a was left in its place.
    expect(stderr).toContain("warning: there is no value of 'raw' for 1 key here");
    expect(await counts()).toEqual(['raw: 3 (0) 0 0', 'sum: 1 (1) 0 2']);
    expect(JSON.parse((await run('value', 'show', 'raw', '--key', 'a')).stdout)).toBe('a');
  });

  it('changes nothing when it is said again', async () => {
    await run('materialize', '--key', 'a');
    expect(await mark('raw', '--as', 'materialized', '--key', 'a', '--key', 'b')).toEqual({
      code: 0,
      asset: 'raw',
      marked: ['b'],
      skipped: ['a'],
    });
    const before = project.state();
    expect(await mark('raw', '--as', 'materialized', '--key', 'b')).toMatchObject({
      marked: [],
      skipped: ['b'],
    });
    expect(project.state()).toEqual(before);
    expect(await counts()).toEqual(['raw: 2 (0) 0 1', 'sum: 1 (0) 0 2']);
  });

  it('deletes the value of what is skipped, also where it was killed before', async () => {
    await run('materialize', '--key', 'a');
    const file = '.dynpart/values/raw/a.json';
    expect(project.exists(file)).toBe(true);
    await mark('raw', '--as', 'skipped', '--key', 'a');
    expect(project.exists(file)).toBe(false);
    expect(await counts()).toEqual(['raw: 0 (0) 1 2', 'sum: 1 (1) 0 2']);
    expect((await run('value', 'show', 'raw', '--key', 'a')).stderr).toContain(
      `there is no value of asset 'raw' for key "a": it is skipped: there is nothing to make\n  why: dynpart why raw --key a;`,
    );
    project.write({ [file]: '"a"' });
    await mark('raw', '--as', 'skipped', '--key', 'a');
    expect(project.exists(file)).toBe(false);
  });

  it('chooses as materialize does, also by state, by their beginning and from standard input', async () => {
    await run('materialize', 'raw', '--key', 'b');
    expect(await mark('raw', '--as', 'skipped', '--missing', '--prefix', 'a', '--dry-run')).toMatchObject({
      marked: ['a', 'ab'],
    });
    expect(await counts()).toEqual(['raw: 1 (0) 0 2', 'sum: 0 (0) 0 3']);
    // Its upstream is missing: that keeps nobody from having made it elsewhere.
    expect(await mark('sum', '--as', 'materialized', '--missing', '--prefix', 'ab')).toMatchObject({
      marked: ['ab'],
    });
    const { stdout } = await runHere(
      project,
      ['assets', 'mark', 'raw', '--as', 'missing', '--keys-from', '-', '--dry-run'],
      { input: 'b\n' },
    );
    expect(stdout).toBe('b\n');
    expect(await mark('config', '--as', 'materialized')).toMatchObject({ marked: [null], skipped: [] });
    expect(await mark('config', '--as', 'materialized')).toMatchObject({ marked: [], skipped: [null] });
  });

  it('leaves out and says what is in progress', async () => {
    await run('materialize', 'raw', '--key', 'a', '--no-run');
    expect(await mark('raw', '--as', 'materialized', '--all')).toMatchObject({
      marked: ['b', 'ab'],
      skipped: ['a'],
    });
    expect((await run('assets', 'mark', 'raw', '--as', 'skipped', '--key', 'a')).stderr).toContain(
      '1 key of raw in progress, left out',
    );
  });

  it('refuses a key that is not there with the nearest ones, and applies nothing', async () => {
    const before = project.state();
    const refused = await mark('raw', '--as', 'missing', '--key', 'a', '--key', 'abc');
    expect(refused).toMatchObject({ code: 2, error: { code: 'unknown-key' } });
    expect((refused as unknown as { error: { hint: string } }).error.hint).toContain('did you mean "ab"');
    expect(await mark('rwa', '--as', 'missing', '--all')).toMatchObject({
      code: 2,
      error: { code: 'unknown-asset' },
    });
    expect(await mark('raw', '--as', 'missing')).toMatchObject({ code: 2, error: { code: 'usage' } });
    expect(await mark('raw', '--as', 'missing', '--key', 'a', '--all')).toMatchObject({ code: 2 });
    expect(await mark('raw', '--as', 'made', '--all')).toMatchObject({ code: 2, error: { code: 'usage' } });
    expect(await mark('raw', '--all')).toMatchObject({ code: 2, error: { code: 'usage' } });
    expect(project.state()).toEqual(before);
  });
});
