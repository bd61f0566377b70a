/** Who executes runs now, as `status` tells it: with a file and with PostgreSQL, by a process that lives, and is killed. */
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
import fs from 'node:fs';
const keys = dynamicPartitions('keys');
const slow = asset({ name: 'slow', partitions: keys, materialize: async ({ partitionKey, signal }) => {
  console.error('begun ' + partitionKey);
  while (!fs.existsSync(import.meta.dirname + '/go') && !signal.aborted) await new Promise((done) => setTimeout(done, 20));
} });
export default definePipeline({ assets: [slow] });
`;

interface Worker {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  readonly lastSeen: string;
  readonly runs: readonly string[];
}

describe.each(['a file', 'PostgreSQL'])('workers with %s', (where) => {
  it('are the living processes that have runs in hand', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const env: Record<string, string> = where === 'a file' ? {} : { DYNPART_STATE: cluster.url('workers') };
    if (where !== 'a file') await project.dynpart(['state', 'migrate'], { env });
    const workers = async (): Promise<readonly Worker[]> =>
      (await project.json(['status'], { env })).document.workers as Worker[];
    await project.dynpart(['partitions', 'add', 'keys', 'a', 'b', 'c'], { env });
    await project.dynpart(['materialize', 'slow', '--all', '--no-run'], { env });
    expect(await workers()).toEqual([]);
    const before = Date.now();
    const running = project.start(['worker', '--concurrency', '2', '-v'], { env });
    await running.saw('begun a');
    await running.saw('begun b');
    const { document } = await project.json(['runs', 'list', '--status', 'STARTED'], { env });
    const started = (document.runs as { id: string }[]).map(({ id }) => id).toSorted();
    const [one, ...others] = await workers();
    expect(others).toEqual([]);
    expect({ ...one!, runs: one!.runs.toSorted() }).toEqual({
      id: expect.any(String),
      host: os.hostname(),
      pid: running.process.pid,
      since: expect.stringMatching(/Z$/),
      lastSeen: expect.stringMatching(/Z$/),
      runs: started,
      pools: [],
    });
    expect(started).toHaveLength(2);
    for (const time of [one!.since, one!.lastSeen]) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before - 1000);
      expect(Date.parse(time)).toBeLessThanOrEqual(Date.now() + 1000);
    }
    running.process.kill('SIGKILL');
    await running.done;
    expect(await workers()).toEqual([]);

    const again = project.start(['worker', '-v'], { env });
    await again.saw('begun c');
    expect((await workers()).map(({ pid }) => pid)).toEqual([again.process.pid]);
    project.write({ go: '' });
    await expect
      .poll(async () => (await project.json(['status'], { env })).document.assets[0].materialized, {
        timeout: 60_000,
      })
      .toBe(3);
    // It waits for more, and has nothing in hand.
    await expect.poll(workers, { timeout: 60_000 }).toEqual([]);
    again.process.kill('SIGTERM');
    expect((await again.done).code).toBe(0);
  });
});
