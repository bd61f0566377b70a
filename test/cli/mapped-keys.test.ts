/** What becomes of an asset of mapped keys while nobody can ask its function, and when somebody can again. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, mapKeys } from 'dynpart';
const hours = dynamicPartitions('hours');
const days = dynamicPartitions('days');
const hour = asset({ name: 'hour', partitions: hours, automate: 'missing', materialize: () => 1 });
const day = asset({ name: 'day', partitions: days, automate: 'missing',
  inputs: { hours: mapKeys(hour, (day) => [day + '-1', day + '-2'], { onMissing: 'skip' }) },
  materialize: ({ inputs }) => inputs.hours.size });
export default definePipeline({ assets: [hour, day] });
`;

let project: Project;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  await run('sensor', 'tick');
  await run('partitions', 'add', 'hours', 'mon-1', 'mon-2', 'tue-1');
  await run('partitions', 'add', 'days', 'mon', 'tue');
  // The hours, and then what is made of them.
  await run('sensor', 'tick');
  await run('sensor', 'tick');
});
afterEach(() => project[Symbol.asyncDispose]());

const run = (...args: readonly string[]) => runHere(project, args);
const stale = async (): Promise<readonly string[]> =>
  (await run('partitions', 'list', 'days', '--status', 'stale')).stdout.split('\n').slice(0, -1);

it('becomes stale with the next commit that loads the pipeline, and only for the keys that it names', async () => {
  expect(await stale()).toEqual([]);
  project.write({ 'pipeline.ts': 'this is no pipeline' });
  expect((await run('partitions', 'remove', 'hours', 'mon-2')).code).toBe(0);
  expect((await run('partitions', 'add', 'hours', 'wed-1')).code).toBe(0);
  expect(await stale()).toEqual([]);
  project.write({ 'pipeline.ts': PIPELINE });
  const { ticks } = JSON.parse((await run('sensor', 'tick', '--json')).stdout) as { ticks: unknown[] };
  expect(ticks).toMatchObject([{ runs: [{ partitionKey: 'wed-1' }] }]);
  expect(await stale()).toEqual(['mon']);
});

it('is a commit of its own where a tick brings nothing', async () => {
  project.write({ 'pipeline.ts': 'this is no pipeline' });
  await run('partitions', 'remove', 'hours', 'tue-1');
  project.write({ 'pipeline.ts': PIPELINE });
  const { ticks } = JSON.parse((await run('sensor', 'tick', '--json')).stdout) as { ticks: unknown[] };
  expect(ticks).toMatchObject([{ status: 'SKIPPED', runs: [] }]);
  expect(await stale()).toEqual(['tue']);
});
