/**
 * A process whose values are in a bucket is killed at each of its requests there: what anybody sees is what is on record, whole, the next
 * tick makes the rest, and what comes to the bucket late replaces nothing.
 */
import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { KillingProxy, type KillWhen } from '../support/killing-proxy.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import type { RunResult } from '../support/project.ts';
import { KEYS, S3FromNpm } from '../support/s3-from-npm.ts';

/** Each execution makes another value, so that it can be told of which one a value is. */
const PIPELINE = `
  import fs from 'node:fs';
  import { asset, definePipeline, dynamicPartitions, s3, sensor } from 'dynpart';
  const letters = dynamicPartitions('letters');
  const upper = asset({
    name: 'upper', partitions: letters,
    materialize: ({ partitionKey }) => {
      fs.appendFileSync('executions', '.');
      return fs.statSync('executions').size + '-' + partitionKey;
    },
  });
  const twice = asset({ name: 'twice', partitions: letters, inputs: { upper }, materialize: ({ inputs }) => [inputs.upper, inputs.upper] });
  const nothing = sensor({ name: 'nothing', assets: [upper], evaluate: () => ({ skipReason: 'nothing' }) });
  export default definePipeline({
    assets: [upper, twice], sensors: [nothing], ioManager: s3({ bucket: 'reports', endpoint: process.env.ENDPOINT }),
  });
`;

const ignore = (): void => undefined;

/** What a killed process has sent comes to its end on the server, or never began: nobody sees one and then the other. */
async function letGo(cluster: PostgresCluster): Promise<void> {
  const client = new Client({ connectionString: cluster.server });
  await client.connect();
  const lines = `select 1 from pg_stat_activity where application_name like 'dynpart%'`;
  while ((await client.query(lines)).rows.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await client.end();
}

it.concurrent.each(['a file', 'PostgreSQL'])(
  'a state in %s: killed at any request to the bucket, nothing half done is seen and nothing late counts',
  { timeout: 600_000 },
  async (kind) => {
    await using project = new ProjectHere({ 'pipeline.ts': PIPELINE });
    using cluster = kind === 'a file' ? null : await PostgresCluster.start();
    await using server = await S3FromNpm.start(project.path('.bucket'), 'reports');
    await using proxy = await KillingProxy.start(server.endpoint);
    const env = {
      ...KEYS,
      NODE_NO_WARNINGS: '1',
      DYNPART_STATE: cluster?.url('s3') ?? '',
      ENDPOINT: server.endpoint,
    };
    const dynpart = async (...args: string[]): Promise<RunResult> => {
      const ran = await project.dynpart(args, { env });
      expect([args, ran.code, ran.stderr]).toEqual([args, 0, ran.stderr]);
      return ran;
    };
    const json = async (...args: string[]) => JSON.parse((await dynpart(...args, '--json')).stdout);
    const shown = async (asset: string): Promise<unknown> =>
      JSON.parse((await dynpart('value', 'show', asset, '--key', 'a')).stdout);
    const objects = (): string[] =>
      fs
        .readdirSync(project.path('.bucket/reports'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('._S3rver_object'))
        .map((name) => path.dirname(name));
    /** How often it was executed: of that execution a value is. */
    const executions = (): number => fs.statSync(project.path('executions')).size;
    const expectMadeBy = async (upper: number, twice = upper): Promise<void> => {
      expect(await shown('upper')).toBe(`${upper}-a`);
      expect(await shown('twice')).toEqual([`${twice}-a`, `${twice}-a`]);
    };
    if (cluster !== null) await dynpart('state', 'migrate');
    await dynpart('partitions', 'add', 'letters', 'a');
    await dynpart('materialize', '--all');
    let onRecord = executions();
    const tried = { resumed: 0, recorded: 0 };

    const startAndKill = async (
      args: readonly string[],
      at: number,
      when: KillWhen,
      method = '',
    ): Promise<RunResult> => {
      let kill = ignore;
      proxy.arm(at, when, () => kill(), method);
      const started = project.start(args, { env: { ...env, ENDPOINT: proxy.endpoint } });
      kill = () => void started.process.kill('SIGKILL');
      const ended = await started.done;
      if (cluster !== null) await letGo(cluster);
      return ended;
    };

    /** @returns whether there was such a request */
    const killAt = async (at: number, when: KillWhen): Promise<boolean> => {
      const { signal, code, stderr } = await startAndKill(['materialize', '--all'], at, when);
      const where = `${when} request ${at}: ${proxy.asked.join(', ')} ${stderr}`;
      if (signal === null) {
        expect([where, code]).toEqual([where, 0]);
        onRecord = executions();
        expect(objects()).toHaveLength(2);
        return false;
      }
      const [run] = (await json('runs', 'list', '--limit', '1')).runs;
      const isOnRecord = run.status === 'SUCCESS';
      // Where a run takes long, what it has made is on record before its end is.
      const isHalf = run.assets[0].status === 'SUCCESS';
      await expectMadeBy(isHalf ? executions() : onRecord, isOnRecord ? executions() : onRecord);
      // In a process of its own, which ends when it is done.
      const ticked = await project.start(['sensor', 'tick', '--json'], { env }).done;
      const { resumed } = JSON.parse(ticked.stdout);
      expect([where, resumed.map(({ id, status }: { id: string; status: string }) => [id, status])]).toEqual([
        where,
        isOnRecord ? [] : [[run.id, 'SUCCESS']],
      ]);
      tried[isOnRecord ? 'recorded' : 'resumed']++;
      onRecord = executions();
      await expectMadeBy(onRecord);
      // What the killed process has saved goes with the record of its run; what was there before one that was killed behind its commit, with the next.
      if (!isOnRecord) expect([where, objects()]).toEqual([where, [expect.anything(), expect.anything()]]);
      if (when === 'late') {
        await proxy.deliver();
        expect(objects()).toHaveLength(3);
        await expectMadeBy(onRecord);
      }
      return true;
    };

    /** The process that has saved a value is killed, and the one that takes its run up at a deletion. @returns whether it had so many */
    const killTwice = async (put: number, deletion: number): Promise<boolean> => {
      const first = await startAndKill(['materialize', '--all'], put, 'after', 'PUT ');
      expect(first.signal).toBe('SIGKILL');
      // The server tells seconds: what is saved now is seen to come later.
      await new Promise((resolve) => setTimeout(resolve, 1020 - (Date.now() % 1000)));
      const second = await startAndKill(['sensor', 'tick'], deletion, 'before', 'DELETE ');
      const [run] = (await json('runs', 'list', '--limit', '1')).runs;
      // What is replaced is deleted behind the record of its asset: where a run takes long, that comes before the end of the run.
      const isOver = run.status === 'SUCCESS';
      expect([second.stderr, run.assets[0].status]).toEqual([second.stderr, 'SUCCESS']);
      await expectMadeBy(executions(), isOver ? executions() : onRecord);
      if (!isOver) await project.start(['sensor', 'tick'], { env }).done;
      onRecord = executions();
      await expectMadeBy(onRecord);
      const next = await startAndKill(['materialize', '--all'], Infinity, 'before');
      expect([next.stderr, next.code, objects()]).toEqual([
        next.stderr,
        0,
        [expect.anything(), expect.anything()],
      ]);
      onRecord = executions();
      await expectMadeBy(onRecord);
      return second.signal !== null;
    };

    expect(await killAt(1, 'before')).toBe(true);
    for (let at = 1; await killAt(at, 'after'); at++);
    // The two that save: the last requests of a process that is long gone.
    const puts = proxy.asked.flatMap((asked, at) => (asked.startsWith('PUT ') ? [at + 1] : []));
    expect(puts).toHaveLength(2);
    for (const at of puts) expect(await killAt(at, 'late')).toBe(true);
    for (const put of [1, 2]) {
      expect(await killTwice(put, 1)).toBe(true);
      for (let deletion = 2; await killTwice(put, deletion); deletion++);
    }
    expect(tried.resumed).toBeGreaterThanOrEqual(6);
    expect(tried.recorded).toBeGreaterThanOrEqual(2);
    expect(await killAt(Infinity, 'before')).toBe(false);
    await expectMadeBy(onRecord);
    expect((await json('state', 'check')).problems).toEqual([]);
  },
);
