/** Assets that make many keys in one call: each key has an end of its own, in the command and in a process of its own. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ProjectHere } from '../support/in-process.ts';
import type { RunOptions, RunResult } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, RetryAfter, skip } from 'dynpart';
const items = dynamicPartitions<{ n: number }>('items');
const note = (text: string) => fs.appendFileSync(new URL('notes', import.meta.url), text + '\\n');
const { FLAWS = '', ISOLATION = 'none', SIZE = '4', TIMEOUT, LIMIT } = process.env;
const base = asset({ name: 'base', partitions: items, materialize: ({ partitionKey }) => 'base of ' + partitionKey });
const many = asset({
  name: 'many', partitions: items, inputs: { base }, batch: Number(SIZE), isolation: ISOLATION as 'none',
  retry: { maxRetries: FLAWS.includes('retry') ? 1 : 0 },
  ...(TIMEOUT && { timeoutMs: Number(TIMEOUT) }), ...(LIMIT && { concurrency: Number(LIMIT) }),
  checks: {
    right: ({ partitionKey }) => partitionKey !== 'unchecked' || 'it is not right',
    later: ({ value }) => {
      if (FLAWS === 'not yet' && value.attempt === 1 && value.n === 2) throw new RetryAfter(0.01);
      return true;
    },
  },
  async *materialize({ keys, log, run, addMetadata, signal, exec }) {
    note(keys.map(({ partitionKey }) => partitionKey).join());
    if (FLAWS === 'throws') throw new Error('down');
    if (FLAWS === 'program') void exec('sleep', ['60']);
    for (const { partitionKey: key, item, version, inputs } of keys) {
      log.info('at ' + key);
      addMetadata({ of: key });
      if (FLAWS === 'stops' && key === 'c') fs.writeFileSync(new URL('waits', import.meta.url), '');
      if ((FLAWS === 'stops' || FLAWS === 'waits') && key === 'c') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
      if (FLAWS === 'waits' && key === 'b') while (!fs.existsSync(new URL('go on', import.meta.url))) await new Promise((resolve) => setTimeout(resolve, 10));
      if (FLAWS === 'is told to throw' && key === 'c') {
        while (!fs.existsSync(new URL('go on', import.meta.url))) await new Promise((resolve) => setTimeout(resolve, 10));
        throw new Error('told to');
      }
      if (FLAWS === 'dies' && key === 'c') process.exit(3);
      if (FLAWS === 'retry' && run.attempt === 1 && (key === 'b' || key === 'd')) continue;
      if (FLAWS === 'not yet' && run.attempt === 1 && key === 'c') await new Promise((resolve) => setTimeout(resolve, 500));
      if (FLAWS === 'again' && run.attempt === 1) throw new RetryAfter(0.01);
      if (key === 'left out') continue;
      if (key === 'skipped') { yield [key, skip('nothing')]; continue; }
      if (FLAWS === 'stranger' && key === 'c') yield ['stranger', 1 as never];
      if (FLAWS === 'shape' && key === 'c') yield key as never;
      yield [key, { base: inputs.base, n: item?.n ?? null, version, of: keys.length, pid: process.pid, attempt: run.attempt }];
      if (FLAWS === 'twice' && key === 'b') yield [key, 1 as never];
    }
    note('end');
  },
});
const after = asset({ name: 'after', partitions: items, inputs: { many }, materialize: ({ inputs }) => inputs.many.of });
export default definePipeline({ assets: [base, many, after] });
`;

class Batch extends ProjectHere {
  constructor() {
    super({ 'pipeline.ts': PIPELINE });
  }

  /** The command has a process where its assets have. */
  override dynpart(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return options.env?.['ISOLATION'] === 'process'
      ? this.start(args, options).done
      : super.dynpart(args, options);
  }

  async make(keys: readonly string[], env: Record<string, string> = {}, more: readonly string[] = []) {
    await this.dynpart(['partitions', 'add', 'items', ...keys], { env });
    const { code, document } = await this.json(['materialize', 'base', 'many', 'after', '--all', ...more], {
      env,
    });
    const ends = document.runs.map(
      (run: {
        partitionKey: string;
        assets: { asset: string; status: string; error: { code: string } | null }[];
      }) => {
        const { status, error } = run.assets.find(({ asset }) => asset === 'many')!;
        return [run.partitionKey, error?.code ?? status];
      },
    );
    return { code, runs: document.runs, ends: Object.fromEntries(ends) as Record<string, string> };
  }

  get calls(): string[] {
    return this.exists('notes') ? this.read('notes').trim().split('\n') : [];
  }
}

const ALL_MADE = { a: 'SUCCESS', b: 'SUCCESS', c: 'SUCCESS', d: 'SUCCESS' };

for (const ISOLATION of ['none', 'process'])
  describe.concurrent(`an asset with batch, isolation ${ISOLATION}`, () => {
    it('is called for so many keys at once, each with its item, version, inputs, value, metadata and log', async () => {
      await using project = new Batch();
      await project.dynpart(['partitions', 'add', 'items', 'b', '--item', '{"n":2}', '--version', 'v1']);
      const { code, runs, ends } = await project.make(['b', 'a', 'c', 'd', 'e', 'f'], { ISOLATION });
      expect([code, ends]).toEqual([0, { ...ALL_MADE, e: 'SUCCESS', f: 'SUCCESS' }]);
      const sizes = project.calls.filter((call) => call !== 'end').map((call) => call.split(',').length);
      expect(new Set(sizes)).toEqual(new Set([2, 4]));
      const { stdout } = await project.dynpart(['value', 'show', 'many', '--key', 'b']);
      expect(JSON.parse(stdout)).toMatchObject({ base: 'base of b', n: 2, version: 'v1', of: 4 });
      for (const { id, partitionKey: key, assets } of runs) {
        expect(assets[1]).toMatchObject({ metadata: { of: key }, attempts: 1 });
        const log = await project.dynpart(['runs', 'logs', id]);
        expect(log.stdout).toContain(`at ${key}`);
      }
    });

    it('that leaves one out, skips one or yields what a check refuses: that is the end of these alone', async () => {
      await using project = new Batch();
      const { code, ends } = await project.make(['a', 'left out', 'skipped', 'unchecked'], { ISOLATION });
      expect([code, ends]).toEqual([
        1,
        { a: 'SUCCESS', 'left out': 'not-yielded', skipped: 'SKIPPED', unchecked: 'check-failed' },
      ]);
    });

    it.each([
      ['throws', { a: 'asset-threw', b: 'asset-threw', c: 'asset-threw', d: 'asset-threw' }],
      ['stranger', { ...ALL_MADE, c: 'wrong-yield', d: 'wrong-yield' }],
      ['shape', { ...ALL_MADE, c: 'wrong-yield', d: 'wrong-yield' }],
      ['twice', { ...ALL_MADE, c: 'wrong-yield', d: 'wrong-yield' }],
    ])('keeps what it yielded before something went wrong (%s)', async (FLAWS, ends) => {
      await using project = new Batch();
      expect((await project.make(['a', 'b', 'c', 'd'], { ISOLATION, FLAWS })).ends).toEqual(ends);
    });

    it('keeps what it yielded before its timeout', async () => {
      await using project = new Batch();
      const { ends } = await project.make(['a', 'b', 'c', 'd'], {
        ISOLATION,
        FLAWS: 'stops',
        TIMEOUT: '2500',
      });
      expect(ends).toEqual({ ...ALL_MADE, c: 'asset-timeout', d: 'asset-timeout' });
    });

    it('tries those again, together, that have failed', async () => {
      await using project = new Batch();
      const { ends, runs } = await project.make(['a', 'b', 'c', 'd'], { ISOLATION, FLAWS: 'retry' });
      expect(ends).toEqual(ALL_MADE);
      expect(project.calls).toEqual(['a,b,c,d', 'end', 'b,d', 'end']);
      expect(runs.map(({ attempts }: { attempts: number }) => attempts).toSorted()).toEqual([1, 1, 2, 2]);
    });

    it('tries those again together of which one failed long before the other', async () => {
      await using project = new Batch();
      for (const key of ['b', 'd'])
        await project.dynpart(['partitions', 'add', 'items', key, '--item', '{"n":2}']);
      const { ends } = await project.make(['a', 'c'], { ISOLATION, FLAWS: 'not yet' });
      expect(ends).toEqual(ALL_MADE);
      expect(project.calls).toEqual(['b,d,a,c', 'end', 'b,d', 'end']);
    });

    it('is called anew when it asks for that', async () => {
      await using project = new Batch();
      expect((await project.make(['a', 'b', 'c', 'd'], { ISOLATION, FLAWS: 'again' })).ends).toEqual(
        ALL_MADE,
      );
    });

    it('makes as many calls at once as its concurrency says, and all in the end', async () => {
      await using project = new Batch();
      const { ends } = await project.make(['a', 'b', 'c', 'd'], { ISOLATION, SIZE: '2', LIMIT: '1' });
      expect(ends).toEqual(ALL_MADE);
      expect(project.calls).toEqual(['a,b', 'end', 'c,d', 'end']);
    });

    it('is one run of the pipeline at a time, however many keys it has', async () => {
      await using project = new Batch();
      const { ends } = await project.make(['a', 'b', 'c', 'd'], { ISOLATION }, ['--concurrency', '1']);
      expect(ends).toEqual(ALL_MADE);
      expect(project.calls).toEqual(['a,b,c,d', 'end']);
    });

    it('loses only what it had not yielded when the command is killed', async () => {
      await using project = new Batch();
      await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
      const env = { ISOLATION, FLAWS: 'stops' };
      const running = project.start(['materialize', 'base', 'many', '--all'], { env });
      await vi.waitFor(
        async () => {
          const { document } = await project.json(['runs', 'list', '--status', 'SUCCESS']);
          expect(document.runs.length).toBe(2);
        },
        { timeout: 60_000 },
      );
      running.process.kill('SIGKILL');
      await running.done;
      const { document } = await project.json(['materialize', 'base', 'many', '--missing'], {
        env: { ISOLATION },
      });
      expect(document.summary).toMatchObject({ succeeded: 2, failed: 0 });
      // They took a process down: each is executed alone.
      expect(project.calls).toEqual(['a,b,c,d', 'c', 'end', 'd', 'end']);
    });

    it('ends on Ctrl-C, and what it had yielded is on record', async () => {
      await using project = new Batch();
      await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
      const running = project.start(['materialize', 'base', 'many', '--all'], {
        env: { ISOLATION, FLAWS: 'stops' },
      });
      await vi.waitFor(() => expect(project.exists('waits')).toBe(true), { timeout: 60_000 });
      running.process.kill('SIGINT');
      expect((await running.done).code).toBe(130);
      const { document } = await project.json(['runs', 'list']);
      const statuses = document.runs.map(({ status }: { status: string }) => status).toSorted();
      expect(statuses).toEqual(['CANCELED', 'CANCELED', 'SUCCESS', 'SUCCESS']);
    });

    it('goes on for the others when one key is canceled', async () => {
      await using project = new Batch();
      await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
      const running = project.start(['materialize', 'base', 'many', '--all', '--json'], {
        env: { ISOLATION, FLAWS: 'is told to throw' },
      });
      await vi.waitFor(() => expect(project.calls).toEqual(['a,b,c,d']), { timeout: 60_000 });
      await project.dynpart(['runs', 'cancel', '--status', 'STARTED', '--key', 'd']);
      project.write({ 'go on': '' });
      const { runs } = JSON.parse((await running.done).stdout) as {
        runs: { partitionKey: string; status: string }[];
      };
      expect(Object.fromEntries(runs.map(({ partitionKey, status }) => [partitionKey, status]))).toEqual({
        a: 'SUCCESS',
        b: 'SUCCESS',
        c: 'FAILURE',
        d: 'CANCELED',
      });
    });

    it('ends with the yield behind which nothing of it is wanted any more', async () => {
      await using project = new Batch();
      await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
      const running = project.start(['materialize', 'base', 'many', '--all', '--json'], {
        env: { ISOLATION, FLAWS: 'waits' },
      });
      await vi.waitFor(() => expect(project.calls).toEqual(['a,b,c,d']), { timeout: 60_000 });
      for (const key of ['c', 'd'])
        await project.dynpart(['runs', 'cancel', '--status', 'STARTED', '--key', key]);
      // Longer than a process takes to hear that a run was canceled.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      project.write({ 'go on': '' });
      const { runs } = JSON.parse((await running.done).stdout) as {
        runs: { partitionKey: string; status: string }[];
      };
      expect(Object.fromEntries(runs.map(({ partitionKey, status }) => [partitionKey, status]))).toEqual({
        a: 'SUCCESS',
        b: 'SUCCESS',
        c: 'CANCELED',
        d: 'CANCELED',
      });
    });
  });

describe('an asset with batch', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
  });
  afterAll(() => cluster[Symbol.dispose]());

  it('in a process that dies keeps what it had yielded', async () => {
    await using project = new Batch();
    const { ends } = await project.make(['a', 'b', 'c', 'd'], { ISOLATION: 'process', FLAWS: 'dies' });
    expect(ends).toEqual({ ...ALL_MADE, c: 'process-exited', d: 'process-exited' });
  });

  it.each(['none', 'process'])('works with a state in PostgreSQL, isolation %s', async (ISOLATION) => {
    await using project = new Batch();
    const env = { DYNPART_STATE: cluster.url(`batch_${ISOLATION}`), ISOLATION, FLAWS: 'twice' };
    await project.dynpart(['state', 'migrate'], { env });
    expect((await project.make(['a', 'b', 'c', 'd'], env)).ends).toEqual({
      ...ALL_MADE,
      c: 'wrong-yield',
      d: 'wrong-yield',
    });
  });

  it('begins no further call after a failure with --fail-fast', async () => {
    await using project = new Batch();
    const { runs } = await project.make(['left out', 'a', 'b', 'c'], { SIZE: '1' }, [
      '--fail-fast',
      '--concurrency',
      '1',
    ]);
    expect(runs.map(({ status }: { status: string }) => status).toSorted()).toEqual([
      'CANCELED',
      'CANCELED',
      'CANCELED',
      'FAILURE',
    ]);
    expect(project.calls).toEqual(['left out', 'end']);
  });

  it('is refused without partitions, and with no number of keys', async () => {
    await using project = new ProjectHere({
      'pipeline.ts': `import { asset, definePipeline } from 'dynpart';
const many = asset({ name: 'many', batch: 0, materialize: () => [] } as never);
export default definePipeline({ assets: [many], isolation: 'processes', processes: { limit: 0 } } as never);
`,
    });
    const { code, stderr } = await project.dynpart(['materialize', '--all']);
    expect(code).toBe(2);
    for (const words of [
      "batch of asset 'many' must be a whole number above 0",
      'it needs partitions',
      "isolation of the pipeline must be 'process' or 'none', not 'processes'",
      'processes.limit of the pipeline must be a whole number above 0',
    ])
      expect(stderr).toContain(words);
  });
});
