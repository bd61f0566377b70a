/** `dynpart why`: of one key and of a whole set, why it was made, will be, or is not, and what changes it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, runOn } from '../support/captured-terminal.ts';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, skip } from 'dynpart';
const items = dynamicPartitions('items');
const config = asset({ name: 'config', materialize: () => 1 });
const raw = asset({ name: 'raw', partitions: items, automate: 'stale', materialize: ({ partitionKey }) => {
  if (partitionKey === 'bad') throw new Error('no luck');
  return partitionKey === 'empty' ? skip('nothing in it') : 1;
} });
const sum = asset({ name: 'sum', partitions: items, inputs: { raw }, deps: [config], materialize: () => 2 });
export default definePipeline({ assets: [config, raw, sum] });
`;

let project: Project;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  await run('partitions', 'add', 'items', 'old');
  await run('sensor', 'tick', '--no-run');
  await run('partitions', 'add', 'items', 'a', 'bad', 'empty');
});
afterEach(() => project[Symbol.asyncDispose]());

const run = (...args: readonly string[]) => runHere(project, args);

interface Why {
  readonly state: string;
  readonly next: string;
  readonly text: string;
  readonly command: string;
}

const why = async (...args: readonly string[]): Promise<Why> =>
  JSON.parse((await run('why', ...args, '--json')).stdout) as Why;

/** Does what is printed. */
const follow = async ({ command }: Why): Promise<Why> => {
  const [, ...args] = command.split(' ');
  await run(...args);
  return why(
    ...command
      .match(/materialize (?:\S+ )*?(\S+) --key (\S+)/)!
      .slice(1)
      .flatMap((word, at) => (at === 0 ? [word] : ['--key', word])),
  );
};

const onTerminal = async (...args: readonly string[]): Promise<string> =>
  (await typed('why', ...args)).stdout;

const lastRun = async (asset: string, key: string): Promise<string | undefined> =>
  /last run.*:/.exec(await onTerminal(asset, '--key', key))?.[0];

const typed = (...args: readonly string[]) => {
  const env = { NO_COLOR: '1', HOME: project.folder, ...project.environment };
  const terminal = new CapturedTerminal({ isTerminal: true, cwd: project.folder, env });
  return runOn(terminal, args, systemClock);
};

describe('why', () => {
  it('says of one key its state, since when, what it waits for, what the next tick does, and what changes it', async () => {
    expect(await why('raw', '--key', 'a')).toEqual({
      asset: 'raw',
      partitionKey: 'a',
      state: 'missing',
      reason: null,
      since: expect.stringMatching(/^\d{4}-/),
      sinceNote: null,
      retryAt: null,
      waitsFor: [],
      run: null,
      process: null,
      next: 'make',
      text: 'The next tick makes it: it was never made.',
      command: 'dynpart sensor tick automation',
    });
    await run('sensor', 'tick', 'automation');
    expect(await why('raw', '--key', 'a')).toMatchObject({
      state: 'materialized',
      next: 'nothing',
      run: { status: 'SUCCESS', assets: [{ reason: 'missing' }] },
    });
    expect(await why('raw', '--key', 'bad')).toMatchObject({
      state: 'failed',
      reason: 'no luck',
      next: 'nothing',
      command: 'dynpart materialize raw --key bad',
    });
    expect(await why('raw', '--key', 'empty')).toMatchObject({ state: 'skipped', reason: 'nothing in it' });
    expect(await why('sum', '--key', 'bad')).toMatchObject({
      next: 'wait',
      waitsFor: [{ asset: 'raw', partitionKey: 'bad', state: 'failed' }],
      command: 'dynpart materialize config',
    });
    await run('materialize', 'config');
    const waiting = await why('sum', '--key', 'bad');
    expect(waiting.command).toBe('dynpart materialize raw sum --key bad');
    project.write({ 'pipeline.ts': PIPELINE.replace("'bad'", "'worse'") });
    expect(await follow(waiting)).toMatchObject({ state: 'materialized' });
  });

  it('says who has a run, and what takes up one that is in nobody’s hands', async () => {
    const queued = await why('raw', '--key', 'old');
    expect(queued).toMatchObject({
      state: 'in progress',
      next: 'run',
      run: { status: 'QUEUED' },
      process: null,
      command: 'dynpart worker --once',
    });
    expect(queued.text).toMatch(/^Run \S+ waits for a worker\.$/);
    await run('worker', '--once');
    expect(await why('raw', '--key', 'old')).toMatchObject({ state: 'materialized' });
  });

  it('sees what is stale by the code as it is now, before anybody has committed it', async () => {
    await run('worker', '--once');
    await run('sensor', 'tick');
    project.write({ 'pipeline.ts': PIPELINE.replace("name: 'raw',", "name: 'raw', codeVersion: '1',") });
    await run('sensor', 'tick');
    project.write({ 'pipeline.ts': PIPELINE.replace("name: 'raw',", "name: 'raw', codeVersion: '2',") });
    const before = project.state();
    expect(await why('raw', '--key', 'a')).toMatchObject({ state: 'stale', reason: 'code', next: 'make' });
    expect(project.state()).toEqual(before);
    await run('sensor', 'stop', 'automation');
    expect(await why('raw', '--key', 'a')).toMatchObject({
      next: 'nothing',
      text: 'No tick makes it: automation is stopped.',
      command: 'dynpart sensor start automation',
    });
  });

  it('counts the keys of a set by state and reason, what needs somebody first', async () => {
    await run('worker', '--once');
    await run('sensor', 'tick', 'automation');
    const { states } = (await why('raw')) as unknown as { states: Record<string, unknown>[] };
    expect(
      states.map(({ state, reason, count, first, next }) => [state, reason, count, first, next]),
    ).toEqual([
      ['failed', null, 1, 'bad', 'nothing'],
      ['skipped', null, 1, 'empty', 'nothing'],
      ['materialized', null, 2, 'old', 'nothing'],
    ]);
    expect((await run('why', 'sum')).stdout.split('\n')).toEqual([
      "missing\t-\t2\told\twait\tIt waits for 'config', which is missing.",
      "missing\t-\t1\tbad\twait\tIt waits for 'raw', which is failed.",
      "missing\t-\t1\tempty\twait\tIt waits for 'raw', which is skipped.",
      '',
    ]);
    expect(await onTerminal('sum')).toContain(
      "2 keys missing, from old\n  It waits for 'config', which is missing.\n",
    );
    const told = await onTerminal('raw', '--key', 'bad');
    expect(told).toMatch(/^raw for bad failed \d+ s ago: no luck\nNo tick tries it again as it is/);
    expect(told).toMatch(
      /last run, since it was missing: dynpart runs show \S+\nto change it: dynpart materialize raw --key bad\n$/,
    );
  });

  it('of a run that failed alone is asked for by its ID, as it can be typed', async () => {
    const { stderr } = await typed('materialize', 'raw', '--key', 'bad');
    const [, id] = /failed: run (\S+):/.exec(stderr)!;
    expect(stderr).toContain(`dynpart runs logs ${id}; to try again: dynpart runs retry ${id}\n`);
  });

  it('is named where a selection has to wait', async () => {
    // The command that leads on comes behind what it is about.
    expect((await typed('materialize', 'sum', '--missing')).stderr).toMatch(
      /^nothing to do: .* waiting .*\nwhy it waits: dynpart why sum --key old\n$/,
    );
  });

  it('is about an asset without a set, too, and refuses what is not there', async () => {
    expect(await why('config')).toMatchObject({
      partitionKey: null,
      state: 'missing',
      since: null,
      next: 'nothing',
    });
    const refused = async (...args: readonly string[]) =>
      (await why(...args)) as unknown as { error: { code: string } };
    expect((await refused('raw', '--key', 'ba')).error).toMatchObject({
      code: 'unknown-key',
      hint: expect.stringContaining('"bad"'),
    });
    expect((await refused('rwa')).error).toMatchObject({
      code: 'unknown-asset',
      hint: expect.stringContaining('raw'),
    });
    expect((await refused('config', '--key', 'a')).error.code).toBe('asset-without-key');
  });

  it('says with which tick a key comes where a tick has no room for all', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const pipeline = PIPELINE.replace('sum] }', 'sum], automation: { perTick: 2 } }').replace(
      "=== 'bad'",
      "=== 'x'",
    );
    project.write({ 'pipeline.ts': pipeline });
    await run('partitions', 'remove', 'items', 'old', 'bad', 'empty');
    await run('partitions', 'add', 'items', ...keys);
    const said = await Promise.all(keys.map(async (key) => (await why('raw', '--key', key)).text));
    expect(said).toEqual([
      'The next tick makes it: it was never made.',
      'The next tick makes it: it was never made.',
      ...['2', '2', '3'].map(
        (tick) => `Tick ${tick} from now on makes it, since each queues 2 runs at most: it was never made.`,
      ),
    ]);
    for (const [tick, made] of [2, 4, 5].entries()) {
      await run('sensor', 'tick');
      const { stdout } = await run(
        'partitions',
        'list',
        'items',
        '--status',
        'materialized',
        '--asset',
        'raw',
      );
      expect.soft([tick, stdout.split('\n').filter((line) => line !== '').length]).toEqual([tick, made]);
    }
  });

  it('changes it with a command that makes what is missing above as well, of one key and of many', async () => {
    const late = `const late = asset({ name: 'late', partitions: items, inputs: { sum }, automate: 'missing', materialize: () => 3 });
const total = asset({ name: 'total', automate: 'stale', inputs: { all: allKeys(sum) }, materialize: ({ inputs }) => inputs.all.size });
export`;
    const more = PIPELINE.replace('export', late).replace('raw, sum]', 'raw, sum, late, total]');
    project.write({ 'pipeline.ts': more.replace('import {', 'import { allKeys,') });
    await run('materialize', 'config', 'raw', 'sum', '--all');
    const backlog = await why('late', '--key', 'bad');
    expect(backlog).toMatchObject({
      state: 'backlog',
      command: 'dynpart materialize raw sum late --key bad',
    });
    await run('materialize', 'late', '--key', 'bad');
    expect(await why('late', '--key', 'bad')).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining("needs asset 'sum'"),
      command: backlog.command,
    });
    const total = await why('total');
    expect(total).toMatchObject({
      waitsFor: [{ asset: 'sum', partitionKey: 'bad', keys: 1 }],
      command: 'dynpart materialize raw sum --missing --failed',
    });
    project.write({ 'pipeline.ts': project.read('pipeline.ts').replace("'bad'", "'worse'") });
    await run(...total.command.split(' ').slice(1));
    expect((await why('total')).next).toBe('make');
    expect(await follow(backlog)).toMatchObject({ state: 'materialized' });
  });

  it('tells what the state knows while the pipeline file cannot be loaded', async () => {
    await run('sensor', 'tick', 'automation', '--no-run');
    await run('worker', '--once');
    await run('partitions', 'add', 'items', 'new');
    await run('materialize', 'raw', '--key', 'old', '--no-run');
    project.write({ 'pipeline.ts': 'this is no pipeline' });
    const { code, stdout, stderr } = await run('why', 'raw', '--key', 'a', '--json');
    expect(code).toBe(0);
    expect(stderr).toContain('told by what the state remembers: dynpart check');
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'materialized',
      next: 'nothing',
      text: 'No tick makes anything while the pipeline file cannot be loaded.',
      command: 'dynpart check',
    });
    expect(await onTerminal('raw', '--key', 'a')).toMatch(/\nto change it: dynpart check\n$/);
    expect(await why('raw', '--key', 'bad')).toMatchObject({ state: 'failed', reason: 'no luck' });
    expect(await why('raw', '--key', 'old')).toMatchObject({ state: 'in progress', next: 'run' });
    const counted = JSON.parse((await run('why', 'raw', '--json')).stdout) as {
      states: { state: string; count: number }[];
    };
    expect(counted.states.map(({ state, count }) => `${count} ${state}`)).toEqual([
      '1 failed',
      '1 missing',
      '1 in progress',
      '1 skipped',
      '1 materialized',
    ]);
    expect((await run('why', 'config')).code).toBe(0);
    const unknown = await run('why', 'nothing');
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('this is no pipeline')]);
    expect((await run('why', 'raw', '--key', 'zzz')).code).toBe(2);
  });
});

it('the last run says who asked for it: a sensor by its name, or somebody', async () => {
  project.write({
    'pipeline.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const raw = asset({ name: 'raw', partitions: items, materialize: () => { throw new Error('no luck'); } });
const feed = sensor({ name: 'feed', assets: [raw], evaluate: () => ({ runRequests: [{ partitionKey: 'a', runKey: 'a' }] }) });
export default definePipeline({ assets: [raw], sensors: [feed] });
`,
  });
  await run('sensor', 'tick', 'feed');
  expect(await lastRun('raw', 'a')).toBe("last run, since sensor 'feed' asked:");
  const { runs } = JSON.parse((await run('runs', 'list', '--key', 'a', '--json')).stdout) as {
    runs: { id: string }[];
  };
  await run('runs', 'retry', runs[0]!.id);
  expect(await lastRun('raw', 'a')).toBe('last run, since somebody asked:');
  await run('materialize', 'raw', '--key', 'a');
  expect(await lastRun('raw', 'a')).toBe('last run, since somebody asked:');
});
