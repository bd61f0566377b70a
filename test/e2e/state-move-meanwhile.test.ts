/** A source that somebody works with while a move has begun to look at it and has not marked it yet: through the real binary, both ways. */
import { expect, it } from 'vitest';
import { fingerprintOf } from '../../src/state/document/fingerprint.ts';
import type { StateDocument } from '../../src/state/document/state-document.ts';
import { HoldingProxy } from '../support/holding-proxy.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project, type RunResult } from '../support/project.ts';

/** Finds a key at each tick. `slow` is evaluated until somebody says that it may end. */
const PIPELINE = `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const at = (name) => new URL(name, import.meta.url);
const words = dynamicPartitions('words');
const upper = asset({ name: 'upper', partitions: words, materialize: async ({ partitionKey }) => {
  if (process.env.SLOW) {
    fs.writeFileSync(at('works'), '');
    while (!fs.existsSync(at('go'))) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return partitionKey.toUpperCase();
} });
const found = sensor({ name: 'found', assets: [upper], timeoutSeconds: 60, evaluate: async ({ cursor }) => {
  const count = Number(cursor ?? 0) + 1;
  if (process.env.SLOW) {
    fs.writeFileSync(at('evaluates'), '');
    while (!fs.existsSync(at('go'))) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const key = 'word ' + count;
  return { cursor: String(count), dynamicPartitionsRequests: [words.buildAddRequest([key])], runRequests: [{ partitionKey: key, runKey: key }] };
} });
export default definePipeline({ assets: [upper], sensors: [found] });
`;

/** With which a commit in a database begins: here the move is held, with all that it asks before done. */
const COMMITS = 'pg_advisory_xact_lock';

it.each(['a file to PostgreSQL', 'PostgreSQL to a file'])(
  'of %s: what is committed after the look is named and comes along, and what comes after the mark is refused and found again',
  async (way) => {
    using cluster = await PostgresCluster.start();
    await using proxy = await HoldingProxy.start(cluster.port);
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const dynpart = (state: string, ...args: string[]): Promise<RunResult> =>
      project.dynpart([...args, '--state', state], { env: { DYNPART_STATE: '' } });
    const fingerprint = async (state: string): Promise<unknown> =>
      fingerprintOf(JSON.parse((await dynpart(state, 'state', 'export')).stdout) as StateDocument);
    const held = cluster.url('moved').replace(String(cluster.port), String(proxy.port));
    const file = project.path('.dynpart/state.json');
    expect((await dynpart(held, 'state', 'migrate')).code).toBe(0);
    const [source, target] = way.startsWith('a file') ? [file, held] : [held, file];
    // Not through what holds the move.
    const direct = source === held ? cluster.url('moved') : file;
    expect((await dynpart(direct, 'sensor', 'tick')).code).toBe(0);

    let holds = proxy.holdAt(COMMITS);
    let moving = dynpart(source, 'state', 'move', '--to', target, '-v');
    await holds.reached;
    expect((await dynpart(direct, 'sensor', 'tick')).code).toBe(0);
    const changed = await fingerprint(direct);
    holds.release();
    const refused = await moving;
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining(`${source} was changed meanwhile`),
    ]);
    expect(refused.stderr).toContain('run the command again');
    expect(await fingerprint(direct)).toEqual(changed);
    // Who works with it does so as before.
    expect((await dynpart(direct, 'sensor', 'tick')).code).toBe(0);
    const before = await fingerprint(direct);

    holds = proxy.holdAt(COMMITS);
    moving = dynpart(source, 'state', 'move', '--to', target, '-v');
    await holds.reached;
    const late = project.start(['sensor', 'tick', '--state', direct], {
      env: { DYNPART_STATE: '', SLOW: '1' },
    });
    await expect.poll(() => project.exists('evaluates'), { timeout: 60_000 }).toBe(true);
    holds.release();
    expect(await moving).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('moved 3 keys') as string,
    });
    project.write({ go: '' });
    const refusedTick = await late.done;
    expect([refusedTick.code, refusedTick.stderr]).toEqual([
      5,
      expect.stringContaining(`was moved to ${target}`),
    ]);
    expect(await fingerprint(target)).toEqual(before);
    const next = await dynpart(target, 'sensor', 'tick', '-v');
    expect([next.code, next.stderr]).toEqual([0, expect.stringContaining('started: upper for word 4')]);
    for (const word of [1, 2, 3, 4])
      expect((await dynpart(target, 'value', 'show', 'upper', '--key', `word ${word}`)).stdout).toBe(
        `"WORD ${word}"\n`,
      );
    expect(await dynpart(target, 'state', 'check')).toMatchObject({ code: 0 });
  },
);

it.each(['a file to PostgreSQL', 'PostgreSQL to a file'])(
  'of %s: a worker that takes up runs after the look is named, ends what it has, and all of it comes along',
  async (way) => {
    using cluster = await PostgresCluster.start();
    await using proxy = await HoldingProxy.start(cluster.port);
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const dynpart = (state: string, ...args: string[]): Promise<RunResult> =>
      project.dynpart([...args, '--state', state], { env: { DYNPART_STATE: '' } });
    const held = cluster.url('moved').replace(String(cluster.port), String(proxy.port));
    const file = project.path('.dynpart/state.json');
    expect((await dynpart(held, 'state', 'migrate')).code).toBe(0);
    const [source, target] = way.startsWith('a file') ? [file, held] : [held, file];
    const direct = source === held ? cluster.url('moved') : file;
    expect((await dynpart(direct, 'sensor', 'tick', '--no-run')).code).toBe(0);

    const holds = proxy.holdAt(COMMITS);
    const moving = dynpart(source, 'state', 'move', '--to', target);
    await holds.reached;
    const working = project.start(['worker', '--once', '--state', direct], {
      env: { DYNPART_STATE: '', SLOW: '1' },
    });
    await expect.poll(() => project.exists('works'), { timeout: 60_000 }).toBe(true);
    holds.release();
    const changed = await moving;
    expect([changed.code, changed.stderr]).toEqual([
      2,
      expect.stringContaining(`${source} was changed meanwhile`),
    ]);
    const busy = await dynpart(source, 'state', 'move', '--to', target);
    expect([busy.code, busy.stderr]).toEqual([
      2,
      expect.stringMatching(`process ${working.process.pid} on \\S+ is executing runs of`),
    ]);
    project.write({ go: '' });
    expect(await working.done).toMatchObject({ code: 0 });
    expect((await dynpart(source, 'state', 'move', '--to', target)).code).toBe(0);
    expect((await dynpart(target, 'value', 'show', 'upper', '--key', 'word 1')).stdout).toBe('"WORD 1"\n');
    expect(await dynpart(target, 'state', 'check')).toMatchObject({ code: 0 });
  },
);
