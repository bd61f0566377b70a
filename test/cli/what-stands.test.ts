/** What is on record stands until it is replaced: a failure after it, or another set for its asset, does not take it away. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { processTag } from '../../src/files/process-owner.ts';
import { runHere } from '../support/in-process.ts';
import { Project, type RunResult } from '../support/project.ts';

/** `source` makes what is in a file, or fails where that says so; `copy` depends on it. */
const PIPELINE = `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions('things');
const text = () => fs.readFileSync(new URL('text', import.meta.url), 'utf8');
const source = asset({
  name: 'source',
  partitions: things,
  materialize() {
    if (text() === 'broken') throw new Error('there is nothing to fetch');
    return text();
  },
});
const copy = asset({ name: 'copy', partitions: things, inputs: { source }, materialize: ({ inputs }) => inputs.source });
export default definePipeline({ assets: [source, copy] });
`;

interface Row {
  readonly asset: string;
  readonly materialized: number;
  readonly failed: number;
  readonly missing: number;
}

async function statusOf(project: Project): Promise<string[]> {
  const { stdout } = await runHere(project, ['status', '--json']);
  return (JSON.parse(stdout) as { assets: Row[] }).assets.map(
    ({ asset, materialized, failed, missing }) => `${asset} ${materialized} ${failed} ${missing}`,
  );
}

async function does(project: Project, args: readonly string[], code: number): Promise<RunResult> {
  const result = await runHere(project, args);
  expect(result, result.stderr).toMatchObject({ code });
  return result;
}

describe('a value that was made', () => {
  it.each([
    ['worker', '--once'],
    ['materialize', '--missing'],
  ])(
    'takes its place when its process was killed before that, by the next `%s %s`, also where there is nothing to do',
    async (...args) => {
      await using project = new Project({ 'pipeline.ts': PIPELINE, text: 'one' });
      await does(project, ['partitions', 'add', 'things', 'k'], 0);
      await does(project, ['materialize', '--all'], 0);
      const { stdout } = await runHere(project, ['runs', 'list', '--json']);
      const [{ id: run }] = (JSON.parse(stdout) as { runs: [{ id: string }] }).runs;
      const place = project.path('.dynpart/values/copy/k.json');
      fs.renameSync(place, `${place}~${run}`);
      const gone = `4194999-1-${processTag().split('-')[2]!}`;
      const staged = { run, asset: 'copy', key: 'k', file: place };
      project.write({ [`.dynpart/values/.tmp/${gone}`]: `${JSON.stringify(staged)}\n` });
      await does(project, args, 0);
      expect(JSON.parse(fs.readFileSync(place, 'utf8'))).toBe('one');
      expect(fs.readdirSync(path.dirname(place))).toEqual(['k.json']);
    },
  );

  it('is there for what depends on it after a later run has failed, which is counted', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, text: 'one' });
    await does(project, ['partitions', 'add', 'things', 'k', 'new'], 0);
    await does(project, ['materialize', 'source', '--key', 'k'], 0);
    project.write({ text: 'broken' });
    await does(project, ['materialize', 'source', '--all'], 1);
    expect(await statusOf(project)).toEqual(['source 0 2 0', 'copy 0 0 2']);
    // Only what has nothing above it waits.
    const { stderr } = await does(project, ['materialize', 'copy', '--missing', '--verbose'], 0);
    expect(stderr).toContain('new');
    expect(await statusOf(project)).toEqual(['source 0 2 0', 'copy 1 0 1']);
    await does(project, ['materialize', 'copy', '--key', 'k'], 0);
    expect(JSON.parse(project.read('.dynpart/values/copy/k.json'))).toBe('one');
    project.write({ text: 'two' });
    await does(project, ['materialize', '--failed'], 0);
    expect(await statusOf(project)).toEqual(['source 2 0 0', 'copy 2 0 0']);
  });

  it('is on record when its asset comes back to the set that it had', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, text: 'one' });
    const moved = PIPELINE.replaceAll('partitions: things', 'partitions: others').replace(
      'const text',
      "const others = dynamicPartitions('others');\nconst text",
    );
    await does(project, ['partitions', 'add', 'things', 'a', 'b'], 0);
    await does(project, ['materialize', '--all'], 0);
    project.write({ 'pipeline.ts': moved });
    await does(project, ['partitions', 'add', 'others', 'x'], 0);
    await does(project, ['materialize', '--all'], 0);
    expect(await statusOf(project)).toEqual(['source 1 0 0', 'copy 1 0 0']);
    // What was made in the other set follows its keys all the same.
    await does(project, ['partitions', 'remove', 'things', 'a'], 0);
    await does(project, ['state', 'check'], 0);
    project.write({ 'pipeline.ts': PIPELINE });
    await does(project, ['partitions', 'add', 'things', 'c'], 0);
    expect(await statusOf(project)).toEqual(['source 1 0 1', 'copy 1 0 1']);
  });
});
