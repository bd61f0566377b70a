/** Assets with a process of their own: how each can end, what comes back from it, and what is left of it. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linkOf, livingProcesses } from '../../src/files/proc.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ProjectHere } from '../support/in-process.ts';
import { Project, type RunOptions, type RunResult } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { spawn } from 'node:child_process';
import { asset, definePipeline, dynamicPartitions, RetryAfter, skip } from 'dynpart';
const items = dynamicPartitions('items');
const note = (text) => fs.appendFileSync(new URL('notes', import.meta.url), text + '\\n');
const forever = () => new Promise(() => {});
const base = asset({ name: 'base', partitions: items, materialize: ({ partitionKey }) => ({ key: partitionKey, pid: process.pid }) });
const own = asset({
  name: 'own', partitions: items, inputs: { base }, isolation: 'process', timeoutMs: process.env.TIMEOUT ? Number(process.env.TIMEOUT) : undefined,
  checks: { right: ({ partitionKey }) => { for (;;) if (partitionKey !== 'blocked check') return partitionKey === 'wrong' ? 'it is wrong' : true; } },
  retry: { maxRetries: process.env.RETRIES ? Number(process.env.RETRIES) : 0 },
  async materialize({ partitionKey, item, version, inputs, run, log, exec, signal, addMetadata }) {
    log.info('log of ' + partitionKey);
    console.log('printed', process.env.DYNPART_RUN ?? 'without a mark');
    addMetadata({ pid: process.pid, parent: process.ppid });
    note('begun ' + partitionKey + ' ' + run.attempt);
    switch (partitionKey) {
      case 'exit': process.exit(3);
      case 'died': process.kill(process.pid, 'SIGKILL'); await forever();
      case 'stray': Promise.reject(new Error('astray')); await forever();
      case 'later': setTimeout(() => { throw new Error('too late'); }, 1); return 'made';
      case 'memory': { const all = []; for (;;) all.push(new Array(100_000).fill(all.length)); }
      case 'block': for (;;);
      case 'polite': await new Promise((_, reject) => signal.addEventListener('abort', () => { note('aborted'); reject(new Error('ended')); }));
      case 'throw': throw new Error('down');
      case 'again': if (run.attempt === 1) throw new RetryAfter(0.01); return run.attempt;
      case 'second': if (run.attempt === 1) process.exit(1); return run.attempt;
      case 'skip': return skip('nothing to make');
      case 'value': return [{ amount: NaN }];
      case 'bytes': return new Uint8Array([1, 2, 3]);
      case 'nothing': return undefined;
      case 'program': note('program ' + (await exec('sh', ['-c', 'sleep 60 & echo said'])).stdout); return 'made';
      case 'leaves': void exec('sleep', ['60']); spawn('sleep', ['60']); await new Promise((done) => setTimeout(done, 300)); process.kill(process.pid, 'SIGKILL'); await forever();
      case 'sleeps': void exec('sleep', ['60']); await forever();
      default: return { item, version, base: inputs.base, pid: process.pid };
    }
  },
});
const after = asset({ name: 'after', partitions: items, inputs: { own }, materialize: ({ inputs }) => ({ own: inputs.own, pid: process.pid }) });
export default definePipeline({ assets: [base, own, after], processes: { memoryMb: 48, limit: 2 } });
`;

class Isolated extends ProjectHere {
  constructor(files = {}) {
    super({ 'pipeline.ts': PIPELINE, ...files });
  }

  /** What executes is a process, whose children these are. */
  override dynpart(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return args[0] === 'materialize' ? this.start(args, options).done : super.dynpart(args, options);
  }

  async make(key: string, options: Parameters<Project['json']>[1] = {}) {
    // What is no JSON cannot be a part of it.
    const assets = key === 'bytes' ? ['base', 'own'] : ['base', 'own', 'after'];
    const { document, code } = await this.json(['materialize', ...assets, '--key', key, '--add'], options);
    const [run] = document.runs;
    const own = run.assets.find(({ asset }: { asset: string }) => asset === 'own');
    return { code, run, own };
  }

  async value(asset: string, key: string): Promise<unknown> {
    const { stdout } = await this.dynpart(['value', 'show', asset, '--key', key]);
    return stdout === '' ? undefined : JSON.parse(stdout);
  }

  get notes(): string[] {
    return this.exists('notes') ? this.read('notes').trim().split('\n') : [];
  }

  /** Processes that work in this folder, but for dynpart's commands that the test started. */
  left(of: readonly (number | undefined)[] = []): number[] {
    return livingProcesses()!
      .filter(({ pid }) => !of.includes(pid) && linkOf(`/proc/${pid}/cwd`) === this.folder)
      .map(({ pid }) => pid);
  }
}

describe.concurrent('an asset with a process of its own', () => {
  it('is made there, from values that are not on record yet, and its value is given to others', async () => {
    await using project = new Isolated();
    await project.dynpart(['partitions', 'add', 'items', 'k', '--version', 'v1', '--item', '{"a":1}']);
    const { code, run, own } = await project.make('k');
    expect([code, run.status, own.version]).toEqual([0, 'SUCCESS', 'v1']);
    const { own: made, pid } = (await project.value('after', 'k')) as { own: { pid: number }; pid: number };
    expect(made).toMatchObject({ item: { a: 1 }, version: 'v1', base: { key: 'k', pid } });
    expect(own.metadata).toEqual({ pid: made.pid, parent: pid });
    expect(made.pid).not.toBe(pid);
    const { stdout } = await project.dynpart(['runs', 'logs', run.id]);
    expect(stdout).toContain('log of k');
    expect(stdout).toContain('printed without a mark');
  });

  it('is made when the command is given again, where its log could not be written: it is not the code that failed', async () => {
    await using project = new Isolated();
    await project.dynpart(['partitions', 'add', 'items', 'k']);
    fs.rmSync(project.path('.dynpart/logs'), { recursive: true, force: true });
    project.write({ '.dynpart/logs': 'not a folder' });
    const { code, stderr } = await project.dynpart(['materialize', '--key', 'k']);
    expect([code, stderr]).toEqual([5, expect.stringMatching(/^error: .*\.dynpart\/logs/m)]);
    expect(stderr).not.toContain('code of the pipeline');
    fs.rmSync(project.path('.dynpart/logs'));
    const { run, code: then } = await project.make('k');
    expect([then, run.status]).toEqual([0, 'SUCCESS']);
    expect((await project.dynpart(['runs', 'logs', run.id])).stdout).toContain('log of k');
  });

  it('gives back what is no JSON', async () => {
    await using project = new Isolated();
    expect((await project.make('bytes')).run.status).toBe('SUCCESS');
    const { stdout } = await project.dynpart(['value', 'path', 'own', '--key', 'bytes']);
    expect([...fs.readFileSync(stdout.trim())]).toEqual([1, 2, 3]);
    expect((await project.make('nothing')).run.status).toBe('SUCCESS');
  });

  it.each([
    ['exit', 'process-exited', 'process.exit(3)'],
    ['died', 'process-died', 'SIGKILL'],
    ['memory', 'process-out-of-memory', 'more memory than its process may have'],
    ['stray', 'asset-threw', 'astray'],
    ['throw', 'asset-threw', 'down'],
    ['value', 'value-not-json', 'value[0].amount is NaN'],
  ])('that ends by %s is a failure %s, and nothing else', async (key, reason, words) => {
    await using project = new Isolated();
    const { code, run, own } = await project.make(key);
    expect([code, run.status]).toEqual([1, 'FAILURE']);
    expect(own.error).toMatchObject({ code: reason, message: expect.stringContaining(words) });
    const { stdout } = await project.dynpart(['runs', 'logs', run.id]);
    expect(stdout).toContain(`log of ${key}`);
    expect(stdout).toContain(words);
    await vi.waitFor(() => expect(project.left()).toEqual([]), { timeout: 60_000 });
    expect(project.exists('.dynpart/values/own')).toBe(false);
  });

  it('that blocks is killed at its timeout', async () => {
    await using project = new Isolated();
    const { own } = await project.make('block', { env: { TIMEOUT: '300' } });
    expect(own.error).toMatchObject({ code: 'process-killed', message: expect.stringContaining('300 ms') });
    expect(project.left()).toEqual([]);
  });

  it('is checked there', async () => {
    await using project = new Isolated();
    expect((await project.make('wrong')).own.error.code).toBe('check-failed');
    const { own } = await project.make('blocked check', { env: { TIMEOUT: '300' } });
    expect(own.error.code).toBe('process-killed');
  });

  it('that heeds its signal ends at its timeout', async () => {
    await using project = new Isolated();
    const { own } = await project.make('polite', { env: { TIMEOUT: '300' } });
    expect(own.error.code).toBe('asset-timeout');
    expect(project.notes).toContain('aborted');
  });

  it('is tried again in another process, and when it asks for it', async () => {
    await using project = new Isolated();
    expect((await project.make('second', { env: { RETRIES: '1' } })).own).toMatchObject({
      status: 'SUCCESS',
      attempts: 2,
    });
    expect(project.notes).toEqual(['begun second 1', 'begun second 2']);
    expect((await project.make('again')).own).toMatchObject({ status: 'SUCCESS', attempts: 2 });
  });

  it('is replaced when it has grown too large, and serves until then', async () => {
    await using project = new Project({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const kept: unknown[] = [];
const own = asset({ name: 'own', partitions: items, isolation: 'process', materialize: ({ partitionKey }) => {
  if (partitionKey === 'b') kept.push(Buffer.alloc(1.1 * 1024 ** 3, 1));
  return process.pid;
} });
export default definePipeline({ assets: [own], processes: { limit: 1 }, concurrency: 1 });
`,
    });
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
    expect((await project.dynpart(['materialize', '--all'])).code).toBe(0);
    const pids = await Promise.all(
      ['a', 'b', 'c', 'd'].map(
        async (key) => (await project.dynpart(['value', 'show', 'own', '--key', key])).stdout,
      ),
    );
    const [a, b, c, d] = pids;
    expect([a === b, b === c, c === d]).toEqual([true, false, true]);
  });

  it('may skip', async () => {
    await using project = new Isolated();
    const { run, own } = await project.make('skip');
    expect([run.status, own.status, own.skipReason]).toEqual(['SUCCESS', 'SKIPPED', 'nothing to make']);
  });

  it('runs programs, which end with the run', async () => {
    await using project = new Isolated();
    expect((await project.make('program')).run.status).toBe('SUCCESS');
    expect(project.notes.at(-1)).toBe('program said');
    expect(project.left()).toEqual([]);
  });

  it('takes what it has started along when it dies', async () => {
    await using project = new Isolated();
    const { own, run } = await project.make('leaves');
    expect(own.error).toMatchObject({
      code: 'process-died',
      hint: expect.stringContaining(`dynpart runs logs ${run.id}`),
    });
    expect(project.left()).toEqual([]);
  });

  it('keeps nobody else: others of the same command are made', async () => {
    await using project = new Isolated();
    const keys = ['exit', 'a', 'died', 'b', 'memory', 'c', 'd'];
    await project.dynpart(['partitions', 'add', 'items', ...keys]);
    const { document } = await project.json(['materialize', 'own', 'base', '--all']);
    expect(document.summary).toMatchObject({ succeeded: 4, failed: 3 });
  });

  it('is not loaded with a pipeline that ends the process that loads it', async () => {
    await using project = new Isolated();
    project.write({
      'pipeline.ts': `if (process.send !== undefined) throw new Error('not in a child');\n${PIPELINE}`,
    });
    const { own } = await project.make('k');
    expect(own.error).toMatchObject({
      code: 'process-unusable',
      message: expect.stringContaining('not in a child'),
    });
  });
});

describe.concurrent('a command whose asset has a process of its own', () => {
  for (const key of ['polite', 'block'] as const)
    it(`ends it on Ctrl-C (${key})`, async () => {
      await using project = new Isolated();
      const running = project.start(['materialize', 'base', 'own', '--key', key, '--add']);
      await vi.waitFor(() => expect(project.notes).toContain(`begun ${key} 1`), { timeout: 60_000 });
      running.process.kill('SIGINT');
      expect((await running.done).code).toBe(130);
      const { document } = await project.json(['runs', 'list']);
      expect(document.runs.map(({ status }: { status: string }) => status)).toEqual(['CANCELED']);
      expect(project.left()).toEqual([]);
    });

  it('ends it when the run is canceled', async () => {
    await using project = new Isolated();
    const running = project.start(['materialize', 'base', 'own', '--key', 'block', '--add']);
    await vi.waitFor(() => expect(project.notes).toContain('begun block 1'), { timeout: 60_000 });
    await project.dynpart(['runs', 'cancel', '--status', 'STARTED']);
    expect((await running.done).code).toBe(1);
    expect(project.left()).toEqual([]);
  });

  it.each(['polite', 'block', 'sleeps'])(
    'leaves nothing when it is killed: the next one sees to that (%s)',
    async (key) => {
      await using project = new Isolated();
      await project.dynpart(['partitions', 'add', 'items', key]);
      const running = project.start(['materialize', 'base', 'own', '--key', key]);
      await vi.waitFor(() => expect(project.notes).toContain(`begun ${key} 1`), { timeout: 60_000 });
      if (key === 'sleeps')
        await vi.waitFor(() => expect(project.left([running.process.pid]).length).toBe(2), {
          timeout: 60_000,
        });
      running.process.kill('SIGKILL');
      await running.done;
      // What is not blocked sees it by itself.
      if (key === 'polite') await vi.waitFor(() => expect(project.left()).toEqual([]), { timeout: 60_000 });
      const next = project.start(['materialize', 'base', 'own', '--key', key], { env: { TIMEOUT: '500' } });
      await next.done;
      expect(project.notes.length).toBeGreaterThan(1);
      await vi.waitFor(() => expect(project.left()).toEqual([]), { timeout: 60_000 });
    },
  );
});

describe('a process of its own that has made a thousand tries', () => {
  it('is replaced by another one: what leaks a little with each is not kept for ever', async () => {
    await using project = new Project({
      'pipeline.ts': `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const pid = asset({
  name: 'pid', partitions: dynamicPartitions('items'), isolation: 'process',
  materialize() { fs.appendFileSync(new URL('pids', import.meta.url), process.pid + '\\n'); return null; },
});
export default definePipeline({ assets: [pid], processes: { limit: 1 } });
`,
    });
    const keys = Array.from({ length: 1020 }, (_, at) => `k${at}`).join('\n');
    await project.dynpart(['partitions', 'add', 'items', '--from', '-'], { input: keys });
    const { document } = await project.json(['materialize', 'pid', '--all', '--summary']);
    expect(document.summary).toMatchObject({ total: 1020, succeeded: 1020 });
    const pids = project.read('pids').trim().split('\n');
    const first = pids.filter((one) => one === pids[0]);
    const second = pids.filter((one) => one === pids.at(-1));
    expect([first.length, second.length, pids.length]).toEqual([1000, 20, 1020]);
  });
});

describe('a state in PostgreSQL', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
  });
  afterAll(() => cluster[Symbol.dispose]());

  it('has values from such processes, too', async () => {
    await using project = new Isolated();
    const env = { DYNPART_STATE: cluster.url('processes') };
    await project.dynpart(['state', 'migrate'], { env });
    const { code, run } = await project.make('k', { env });
    expect([code, run.status]).toEqual([0, 'SUCCESS']);
    const { stdout } = await project.dynpart(['value', 'show', 'after', '--key', 'k'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ own: { base: { key: 'k' } } });
    expect((await project.make('exit', { env })).own.error.code).toBe('process-exited');
    expect((await project.make('bytes', { env })).run.status).toBe('SUCCESS');
  });
});
