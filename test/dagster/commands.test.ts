/** Dagster's acceptance cases for its command line and its API, by their numbers in docs/coming-from-dagster.md. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { binary, Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const foo = dynamicPartitions('foo');
const bar = dynamicPartitions('bar');
const plain = asset({ name: 'plain', materialize: () => 1 });
const ofFoo = asset({ name: 'of-foo', partitions: foo, materialize: ({ partitionKey }) => {
  if (partitionKey === 'bad') throw new Error('womp womp');
} });
const ofBar = asset({ name: 'of-bar', partitions: bar, materialize: () => 1 });
const probe = sensor({ name: 'probe', assets: [ofFoo], defaultStatus: 'stopped', evaluate: ({ cursor }) => ({
  cursor: String(Number(cursor ?? 0) + 1),
  dynamicPartitionsRequests: [foo.buildAddRequest(['FOO'])],
  runRequests: [{ partitionKey: 'FOO' }],
}) });
export default definePipeline({ assets: [plain, ofFoo, ofBar], sensors: [probe] });
`;

let project: Project;
beforeEach(() => {
  project = new Project({ 'pipeline.ts': PIPELINE });
});
afterEach(() => project[Symbol.asyncDispose]());

interface Answer {
  readonly code: number | null;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  readonly document: any;
}

const ask = async (line: string): Promise<Answer> => {
  const { code, stdout } = await runHere(project, [...line.split(' '), '--json']);
  return { code, document: JSON.parse(stdout) };
};
/** Exit code and error code. */
const refused = async (line: string): Promise<unknown> => {
  const { code, document } = await ask(line);
  return [code, document.error?.code];
};

describe('materialize', () => {
  it('Dagster 48: says what is to be chosen, and where a pipeline is looked for', async () => {
    expect(await refused('materialize')).toEqual([2, 'usage']);
    expect((await ask('materialize')).document.error.hint).toMatch(/--missing/);
    fs.rmSync(project.path('pipeline.ts'));
    expect(await refused('materialize plain')).toEqual([2, 'pipeline-not-found']);
  });

  it('Dagster 49: wants a key where there are keys, and none where there are none', async () => {
    expect(await refused('materialize plain --key a')).toEqual([2, 'usage']);
    expect(await refused('materialize of-foo')).toEqual([2, 'usage']);
  });

  it('Dagster 50: takes one way of choosing, not two that contradict each other', async () => {
    expect(await refused('materialize of-foo --all --key a')).toEqual([2, 'usage']);
  });

  it('Dagster 51: refuses an asset that is not there, and assets of two sets for one key; a failing one is exit code 1', async () => {
    expect(await refused('materialize nope')).toEqual([2, 'unknown-asset']);
    await ask('partitions add foo a');
    expect(await refused('materialize of-foo of-bar --key a')).toEqual([2, 'asset-without-key']);
    expect(await refused('materialize of-foo plain --key a')).toEqual([2, 'asset-without-key']);
    const { code, document } = await ask('materialize of-foo --key bad --add');
    expect([code, document.summary.failed]).toEqual([1, 1]);
  });
});

describe('sensors', () => {
  it('Dagster 52: are listed, started and stopped, also twice, and by name', async () => {
    const status = async (): Promise<string> => (await ask('sensor list')).document.sensors[0].status;
    expect(await status()).toBe('STOPPED');
    for (let time = 0; time < 2; time++)
      expect(await ask('sensor start probe')).toEqual({
        code: 0,
        document: { sensor: 'probe', status: 'RUNNING' },
      });
    expect(await status()).toBe('RUNNING');
    await ask('sensor stop probe');
    expect(await status()).toBe('STOPPED');
    expect(await refused('sensor start')).toEqual([2, 'usage']);
    expect(await refused('sensor start nope')).toEqual([2, 'unknown-sensor']);
  });

  it('Dagster 53: are tried without consequences, and their cursor is set and cleared', async () => {
    const tried = (await ask('sensor tick probe --dry-run')).document.ticks[0];
    expect(tried).toMatchObject({
      cursor: { before: null, after: '1' },
      partitions: [{ added: ['FOO'] }],
      runs: [{ id: null, partitionKey: 'FOO' }],
    });
    expect((await ask('partitions list foo')).document.keys).toEqual([]);
    expect((await ask('sensor cursor probe --set 41')).document).toEqual({ sensor: 'probe', cursor: '41' });
    expect((await ask('sensor tick probe')).document.ticks[0].cursor).toEqual({ before: '41', after: '42' });
    expect((await ask('sensor cursor probe --clear')).document).toEqual({ sensor: 'probe', cursor: null });
    expect(await refused('sensor cursor probe --set 1 --clear')).toEqual([2, 'usage']);
  });

  it('Dagster 30: may have a key added by a program of theirs before they request its run', async () => {
    project.write({
      'fruits.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const fruits = dynamicPartitions('fruits');
const made = asset({ name: 'made', partitions: fruits, materialize: () => 1 });
export default definePipeline({ assets: [made], sensors: [sensor({ name: 'market', assets: [made], async evaluate({ exec }) {
  await exec(process.execPath, [${JSON.stringify(binary)}, '-f', 'fruits.ts', 'partitions', 'add', 'fruits', 'apple'], { cwd: ${JSON.stringify(project.folder)} });
  return { runRequests: [{ partitionKey: 'apple' }] };
} })] });`,
    });
    const { code, stdout } = await project.dynpart(['-f', 'fruits.ts', 'sensor', 'tick', '--json']);
    expect([code, JSON.parse(stdout).ticks[0].runs]).toMatchObject([
      0,
      [{ partitionKey: 'apple', status: 'SUCCESS' }],
    ]);
  });

  it('Dagster 38: past ticks go by their age and number, as the pipeline says', async () => {
    project.write({
      'pipeline.ts': PIPELINE.replace(
        'sensors: [probe] }',
        'sensors: [probe], history: { days: 7, ticks: 2 } }',
      ),
    });
    expect(await refused('check')).toEqual([0, undefined]);
    for (let tick = 0; tick < 9; tick++) await ask('sensor tick probe');
    // At least so many are kept, and at most a third more.
    const { ticks } = (await ask('sensor history probe')).document;
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThan(9);
    expect(ticks[0].cursor.after).toBe('9');
  });

  it('Dagster 40: of one name in two pipeline files of one folder have cursors and run keys of their own', async () => {
    const other = PIPELINE.replace("{ partitionKey: 'FOO' }", "{ partitionKey: 'FOO', runKey: 'one' }");
    project.write({ 'pipeline.ts': other, 'other.ts': other });
    for (const file of ['pipeline.ts', 'other.ts'])
      expect((await ask(`-f ${file} sensor tick probe`)).document.ticks[0]).toMatchObject({
        cursor: { before: null, after: '1' },
        runs: [{ partitionKey: 'FOO', status: 'SUCCESS' }],
        skippedRunKeys: [],
      });
  });
});

it('Dagster 54: adding twice is no error and says so; a set that is not there is one', async () => {
  expect((await ask('partitions add foo bar')).document.added).toEqual(['bar']);
  expect(await ask('partitions add foo bar')).toMatchObject({
    code: 0,
    document: { added: [], skipped: ['bar'] },
  });
  expect(await refused('partitions add nope bar')).toEqual([2, 'unknown-set']);
});

it.skipIf(process.getuid?.() === 0)(
  'Dagster 54: who may only read may look, and changes nothing (not as root)',
  async () => {
    await ask('partitions add foo bar');
    fs.chmodSync(project.path('.dynpart'), 0o500);
    expect(await refused('partitions add foo more')).toEqual([5, 'state-io']);
    expect((await ask('partitions list foo')).document.keys).toHaveLength(1);
    fs.chmodSync(project.path('.dynpart'), 0o700);
  },
);
