/** An asset that blocks its process for ever: everybody who meets that process says so, and nobody waits for it. */
import fs from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { describeEachStore } from '../support/each-store.ts';
import { ByHandHere } from '../support/in-process.ts';

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

const SENSORS = `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const items = dynamicPartitions('items');
// As a loop that turns for ever, but for the processor that the other tests want.
const block = () => { for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); };
const named = (name: string, evaluate: () => Promise<undefined>) => sensor({ name, timeoutSeconds: 3, evaluate });
// Longer than it takes until all of them are evaluated, where one is to block the others.
const aWhile = () => sleep(process.env.GUILTY === 'never' ? 10 : 2500);
export default definePipeline({ partitions: [items], sensors: [
  named('first', async () => void (await aWhile())),
  named(process.env.GUILTY === 'at once' ? 'guilty' : 'second', async () => void (process.env.GUILTY === 'at once' ? block() : await aWhile())),
  named(process.env.GUILTY === 'at once' ? 'second' : 'guilty', async () => {
    await sleep(50);
    if (process.env.GUILTY === 'later') block();
  }),
] });
`;

describeEachStore('a process that one of several sensors blocks', ByHandHere, (projectWith) => {
  it.concurrent.for(['at once', 'later'])(
    'is told of that sensor alone, which blocks it %s',
    async (when, { expect }) => {
      await using project = projectWith({ 'pipeline.ts': SENSORS });
      const blocked = project.start(['sensor', 'tick'], { env: { GUILTY: when } });
      const stuck = async (args: readonly string[]) => {
        const { code, document } = await project.json(['sensor', 'tick', ...args], {
          env: { GUILTY: when === 'at once' ? when : 'never' },
        });
        return { code, document };
      };
      await vi.waitFor(
        async () =>
          expect(
            (await project.json(['sensor', 'list'])).document.sensors.filter(
              (one: { evaluating: unknown }) => one.evaluating !== null,
            ),
          ).toHaveLength(3),
        { timeout: 60_000 },
      );
      // Their timeout and five seconds.
      await new Promise((resolve) => setTimeout(resolve, 8500));
      const all = await stuck([]);
      expect(all.code).toBe(3);
      expect(
        all.document.ticks
          .map((tick: { sensor: string; status: string }) => `${tick.sensor} ${tick.status}`)
          .sort(),
      ).toEqual(['first BUSY', 'guilty FAILURE', 'second BUSY']);
      const { error } = all.document.ticks.find((tick: { sensor: string }) => tick.sensor === 'guilty');
      expect(error).toMatchObject({
        code: 'sensor-stuck',
        hint: expect.stringContaining(`kill -9 ${blocked.process.pid}`) as string,
      });
      // Who asks for another one alone is told who is in its way.
      const one = await stuck(['first']);
      expect(one).toMatchObject({
        code: 3,
        document: { error: { code: 'sensor-stuck', message: expect.stringContaining("'guilty'") as string } },
      });
      blocked.process.kill('SIGKILL');
      await blocked.done;
      const claims = project.path('.dynpart', 'claims');
      if (fs.existsSync(claims))
        expect(fs.readdirSync(claims).some((name) => name.endsWith('.thread'))).toBe(true);
      if (when === 'later') expect(await stuck([])).toMatchObject({ code: 0 });
    },
  );
});

const SEVERAL = `import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const isStopped = () => fs.existsSync(new URL('stop', import.meta.url));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function work(key: string, isChecked = false) {
  // Long enough for whoever watches the event loop to have begun with it.
  await sleep(8000);
  // In a call of the system it does not hear who asks whose code it is: it is asked again.
  if (key === 'bad' && isChecked) execFileSync('sleep', ['28']);
  if (key === 'bad') while (!isStopped()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  while (!isStopped()) await sleep(10);
  return key;
}
export default definePipeline({ assets: [
  asset({ name: 'made', partitions: items, timeoutMs: 20_000, materialize: ({ partitionKey }) => work(partitionKey) }),
  asset({ name: 'checked', partitions: items, timeoutMs: 20_000, materialize: ({ partitionKey }) => partitionKey, checks: {
    slow: async ({ value }) => void (await work(value as string, true)) ?? true,
  } }),
], sensors: [sensor({ name: 'idle', evaluate: () => ({ skipReason: 'nothing' }) })] });
`;

describeEachStore('a process that one of several runs blocks', ByHandHere, (projectWith) => {
  it.concurrent.for(['made', 'checked'])(
    'is named with that run alone, without waiting for a sign of life (%s)',
    { timeout: 300_000 },
    async (asset, { expect }) => {
      await using project = projectWith({ 'pipeline.ts': SEVERAL });
      const { DYNPART_STATE: state } = project.environment;
      // A sign of life each quarter of an hour: what blocks is told of without one.
      const env = state === undefined ? {} : { DYNPART_STATE: `${state}&lease=3600` };
      await project.dynpart(['partitions', 'add', 'items', 'good', 'bad'], { env });
      const args = ['materialize', asset, '--key', 'good', '--key', 'bad'];
      const blocked = project.start(args, { env, killAfterMs: 280_000 });
      const { runs } = await vi.waitFor(
        async () => {
          const { document } = await project.json(['runs', 'list', '--status', 'STARTED'], { env });
          expect(document.runs).toHaveLength(2);
          return document;
        },
        { timeout: 60_000, interval: 200 },
      );
      const { id } = runs.find((run: { partitionKey: string }) => run.partitionKey === 'bad');
      await vi.waitFor(
        async () => {
          const { code, document } = await project.json(['sensor', 'tick'], { env });
          expect({ code, document }).toMatchObject({ code: 1, document: { error: { code: 'run-blocked' } } });
          expect(document.error.message).toContain(`process ${blocked.process.pid}`);
          expect(document.error.message).toContain(`code of run ${id} (`);
        },
        { timeout: 60_000, interval: 2000 },
      );
      project.write({ stop: '' });
      await vi.waitFor(
        async () => expect((await project.dynpart(['sensor', 'tick'], { env })).code).toBe(0),
        { timeout: 60_000, interval: 200 },
      );
      await blocked.done;
    },
  );
});

describe.concurrent('a process that an asset blocks', () => {
  it('is named with its pid and what to do, until it was ended', async () => {
    await using project = new ByHandHere({ 'pipeline.ts': PIPELINE });
    await project.dynpart(['partitions', 'add', 'items', 'bad', 'good', 'other']);
    const blocked = project.start(['materialize', 'made', '--key', 'bad', '--key', 'good']);
    const named = {
      code: 'run-blocked',
      message: expect.stringContaining(`process ${blocked.process.pid}`) as string,
    };
    // Its timeout and five seconds.
    await vi.waitFor(async () => expect((await project.dynpart(['sensor', 'tick'])).code).toBe(1), {
      timeout: 60_000,
      interval: 1000,
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
  });
});
