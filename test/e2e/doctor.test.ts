/** `dynpart doctor`: each thing that it looks at, well and ill, and nothing left behind by the looking. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CapturedTerminal, runOn } from '../support/captured-terminal.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ProjectHere } from '../support/in-process.ts';
import { type Project, type RunOptions } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const slow = asset({ name: 'slow', partitions: items, materialize: async () => {
  console.error('begun');
  await new Promise((done) => setTimeout(done, 600_000));
} });
export default definePipeline({ assets: [slow] });
`;

let project: Project;
beforeEach(async () => {
  project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  await project.dynpart(['partitions', 'add', 'items', 'a', 'b']);
});
afterEach(() => project[Symbol.asyncDispose]());

interface Told {
  readonly status: string;
  readonly message: string;
  readonly hint: string | null;
}

/** What it says of one thing, and the exit code of all. */
async function told(
  name: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<[number | null, Told]> {
  const { code, document } = await project.json(['doctor', ...args], options);
  const found = document.checks.filter((check: { name: string }) => check.name === name);
  expect(found, JSON.stringify(document)).toHaveLength(1);
  expect(document.ok).toBe(document.checks.every((check: Told) => check.status !== 'failure'));
  return [code, found[0]];
}

const everything = (): string[] =>
  (fs.readdirSync(project.folder, { recursive: true }) as string[]).toSorted();

/** What it says of one thing at another time. */
async function on(name: string, now: number): Promise<Told> {
  const terminal = new CapturedTerminal({ cwd: project.folder, env: { HOME: project.folder } });
  const { stdout } = await runOn(terminal, ['doctor', '--json'], new FakeClock(now));
  return JSON.parse(stdout).checks.find((check: { name: string }) => check.name === name);
}

const noMounts =
  spawnSync('unshare', ['-m', 'sh', '-c', 'mount --bind /proc/self/stat /proc/self/stat']).status !== 0;

describe('doctor', () => {
  it.skipIf(noMounts)(
    'finds a state file that is a mount of its own, over which no commit goes',
    async () => {
      const file = project.path('.dynpart/state.json');
      fs.copyFileSync(file, project.path('mounted.json'));
      const within = ['unshare', '-m', 'sh', '-c', `mount --bind mounted.json '${file}' && exec "$@"`, 'sh'];
      const [code, { status, message, hint }] = await told('state', [], { within });
      expect([code, status]).toEqual([5, 'failure']);
      expect(message).toContain('is a mount of its own');
      expect(hint).toContain('mount the folder');
    },
  );

  it('finds nothing where all is well, and leaves nothing behind', async () => {
    const before = [everything(), project.stateBytes()];
    const { code, document } = await project.json(['doctor', '-f', project.path('pipeline.ts')]);
    expect(document.checks.filter(({ status }: Told) => status === 'failure')).toEqual([]);
    expect([code, document.ok]).toEqual([0, true]);
    expect(document.checks.map((check: { name: string }) => check.name)).toEqual([
      'node',
      'dynpart',
      'pipeline',
      'cron',
      'file system',
      'permissions',
      'disk space',
      'state',
      'claims',
      'clock',
      'size',
    ]);
    expect([everything(), project.stateBytes()]).toEqual(before);
  });

  it('says one thing a line in a pipe: status, name, message, and the way to mend it', async () => {
    fs.chmodSync(project.path('.dynpart'), 0o777);
    const { code, stdout } = await project.dynpart(['doctor']);
    const line = stdout.split('\n').find((one) => one.includes('\tpermissions\t'));
    expect([code, line]).toEqual([
      0,
      `warning\tpermissions\tevery user of this machine can write to ${project.path('.dynpart')}, and so decide what dynpart takes for done\tclose it: chmod o-w ${project.path('.dynpart')}`,
    ]);
    fs.chmodSync(project.path('.dynpart'), 0o1777);
    expect((await project.dynpart(['doctor'])).stdout).toContain(
      'takes for done\tname a state in a folder of your own: --state FILE\n',
    );
  });

  it('finds a pipeline that cannot be loaded, and where it comes from', async () => {
    expect(await told('pipeline')).toEqual([
      0,
      {
        name: 'pipeline',
        status: 'ok',
        message: `${project.path('pipeline.ts')} (the usual place): 1 asset, 0 sensors, 1 set`,
        hint: null,
      },
    ]);
    project.write({ 'other.ts': 'export default 1;' });
    const [code, { status, message }] = await told('pipeline', ['--state', '.dynpart/state.json'], {
      env: { DYNPART_FILE: 'other.ts' },
    });
    expect([code, status, message]).toEqual([
      2,
      'failure',
      `the default export of ${project.path('other.ts')} is a number, not a pipeline`,
    ]);
  });

  it('finds a state that is damaged, and the way back', async () => {
    project.write({ '.dynpart/state.json': '{"schema":' });
    const [code, { status, hint }] = await told('state');
    expect([code, status]).toEqual([5, 'failure']);
    expect(hint).toContain('dynpart state restore --last');
  });

  it('finds an invariant that does not hold', async () => {
    const state = project.state();
    state.sets.items.keys = ['a', 'a'];
    project.write({ '.dynpart/state.json': JSON.stringify(state) });
    const [code, { status, message, hint }] = await told('state');
    expect([code, status]).toEqual([5, 'failure']);
    expect(message).toMatch(/ has 1 problem: /);
    expect(hint).toContain('dynpart state check');
  });

  it('finds a file system that cannot do what a commit needs', async () => {
    const [code, { status, message }] = await told('file system', ['--state', '/proc/none/state.json']);
    expect([code, status]).toEqual([5, 'failure']);
    expect(message).toMatch(/^\/proc does not make a folder in it: /);
  });

  it('finds runs of a process that is gone, and who takes them up', async () => {
    expect((await told('claims'))[1].message).toBe('no process executes runs');
    const running = project.start(['materialize', '--key', 'a', '-v']);
    await running.saw('begun');
    expect((await told('claims'))[1]).toMatchObject({
      status: 'ok',
      message: '1 process executing runs, alive',
    });
    running.process.kill('SIGKILL');
    await running.done;
    const [code, { status, message, hint }] = await told('claims');
    expect([code, status]).toEqual([0, 'warning']);
    expect(message).toMatch(/^1 run of a process that is gone/);
    expect(hint).toContain('dynpart sensor tick');
    const [run] = (await project.json(['runs', 'list'])).document.runs;
    expect(hint).toContain(`dynpart runs release ${run.id}`);
  });

  it('finds runs that wait for a worker that is not there', async () => {
    await project.dynpart(['materialize', '--all', '--no-run']);
    const [code, check] = await told('claims');
    expect([code, check]).toEqual([
      0,
      {
        name: 'claims',
        status: 'warning',
        message: '2 runs wait for a worker, and none is there',
        hint: 'start one: dynpart worker',
      },
    ]);
  });

  it('finds what cron would not find', async () => {
    expect((await told('cron'))[1]).toMatchObject({
      hint: 'lines that name everything: dynpart schedule cron',
    });
    const [, { status, message }] = await told('cron', [], { env: { DYNPART_STATE: '.dynpart/state.json' } });
    expect([status, message]).toEqual(['warning', expect.stringContaining('does not have DYNPART_STATE=')]);
  });

  it('finds another dynpart in the project, and which one runs', async () => {
    project.write({ 'node_modules/dynpart/package.json': '{ "version": "9.9.9" }' });
    const [code, { status, message }] = await told('dynpart');
    expect([code, status]).toEqual([0, 'warning']);
    expect(message).toContain('runs a project that has installed dynpart 9.9.9');
  });

  it('finds a clock that was set back, and how fast the state grows', async () => {
    expect((await on('clock', Date.now())).status).toBe('ok');
    const beyond = await on('clock', 9e15);
    expect([beyond.status, beyond.message]).toEqual([
      'failure',
      expect.stringContaining('outside the years 0 to 9999'),
    ]);
    const back = await on('clock', Date.now() - 3_600_000);
    expect([back.status, back.message]).toEqual([
      'warning',
      expect.stringMatching(/^what was recorded last is 3\d\d\d s later than now/),
    ]);
    expect((await on('size', Date.now())).message).toMatch(
      /^[\d,.]+ (bytes|KiB) for 2 keys, hardly growing, history /,
    );
    expect((await on('size', Date.now() + 86_400_000)).message).toContain('for 2 keys, 2 new a day');
  });

  it('says so where there is no state yet, and makes none', async () => {
    fs.rmSync(path.dirname(project.path('.dynpart', 'state.json')), { recursive: true });
    const before = everything();
    const [code, { status, message }] = await told('state');
    expect([code, status]).toEqual([0, 'ok']);
    expect(message).toContain('is not there yet');
    expect(everything()).toEqual(before);
  });
});
