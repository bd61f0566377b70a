/** A state that was named where not even a folder is: read as one of nothing, and said. */
import { expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const letters = dynamicPartitions('letters');
const upper = asset({ name: 'upper', partitions: letters, materialize: () => 1 });
const none = sensor({ name: 'none', assets: [upper], evaluate: () => ({ skipReason: 'nothing' }) });
export default definePipeline({ assets: [upper], sensors: [none] });
`;

const said = (project: ProjectHere): string =>
  `warning: there is no state in ${project.path('tpyo/x.json')}, and no such folder: check the path given with --state or DYNPART_STATE\n`;

it.each([
  'status',
  'partitions list',
  'partitions list letters',
  'runs list',
  'sensor list',
  'sensor history none',
  'sensor tick --dry-run',
  'materialize --missing --dry-run',
  'why upper',
  'assets list',
  'state check',
  'state export',
  'worker --once',
])('`%s` says so, with what it says else, and makes no folder', async (command) => {
  await using project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  const args = command.split(' ');
  const { stdout, code } = await project.dynpart(args);
  for (const [given, env] of [
    [['--state', 'tpyo/x.json'], {}],
    [[], { DYNPART_STATE: 'tpyo/x.json' }],
  ] as const) {
    const named = await project.dynpart([...args, ...given], { env });
    expect([named.code, named.stdout]).toEqual([code, stdout]);
    expect(named.stderr).toContain(said(project));
    expect(named.stderr.split('warning: ')).toHaveLength(2);
  }
  expect((await project.dynpart([...args, '--state', 'tpyo/x.json', '-q'])).stderr).not.toContain('warning');
  expect(project.exists('tpyo')).toBe(false);
});

it('nothing is said of a place that is there, of the usual one, and by what makes one', async () => {
  await using project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  for (const place of ['x.json', '.dynpart/state.json', '.dynpart/other.json'])
    expect((await project.dynpart(['runs', 'list', '--state', place])).stderr).not.toContain('warning');
  expect((await project.dynpart(['runs', 'list'])).stderr).not.toContain('warning');
  const add = await project.dynpart(['partitions', 'add', 'letters', 'a', '--state', 'new/x.json']);
  expect([add.code, add.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
  const again = await project.dynpart(['partitions', 'list', 'letters', '--state', 'new/x.json']);
  expect([again.stdout, again.stderr]).toEqual(['a\n', '']);
});

it('a worker says so before it waits', async () => {
  await using project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  const worker = project.start(['worker', '--state', 'tpyo/x.json']);
  await worker.saw(said(project));
  worker.process.kill('SIGTERM');
  expect((await worker.done).code).toBe(0);
});
