/** An asset that blocks its process for ever: everybody who meets that process says so, and nobody waits for it. */
import { describe, expect, it, vi } from 'vitest';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const made = asset({ name: 'made', partitions: items, timeoutMs: 500, materialize({ partitionKey }) {
  if (partitionKey === 'bad') for (;;);
  return partitionKey;
} });
export default definePipeline({ assets: [made], sensors: [
  sensor({ name: 'idle', evaluate: () => ({ skipReason: 'nothing' }) }),
] });
`;

describe('a process that an asset blocks', () => {
  it('is named with its pid and what to do, until it was ended', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    await project.dynpart(['partitions', 'add', 'items', 'bad', 'good', 'other']);
    const blocked = project.start(['materialize', 'made', '--key', 'bad', '--key', 'good']);
    const named = {
      code: 'run-blocked',
      message: expect.stringContaining(`process ${blocked.process.pid}`) as string,
    };
    // Its timeout and five seconds.
    await vi.waitFor(async () => expect((await project.dynpart(['sensor', 'tick'])).code).toBe(1), {
      timeout: 30_000,
      interval: 500,
    });
    const tick = await project.json(['sensor', 'tick', '--json']);
    expect(tick).toMatchObject({ code: 1, document: { error: named } });
    expect(tick.document.error.hint).toContain(`kill -9 ${blocked.process.pid}`);

    const listed = await project.json(['runs', 'list', '--status', 'STARTED']);
    const [{ id, startedAt, partitionKey }] = listed.document.runs;
    expect([partitionKey, startedAt]).toEqual(['bad', expect.any(String)]);
    expect((await project.json(['runs', 'show', id])).document.run).toMatchObject({
      status: 'STARTED',
      startedAt,
    });

    const waiting = await project.json(['materialize', 'made', '--key', 'good', '--key', 'other']);
    expect(waiting).toMatchObject({
      code: 1,
      document: { error: named, summary: { succeeded: 1, canceled: 1 } },
    });
    expect(await project.json(['worker', '--once'])).toMatchObject({ code: 1, document: { error: named } });
    expect(await project.json(['runs', 'cancel', id])).toMatchObject({ code: 1, document: { error: named } });

    blocked.process.kill('SIGKILL');
    await blocked.done;
    const after = await project.json(['sensor', 'tick']);
    expect(after).toMatchObject({
      code: 0,
      document: {
        resumed: [
          { partitionKey: 'bad', status: 'CANCELED' },
          { partitionKey: 'good', status: 'SUCCESS' },
        ],
      },
    });
  }, 60_000);
});
