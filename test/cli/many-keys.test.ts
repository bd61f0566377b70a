/** What commands say of assets that take many keys: what waits for what, why, and what changes it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { allKeys, asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const raw = asset({ name: 'raw', partitions: items, automate: 'stale', materialize: ({ partitionKey }) => {
  if (partitionKey === 'bad') throw new Error('no luck');
  return partitionKey.length;
} });
const totals = asset({ name: 'totals', inputs: { all: allKeys(raw, { onMissing: 'wait' }) }, automate: 'stale',
  async materialize({ inputs }) {
    let sum = 0;
    for await (const [, value] of inputs.all) sum += value;
    return sum;
  } });
const report = asset({ name: 'report', partitions: items, deps: [allKeys(raw)], materialize: () => 1 });
export default definePipeline({ assets: [raw, totals, report] });
`;

let project: Project;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  await run('sensor', 'tick');
  await run('partitions', 'add', 'items', 'a', 'bb', 'bad');
});
afterEach(() => project[Symbol.asyncDispose]());

const run = (...args: readonly string[]) => runHere(project, args);
const json = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await run(...args, '--json')).stdout) as Record<string, unknown>;

describe('what takes many keys', () => {
  it('waits for keys that are made before it, and then for those that are not there', async () => {
    expect(await json('why', 'totals')).toMatchObject({
      state: 'stale',
      reason: 'upstream',
      next: 'wait',
      text: `It waits for 3 keys of 'raw' that are made before it, from "a".`,
      waitsFor: [{ asset: 'raw', partitionKey: 'a', state: 'in progress', keys: 3 }],
      command: 'dynpart why raw --key a',
    });
    await run('sensor', 'tick');
    expect(await json('why', 'totals')).toMatchObject({
      next: 'wait',
      text: `It waits for 1 key of 'raw' that is not there, "bad".`,
      command: 'dynpart materialize raw --missing --failed',
    });
    expect((await run('status')).stdout).toMatch(/^totals\t-\t1\t1\t0\t0\t0\t1/m);
    project.write({ 'pipeline.ts': PIPELINE.replace("'bad'", "'worse'") });
    await run('materialize', 'raw', '--missing', '--failed');
    expect(await json('why', 'totals')).toMatchObject({
      next: 'make',
      text: 'The next tick makes it: what it is made from was made again.',
    });
    const tick = await json('sensor', 'tick', 'automation');
    expect(tick).toMatchObject({ ticks: [{ runs: [{ assets: ['totals'], partitionKey: null }] }] });
    expect((await run('value', 'show', 'totals')).stdout).toBe('6\n');
  });

  it('is counted as waiting by materialize, with exit code 0, and named with --verbose', async () => {
    const { code, stdout, stderr } = await run('materialize', 'totals', '--json', '--verbose');
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { runs: [], summary: { waiting: 1 } }]);
    expect(stderr).toContain(`asset 'totals' waits: 'raw' is not there for 3 keys, the first is "a"`);
    expect((await run('materialize', 'totals', '--dry-run')).stdout).toBe('');
  });

  it('is exit code 1 where its key was named and it was chosen by its state', async () => {
    const named = await run('materialize', 'report', '--key', 'a', '--missing', '--json');
    expect([named.code, JSON.parse(named.stdout)]).toMatchObject([1, { summary: { waiting: 1 } }]);
    const asked = await run('materialize', 'report', '--key', 'a', '--json');
    expect([asked.code, JSON.parse(asked.stdout)]).toMatchObject([
      1,
      { runs: [{ status: 'FAILURE', error: { code: 'upstream-missing' } }] },
    ]);
  });

  it('says of one that is not automated what it waits for', async () => {
    expect(await json('why', 'report', '--key', 'a')).toMatchObject({
      state: 'missing',
      next: 'wait',
      text: `It waits for 3 keys of 'raw' that are not there, from "a".`,
    });
    const { states } = await json('why', 'report');
    expect(states).toMatchObject([{ count: 3, next: 'wait' }]);
  });
});
