/** A watch and a worker under a service manager: they say that they are ready and alive, on a real socket, and end as they are told to. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Project, root } from '../support/project.ts';
import { Service, unitOf } from '../support/run-unit.ts';

const missing = [
  ['systemd-notify', '--version'],
  ['python3', '--version'],
].find(([program, ...args]) => spawnSync(program!, args).status !== 0);
const skipped =
  missing === undefined ? '' : `SKIPPED, there is no ${missing[0]} (apt-get install systemd python3): `;

/** An asset that keeps the thread for a while, and counts how often its process was said to be alive before and meanwhile. */
const pipelineOf = (said: string): string => `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const alive = () => fs.readFileSync(${JSON.stringify(said)}, 'utf8').split('WATCHDOG=1').length - 1;
const made = asset({
  name: 'made',
  partitions: keys,
  async materialize() {
    while (alive() < 3) await new Promise((resolve) => setTimeout(resolve, 20));
    // What was on its way comes, and nothing more: else it would come for ever.
    let [before, meanwhile] = [0, 0];
    for (let times = 0; times === 0 || (meanwhile > before && times < 10); times++) {
      before = alive();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      meanwhile = alive();
    }
    return { before, meanwhile, environment: Object.keys(process.env).filter((name) => /NOTIFY|WATCHDOG/.test(name)) };
  },
});
const found = sensor({
  name: 'found',
  evaluate: () => ({ dynamicPartitionsRequests: [keys.buildAddRequest(['a'])], runRequests: [{ partitionKey: 'a', runKey: 'a', assets: ['made'] }] }),
});
export default definePipeline({ assets: [made], sensors: [found] });
`;

class Manager implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly project: Project;
  readonly socket: string;

  private constructor(project: Project) {
    this.project = project;
    this.socket = project.path('manager');
    project.write({ said: '', 'pipeline.ts': pipelineOf(project.path('said')) });
    this.#process = spawn(
      'python3',
      [path.join(root, 'test/support/notify-socket.py'), this.socket, project.path('said')],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
  }

  static async listening(project: Project): Promise<Manager> {
    const manager = new Manager(project);
    await once(manager.#process.stdout!, 'data');
    return manager;
  }

  get said(): string[] {
    return this.project.read('said').trim().split('\n');
  }

  async saw(word: string): Promise<void> {
    while (!this.said.some((line) => line.includes(word)))
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.project[Symbol.asyncDispose]();
  }
}

const told = (env: Record<string, string>) => ({
  env: { WATCHDOG_USEC: '200000', ...env },
});

it.skipIf(missing !== undefined).each([['sensor watch'], ['worker']])(
  `${skipped}%s says that it is ready and alive, and nothing while its thread is kept`,
  async (command) => {
    await using manager = await Manager.listening(new Project());
    const { project, socket } = manager;
    if (command === 'worker') await project.dynpart(['sensor', 'tick', '--no-run']);
    const going = project.start(command.split(' '), told({ NOTIFY_SOCKET: socket }));
    await going.saw('1 run succeeded');
    const { before, meanwhile, environment } = JSON.parse(
      project.read('.dynpart', 'values', 'made', 'a.json'),
    );
    expect(meanwhile).toBeLessThanOrEqual(before);
    // What user code starts must not speak for this process.
    expect(environment).toEqual([]);
    // And alive again.
    const now = manager.said.length;
    while (manager.said.slice(now).every((line) => line !== 'WATCHDOG=1'))
      await new Promise((resolve) => setTimeout(resolve, 20));
    going.process.kill('SIGTERM');
    expect((await going.done).code).toBe(0);
    await manager.saw('STOPPING=1');
    expect(manager.said.find((line) => line !== 'BARRIER=1')).toMatch(
      /^READY=1 STATUS=(?:watching|executing) /,
    );
    expect(manager.said.filter((line) => line.startsWith('READY'))).toHaveLength(1);
  },
);

it.skipIf(missing !== undefined).each([['--watch'], ['--worker']])(
  `${skipped}the service of schedule systemd %s starts, is ready, loads an edit when it is reloaded, and stops in its time`,
  async (flag) => {
    await using manager = await Manager.listening(new Project());
    const { project, socket } = manager;
    const odd = "an 'odd' 100% $HOME folder";
    project.write({ [`${odd}/pipeline.ts`]: saying('one'), [`${odd}/in/a`]: '' });
    const cwd = project.path(odd);
    const { document } = await project.json(['schedule', 'systemd', flag], { cwd });
    const unit = unitOf(document.text);
    expect(unit).toMatchObject({ Type: 'notify', NotifyAccess: 'all', KillMode: 'mixed' });
    const service = new Service(unit, socket);
    const seen = async (isSeen: () => boolean): Promise<void> => {
      while (!isSeen()) {
        if (service.main.exitCode !== null) throw new Error(`it ended: ${service.said}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    try {
      await manager.saw('READY=1');
      if (flag === '--worker') await project.dynpart(['sensor', 'tick', '--no-run'], { cwd });
      const state = async () => (await project.json(['runs', 'list'], { cwd })).document.runs[0]?.status;
      while ((await state()) !== 'STARTED') await new Promise((resolve) => setTimeout(resolve, 100));
      project.write({ [`${odd}/pipeline.ts`]: saying('two') });
      expect(await service.reload()).toBe(0);
      await seen(() => service.said.includes('loaded anew'));
      // It has a minute to come to its end, and does.
      const stopped = service.stop();
      await manager.saw('STOPPING=1');
      project.write({ [`${odd}/go`]: '' });
      expect(await stopped).toEqual({ code: 0, signal: null });
      expect(project.read(odd, '.dynpart', 'values', 'made', 'a.json').trim()).toBe('"one"');
      expect(await state()).toBe('SUCCESS');
    } finally {
      service.kill();
    }
  },
);

it.skipIf(missing !== undefined)(
  `${skipped}a watchdog that waits for another process is not this one's, and a tick says nothing`,
  async () => {
    await using manager = await Manager.listening(new Project());
    const { project, socket } = manager;
    project.write({
      'none.ts':
        "import { definePipeline, sensor } from 'dynpart'; export default definePipeline({ assets: [], sensors: [sensor({ name: 's', minimumIntervalSeconds: 0.1, evaluate: () => ({ skipReason: 'none' }) })] });",
    });
    expect(
      (await project.dynpart(['-f', 'none.ts', 'sensor', 'tick'], told({ NOTIFY_SOCKET: socket }))).code,
    ).toBe(0);
    expect(manager.said).toEqual(['']);
    const going = project.start(
      ['-f', 'none.ts', 'sensor', 'watch', '-v'],
      told({ NOTIFY_SOCKET: socket, WATCHDOG_PID: '1' }),
    );
    await manager.saw('READY=1');
    await going.saw('nothing new');
    going.process.kill('SIGTERM');
    await going.done;
    expect(manager.said.join()).not.toContain('WATCHDOG');
  },
);

it('a socket that nobody listens to is said once, and the watch goes on', async () => {
  await using project = new Project();
  project.write({
    said: 'WATCHDOG=1 WATCHDOG=1 WATCHDOG=1',
    'pipeline.ts': pipelineOf(project.path('said')),
  });
  const going = project.start(['sensor', 'watch'], told({ NOTIFY_SOCKET: project.path('nobody') }));
  await going.saw('systemd-notify does not bring it');
  await going.saw('1 run succeeded');
  going.process.kill('SIGTERM');
  const { code, stderr } = await going.done;
  expect(code).toBe(0);
  expect(stderr.match(/systemd-notify does not bring it/g)).toHaveLength(1);
});

const SLOW = `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const made = asset({
  name: 'made',
  partitions: keys,
  async materialize({ partitionKey, signal }) {
    while (!fs.existsSync(new URL('go', import.meta.url))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (partitionKey !== 'deaf') signal.throwIfAborted();
    }
    return 'made';
  },
});
const found = sensor({
  name: 'found',
  assets: [made],
  evaluate: ({ cursor }) => cursor === null && ({
    cursor: '1',
    dynamicPartitionsRequests: [keys.buildAddRequest(fs.readdirSync(new URL('in', import.meta.url)))],
    runRequests: fs.readdirSync(new URL('in', import.meta.url)).map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
  }) || undefined,
});
export default definePipeline({ assets: [made], sensors: [found], concurrency: 1 });
`;

const saying = (word: string): string => SLOW.replace("return 'made'", `return '${word}'`);

it.each([['sensor watch'], ['worker'], ['worker --once']])(
  '%s --grace: told to end, it begins nothing more, and what runs may come to its end',
  async (command) => {
    await using project = new Project({ 'pipeline.ts': SLOW, 'in/a': '', 'in/b': '' });
    if (command !== 'sensor watch') await project.dynpart(['sensor', 'tick', '--no-run']);
    const going = project.start([...command.split(' '), '-v', '--grace', '1h']);
    await going.saw('started: made for a');
    going.process.kill('SIGTERM');
    await going.saw('stopping: what runs may go on for 1 h');
    project.write({ go: '' });
    expect((await going.done).code).toBe(command === 'worker --once' ? 143 : 0);
    const { runs } = (await project.json(['runs', 'list'])).document;
    expect(runs.map(({ status }: { status: string }) => status)).toEqual(['QUEUED', 'SUCCESS']);
  },
);

it('--grace: what takes longer is aborted, and goes back to the queue', async () => {
  await using project = new Project({ 'pipeline.ts': SLOW, 'in/a': '' });
  const going = project.start(['sensor', 'watch', '-v', '--grace', '1s']);
  await going.saw('started: made for a');
  going.process.kill('SIGTERM');
  expect((await going.done).code).toBe(0);
  expect((await project.json(['runs', 'list'])).document.runs).toMatchObject([
    { status: 'QUEUED', attempts: 0 },
  ]);
});
