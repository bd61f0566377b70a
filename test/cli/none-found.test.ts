/** A filter that fits nothing: each command says what was asked for, and the next command. In cron it says nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { Project } from '../support/project.ts';

let project: Project;
beforeAll(async () => {
  project = new Project({
    'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const keys = dynamicPartitions('keys');
const raw = asset({ name: 'raw', partitions: keys, materialize: () => 1 });
export default definePipeline({ assets: [raw] });
`,
  });
  const run = async (...args: string[]): Promise<void> => {
    expect((await on(true, ...args)).code).toBe(0);
  };
  expect((await on(true, 'runs', 'list')).stderr).toBe(
    'no runs yet; what there is to make: dynpart status\n',
  );
  await run('partitions', 'add', 'keys', 'k1', 'k2');
  await run('materialize', 'raw', '--all');
});
afterAll(() => project[Symbol.asyncDispose]());

function on(isTerminal: boolean, ...args: string[]): Promise<Ran> {
  const terminal = new CapturedTerminal({
    isTerminal,
    cwd: project.folder,
    env: { NO_COLOR: '1', HOME: project.folder, XDG_CACHE_HOME: project.path('.cache') },
  });
  return runOn(terminal, args, systemClock);
}

const ALL = 'all of them: dynpart partitions list keys; what they are: dynpart status';

it.each([
  [['partitions', 'list', 'keys', '--status', 'failed'], `none of 2 keys is failed; ${ALL}`],
  [
    ['partitions', 'list', 'keys', '--status', 'missing', '--asset', 'raw', '--prefix', 'z'],
    `none of 2 keys is missing for raw and begins with "z"; ${ALL}`,
  ],
  [['partitions', 'list', 'keys', '--after', 'k2'], `none of 2 keys comes after "k2"; ${ALL}`],
  [
    ['runs', 'list', '--status', 'FAILURE', '--key=-x y'],
    `no run with --status FAILURE --key='-x y'; all of them: dynpart runs list`,
  ],
  [
    ['runs', 'retry', '--status', 'FAILURE'],
    'nothing to retry; what failed: dynpart runs list --status FAILURE',
  ],
  [['runs', 'cancel', '--status', 'QUEUED'], 'no run to cancel; what is queued or started: dynpart status'],
  [['materialize', '--failed'], 'nothing to do; what there is: dynpart status'],
  [['materialize', '--failed', '--dry-run'], 'nothing to do; what there is: dynpart status'],
  [
    ['assets', 'mark', 'raw', '--as', 'missing', '--failed'],
    'no key of raw is meant: nothing to mark; what there is: dynpart status raw',
  ],
])('%j is named, with the next command', async (args, says) => {
  expect(await on(true, ...args)).toEqual({ code: 0, stdout: '', stderr: `${says}\n` });
  expect(await on(false, ...args)).toEqual({ code: 0, stdout: '', stderr: '' });
});

it('a pipeline with several problems is told in a sentence, with the command that names them', async () => {
  await using other = new Project({
    'pipeline.ts': `import { asset, definePipeline } from 'dynpart';
export default definePipeline({ assets: [asset({ name: 'raw', materialize: () => 1 })] });
`,
  });
  await other.dynpart(['materialize', 'raw']);
  other.write({
    'pipeline.ts': `import { asset, definePipeline } from 'dynpart';
export default definePipeline({ assets: [asset({ name: 'raw', nme: 1, timeoutMs: 0, materialize: () => 1 })] });
`,
  });
  const { code, stderr } = await other.dynpart(['status', 'raw']);
  expect([code, stderr]).toEqual([
    0,
    `warning: ${other.path('pipeline.ts')} has 2 problems; using the names that the state remembers: dynpart check\n`,
  ]);
});
