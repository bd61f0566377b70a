/** What the pipeline is made of is committed by commands that load it to do something, also where nothing else is to be committed. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const pipelineOf = (asset: string): string => `
  import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
  const made = asset({ name: '${asset}', partitions: dynamicPartitions('s'), materialize: () => 1 });
  const idle = sensor({ name: 'idle', minimumIntervalSeconds: 1, evaluate: () => ({}) });
  const broken = sensor({
    name: 'broken',
    defaultStatus: 'stopped',
    evaluate: () => {
      throw new Error('no');
    },
  });
  export default definePipeline({ assets: [made], sensors: [idle, broken] });`;

let project: Project;

beforeEach(async () => {
  project = new Project({ 'pipeline.ts': pipelineOf('before') });
  expect(await runHere(project, ['sensor', 'cursor', 'idle', '--set', 'here'])).toMatchObject({ code: 0 });
  project.write({ 'pipeline.ts': pipelineOf('after') });
});
afterEach(() => project[Symbol.asyncDispose]());

const remembered = (): string[] => project.state().pipeline.assets.map(({ name }: { name: string }) => name);

it.each([
  [['sensor', 'tick']],
  [['sensor', 'tick', '--due']],
  [['sensor', 'tick', '--no-run']],
  [['materialize', '--missing']],
  [['materialize', '--missing', '--no-run']],
  [['materialize', 'after', '--failed']],
  [['worker', '--once']],
])('%j commits them, once', async (args) => {
  const { serial } = project.state();
  expect(remembered()).toEqual(['before']);
  expect(await runHere(project, args)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(remembered()).toEqual(['after']);
  expect(project.state().serial).toBe(serial + 1);
  const bytes = project.stateBytes();
  await runHere(project, args);
  expect(project.stateBytes()).toBe(bytes);
});

it('a tick that found nothing stays SKIPPED, and one that failed stays failed', async () => {
  const { stdout } = await runHere(project, ['sensor', 'tick', 'idle', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ ticks: [{ status: 'SKIPPED' }] });
  project.write({ 'pipeline.ts': pipelineOf('last') });
  expect(await runHere(project, ['sensor', 'tick', 'broken'])).toMatchObject({ code: 3 });
  expect(remembered()).toEqual(['last']);
});

it('a watch commits them when it begins', async () => {
  const watch = project.start(['sensor', 'watch', '--json']);
  await watch.saw('"tick"');
  expect(remembered()).toEqual(['after']);
  watch.process.kill('SIGTERM');
  expect(await watch.done).toMatchObject({ code: 0 });
});

it.each([
  [['sensor', 'tick', '--dry-run']],
  [['materialize', '--missing', '--dry-run']],
  [['status']],
  [['partitions', 'list']],
  [['sensor', 'list']],
  [['runs', 'list']],
  [['assets', 'list']],
  [['check']],
])('%j only reads', async (args) => {
  const bytes = project.stateBytes();
  expect(await runHere(project, args)).toMatchObject({ code: 0 });
  expect(project.stateBytes()).toBe(bytes);
});

it('a file that was touched, and says the same, is no change', async () => {
  await runHere(project, ['sensor', 'tick']);
  const bytes = project.stateBytes();
  project.write({ 'pipeline.ts': `${pipelineOf('after')}\n// the same` });
  await runHere(project, ['sensor', 'tick']);
  expect(project.stateBytes()).toBe(bytes);
});
