/** Programs that assets and sensors start: however the command ends, nothing of them works on beside the next try. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linkOf, livingProcesses } from '../../src/files/proc.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ByHandHere } from '../support/in-process.ts';
import type { Running } from '../support/project.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const script = (name: string) => new URL(name, import.meta.url).pathname;
const program = (name: string, more = {}) => asset({
  name, partitions: items, ...more,
  materialize: ({ exec }) => exec('sh', [script(name + '.sh')]),
});
export default definePipeline({
  assets: [program('gentle'), program('stubborn'), program('walled', { isolation: 'process', timeoutMs: 500 })],
  sensors: [
    sensor({ name: 'idle', evaluate: () => ({ skipReason: 'nothing' }) }),
    sensor({ name: 'slow', timeoutSeconds: 3, evaluate: async ({ exec }) => void (await exec('sh', [script('gentle.sh')])) }),
    sensor({ name: 'patient', evaluate: async ({ exec }) => void (await exec('sh', [script('gentle.sh')])) }),
    sensor({ name: 'blocked', timeoutSeconds: 4, async evaluate({ exec }) {
      void exec('sh', [script('gentle.sh')]);
      while (!fs.existsSync(script('groups'))) await new Promise((resolve) => setTimeout(resolve, 20));
      for (;;);
    } }),
  ],
});
`;

const STUBBORN = `trap '' TERM INT; cd "$(dirname "$0")"; sh -c "trap '' TERM; sleep 60; sleep 60" & echo $$ >> groups; wait\n`;

/** Each is a shell with a child of its own, and says who it is. */
const FILES = {
  'pipeline.ts': PIPELINE,
  'gentle.sh': 'cd "$(dirname "$0")"; sleep 60 & echo $$ >> groups; wait\n',
  'stubborn.sh': STUBBORN,
  'walled.sh': STUBBORN,
};

class Programs extends ByHandHere {
  constructor() {
    super(FILES);
  }

  async started(count = 1): Promise<void> {
    await vi.waitFor(() => expect(this.groups.length).toBe(count), { timeout: 60_000 });
  }

  get groups(): number[] {
    return this.exists('groups') ? this.read('groups').trim().split('\n').map(Number) : [];
  }

  /** How many processes are left of all that was started. */
  get left(): number {
    // They work in this folder, as dynpart does, which is node.
    return livingProcesses()!.filter(({ pid }) => {
      const isHere = linkOf(`/proc/${pid}/cwd`) === this.folder;
      return isHere && linkOf(`/proc/${pid}/exe`) !== process.execPath;
    }).length;
  }

  async materialize(asset: string, ...flags: string[]): Promise<Running> {
    await this.dynpart(['partitions', 'add', 'items', 'k']);
    const running = this.start(['materialize', asset, '--key', 'k', ...flags]);
    await this.started();
    expect(this.left).toBeGreaterThan(1);
    return running;
  }
}

describe.concurrent('a program of a run', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`ends with all that it started on ${signal}`, async () => {
      await using project = new Programs();
      const running = await project.materialize('gentle');
      running.process.kill(signal);
      expect((await running.done).code).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(project.left).toBe(0);
    });
  }

  it('is killed by a second Ctrl-C, with all that it started', async () => {
    await using project = new Programs();
    const running = await project.materialize('stubborn', '--verbose');
    running.process.kill('SIGINT');
    await running.saw('Ctrl-C again leaves at once');
    expect(project.left).toBeGreaterThan(1);
    const began = performance.now();
    running.process.kill('SIGINT');
    expect((await running.done).code).toBe(130);
    // Without the second one: ten seconds after the first.
    expect(performance.now() - began).toBeLessThan(9000);
    await vi.waitFor(() => expect(project.left).toBe(0), { timeout: 60_000 });
  });

  it('is killed ten seconds after its timeout also where its asset has a process of its own', async () => {
    await using project = new Programs();
    await project.dynpart(['partitions', 'add', 'items', 'k']);
    const began = performance.now();
    const { stderr } = await project.dynpart(['materialize', 'walled', '--key', 'k']);
    expect(stderr).toContain('took longer than its timeout of 500 ms');
    // The program goes on for two minutes.
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(project.left).toBe(0);
  });

  it('ends with all that it started when the run is canceled', async () => {
    await using project = new Programs();
    const running = await project.materialize('gentle');
    const { document } = await project.json(['runs', 'list']);
    await project.dynpart(['runs', 'cancel', document.runs[0].id]);
    await running.done;
    expect(project.left).toBe(0);
  });
});

describe.concurrent('a program whose dynpart was killed', () => {
  it.for([
    ['materialize', 'gentle', '--key', 'k'],
    ['sensor', 'tick', 'idle'],
  ])('ends before its key is started again: %s', async (args) => {
    await using project = new Programs();
    const running = await project.materialize('gentle');
    running.process.kill('SIGKILL');
    await running.done;
    const left = project.left;
    expect(left).toBeGreaterThan(1);
    const next = project.start(args);
    await project.started(2);
    // Those of the new one.
    expect(project.left).toBe(left);
    next.process.kill('SIGTERM');
    await next.done;
    expect(project.left).toBe(0);
  });

  it.for([
    ['tick', 'file'],
    ['watch', 'file'],
    ['tick', 'PostgreSQL'],
    ['watch', 'PostgreSQL'],
  ])('ends before its sensor is evaluated again: %s, %s', async ([command, place]) => {
    await using project = new Programs();
    const env = place === 'file' ? {} : { DYNPART_STATE: cluster.url(`programs_${command}`) };
    if (place !== 'file') await project.dynpart(['state', 'migrate'], { env });
    const running = project.start(['sensor', command!, 'patient'], { env });
    await project.started();
    // Two processes of the program: the shell and what it has started.
    await vi.waitFor(() => expect(project.left).toBe(2), { timeout: 60_000 });
    running.process.kill('SIGKILL');
    await running.done;
    expect(project.left).toBe(2);
    const next = project.start(['sensor', 'tick', 'patient', '--verbose'], { env });
    await project.started(2);
    await vi.waitFor(() => expect(project.left).toBe(2), { timeout: 60_000 });
    next.process.kill('SIGTERM');
    const { stderr } = await next.done;
    expect(stderr).toContain("ended 2 programs of sensor 'patient' whose process was killed");
    expect(project.left).toBe(0);
    // Nothing is noted any more: the third one finds nothing to end.
    const third = await project.dynpart(['sensor', 'tick', 'idle', '--verbose'], { env });
    expect(third.stderr).not.toContain('ended');
    if (place === 'file') expect(fs.readdirSync(project.path('.dynpart', 'claims'))).toEqual([]);
  });

  it('ends when its run is canceled, or its key removed', async () => {
    await using project = new Programs();
    for (const command of ['cancel', 'remove'] as const) {
      const running = await project.materialize('gentle');
      running.process.kill('SIGKILL');
      await running.done;
      const { document } = await project.json(['runs', 'list', '--limit', '1']);
      await project.dynpart(
        command === 'cancel'
          ? ['runs', 'cancel', document.runs[0].id]
          : ['partitions', 'remove', 'items', 'k'],
      );
      expect(project.left).toBe(0);
      fs.rmSync(project.path('groups'));
    }
  });
});

describe.concurrent('the log of a run', () => {
  const BLOCKED = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
    const items = dynamicPartitions('items');
    const blocked = asset({ name: 'blocked', partitions: items, materialize({ log }) {
      log.info('found', { a: 1 });
      log.info('last\\nwords');
      for (;;);
    } });
    export default definePipeline({ assets: [blocked] });
  `;

  it('has what code wrote that blocks its thread until it is killed, a line a record', async () => {
    await using project = new ByHandHere({ 'pipeline.ts': BLOCKED });
    const running = project.start(['materialize', '--key', 'k', '--add']);
    const name = await vi.waitFor(
      () => {
        const [first] = fs.readdirSync(project.path('.dynpart', 'logs'));
        return first ?? expect.fail('there is no log yet');
      },
      { timeout: 60_000 },
    );
    await vi.waitFor(() => expect(project.read('.dynpart', 'logs', name)).toContain('words'), {
      timeout: 60_000,
    });
    running.process.kill('SIGKILL');
    await running.done;
    // As an earlier release wrote it.
    const line = {
      at: '2026-01-01T00:00:00.000Z',
      stream: 'log',
      text: 'of\nold',
      asset: 'blocked',
      attempt: 1,
    };
    fs.appendFileSync(project.path('.dynpart', 'logs', name), `${JSON.stringify(line)}\n`);
    const { stdout } = await project.dynpart(['runs', 'logs', name.replace('.jsonl', '')]);
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((record) => record.split('\t').slice(1).join(' '));
    expect(records).toEqual(
      ['found { a: 1 }', 'last', 'words', 'of', 'old'].map((text) => `blocked 1 ${text}`),
    );
  });
});

describe.concurrent('a program of a sensor', () => {
  it('ends with all that it started when the sensor took too long', async () => {
    await using project = new Programs();
    expect((await project.dynpart(['sensor', 'tick', 'slow'])).code).toBe(3);
    expect(project.groups).toHaveLength(1);
    expect(project.left).toBe(0);
  });

  it('ends also when its sensor blocks the thread that it is evaluated in', async () => {
    await using project = new Programs();
    const running = project.start(['sensor', 'watch', 'blocked']);
    await running.saw('longer than its timeout');
    expect(project.groups).toHaveLength(1);
    await vi.waitFor(() => expect(project.left).toBe(0), { timeout: 60_000 });
    running.process.kill('SIGTERM');
    await running.done;
  });
});
