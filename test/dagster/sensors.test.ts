/** Dagster's acceptance cases for sensors and for what a kill leaves, by their numbers in docs/coming-from-dagster.md. */
import { asset, definePipeline, dynamicPartitions, sensor, type SensorOptions } from 'dynpart';
import { testPipeline } from 'dynpart/testing';
import { describe, expect, it } from 'vitest';

const quux = dynamicPartitions('quux');
const made = asset({ name: 'made', partitions: quux, materialize: () => 1 });

type Evaluate = SensorOptions['evaluate'];

/** One sensor, and what became of its ticks. */
function world(evaluate: Evaluate, options: Partial<SensorOptions> = {}) {
  const probe = sensor({ name: 'probe', assets: [made], ...options, evaluate });
  return testPipeline(definePipeline({ assets: [made], sensors: [probe] }));
}

const swap: Evaluate = () => ({
  dynamicPartitionsRequests: [quux.buildAddRequest(['1']), quux.buildDeleteRequest(['2', '3'])],
  runRequests: [{ partitionKey: '1', runKey: '1' }],
});

const once: Evaluate = () => ({
  dynamicPartitionsRequests: [quux.buildAddRequest(['a'])],
  runRequests: [{ partitionKey: 'a', runKey: 'only_once' }],
});

const named = (name: string, defaultStatus: 'running' | 'stopped') =>
  sensor({ name, defaultStatus, evaluate: () => undefined });

describe('a sensor that asks for keys', () => {
  it('Dagster 24: is told which were added and which were there', async () => {
    const test = world(() => ({ dynamicPartitionsRequests: [quux.buildAddRequest(['baz', 'foo'])] }));
    await test.add(quux, ['foo']);
    expect((await test.tick('probe')).partitions).toEqual([
      { set: 'quux', added: ['baz'], updated: [], removed: [], skipped: ['foo'] },
    ]);
    expect(await test.keys(quux)).toEqual(['foo', 'baz']);
  });

  it('Dagster 25: adds, removes and runs in one tick, and tells each request by itself', async () => {
    const test = world(swap);
    await test.add(quux, ['2']);
    expect(await test.tick('probe')).toMatchObject({
      status: 'SUCCESS',
      partitions: [
        { added: ['1'], removed: [], skipped: [] },
        { added: [], removed: ['2'], skipped: ['3'] },
      ],
      runs: [{ partitionKey: '1', status: 'SUCCESS' }],
    });
    expect(await test.keys(quux)).toEqual(['1']);
  });

  it('Dagster 26: may say the same again: all of it is skipped', async () => {
    const test = world(swap);
    await test.add(quux, ['2']);
    await test.tick();
    await test.advance('60s');
    expect(await test.tick('probe')).toMatchObject({
      error: null,
      partitions: [
        { added: [], skipped: ['1'] },
        { removed: [], skipped: ['2', '3'] },
      ],
      runs: [],
      skippedRunKeys: ['1'],
    });
  });

  it('Dagster 27: cannot run what it removes: nothing is applied', async () => {
    const test = world(() => ({
      cursor: 'later',
      dynamicPartitionsRequests: [quux.buildDeleteRequest(['2'])],
      runRequests: [{ partitionKey: '2' }],
    }));
    await test.add(quux, ['2']);
    const { status, error } = await test.tick('probe');
    expect([status, error!.code]).toEqual(['FAILURE', 'sensor-result']);
    expect(error!.message).toContain('key "2" of a run request is not in set \'quux\'');
    expect([await test.keys(quux), await test.cursor('probe')]).toEqual([['2'], null]);
  });

  it('Dagster 31: finds the releases that are new', async () => {
    let releases: string[] = [];
    const test = world(({ cursor }) => {
      const fresh = releases.filter((one) => cursor === null || one > cursor);
      if (fresh.length === 0) return { skipReason: 'No new releases' };
      return {
        cursor: fresh.at(-1)!,
        dynamicPartitionsRequests: [quux.buildAddRequest(fresh)],
        runRequests: fresh.map((partitionKey) => ({ partitionKey })),
      };
    });
    expect((await test.tick('probe')).skipReason).toBe('No new releases');
    releases = ['1.1.0'];
    expect((await test.tick('probe')).runs).toMatchObject([{ partitionKey: '1.1.0' }]);
    expect([await test.keys(quux), await test.cursor('probe')]).toEqual([['1.1.0'], '1.1.0']);
    releases = ['1.1.0', '1.2.0'];
    expect((await test.tick('probe')).runs).toMatchObject([{ partitionKey: '1.2.0' }]);
    expect(await test.keys(quux)).toEqual(['1.1.0', '1.2.0']);
  });
});

describe('a tick', () => {
  it('Dagster 32: launches a run key once, ever', async () => {
    const test = world(() => ({
      dynamicPartitionsRequests: [quux.buildAddRequest(['a'])],
      runRequests: [{ partitionKey: 'a', runKey: 'only_once' }],
    }));
    expect((await test.tick('probe')).runs).toHaveLength(1);
    await test.advance('30s');
    expect(await test.tick('probe')).toMatchObject({
      status: 'SKIPPED',
      runs: [],
      skippedRunKeys: ['only_once'],
    });
    // A run of the same key by hand does not change that.
    await test.materialize(made, 'a');
    expect(await test.tick('probe')).toMatchObject({ status: 'SKIPPED', skippedRunKeys: ['only_once'] });
  });

  it.each([{ skipReason: 'nothing' }, { runRequests: [{ partitionKey: 'a' }] }])(
    'Dagster 33: keeps its cursor, whether it did something or not: %j',
    async (result) => {
      const test = world(({ cursor }) => ({ ...result, cursor: `${Number(cursor ?? 0) + 1}` }));
      await test.add(quux, ['a']);
      for (const cursor of ['1', '2']) {
        await test.tick();
        expect(await test.cursor('probe')).toBe(cursor);
      }
    },
  );

  it('Dagster 34: that throws is a failure, keeps the cursor, and counts as a tick', async () => {
    const seen: (Date | null)[] = [];
    const test = world(({ lastTickAt }) => {
      seen.push(lastTickAt);
      throw new Error('womp womp');
    });
    await test.setCursor('probe', 'kept');
    const { status, error } = await test.tick('probe');
    expect([status, error!.code]).toEqual(['FAILURE', 'sensor-threw']);
    expect(error!.message).toContain('womp womp');
    await test.tick();
    expect([await test.cursor('probe'), seen]).toEqual(['kept', [null, expect.any(Date)]]);
  });

  it.each([30, 60])(
    'Dagster 35: keeps its interval of %d s, which stop and start do not reset',
    async (seconds) => {
      const test = world(() => undefined, { minimumIntervalSeconds: seconds });
      const due = async (): Promise<number> => (await test.tickDue()).ticks.length;
      expect(await due()).toBe(1);
      await test.advance(`${seconds / 2}s`);
      await test.stop('probe');
      await test.start('probe');
      expect(await due()).toBe(0);
      await test.advance(`${seconds / 2 + 1}s`);
      expect(await due()).toBe(1);
    },
  );

  it('Dagster 37: that requests what cannot be made is a failure, with all that is wrong', async () => {
    const lone = asset({ name: 'lone', materialize: () => 1 });
    const probe = sensor({
      name: 'probe',
      evaluate: () => ({
        runRequests: [
          { partitionKey: 'a' },
          { assets: ['nobody'] },
          { assets: [lone], partitionKey: 'a' },
          { assets: [made] },
        ],
      }),
    });
    const test = testPipeline(definePipeline({ assets: [made, lone], sensors: [probe] }));
    const { status, error } = await test.tick('probe');
    expect([status, error!.code]).toEqual(['FAILURE', 'sensor-result']);
    for (const number of [0, 1, 2, 3]) expect(error!.message).toContain(`runRequests[${number}]`);
  });

  it('Dagster 39: is made of a sensor that runs by default, and not of one that does not', async () => {
    const test = testPipeline(
      definePipeline({ sensors: [named('runs', 'running'), named('stands', 'stopped')] }),
    );
    expect((await test.tick()).ticks.map((tick) => tick.sensor)).toEqual(['runs']);
    await test.start('stands');
    await test.stop('runs');
    expect((await test.tick()).ticks.map((tick) => tick.sensor)).toEqual(['stands']);
  });

  it.each([
    ['two results', () => [{}, {}]],
    ['a text', () => 'skip'],
    [
      'a generator',
      function* () {
        yield {};
      },
    ],
    ['runs beside a reason to skip', () => ({ skipReason: 'no', runRequests: [{ partitionKey: 'a' }] })],
  ])('Dagster 41: that returns something else is a failure: %s', async (_, evaluate) => {
    const test = world(evaluate as Evaluate);
    await test.add(quux, ['a']);
    expect(await test.tick('probe')).toMatchObject({
      status: 'FAILURE',
      error: { code: 'sensor-result' },
      runs: [],
    });
  });
});

describe('a kill', () => {
  /** Where each of the kills of a tick with one run is: before and after the tick's commit, before and after the run's. */
  const PLACES = {
    'Dagster 43: before anything is committed leaves nothing, and the next tick makes the one run':
      'before 1',
    'Dagster 44: when the run is queued leaves it, and the next tick makes it and no other': 'after 1',
    'Dagster 45: when the run is at work leaves it, and the next tick makes it again, on record once':
      'before 2',
  };

  it.each(Object.entries(PLACES))('%s', async (_, place) => {
    const test = world(once);
    const crashes = await test.crashEverywhere(
      (test) => test.tick(),
      async (test, crash) => {
        if (crash === null || `${crash.when} ${crash.commit}` !== place) return;
        expect(await test.status(made, 'a')).toBe('materialized');
        const [only] = (await test.show(quux, 'a')).assets;
        expect(only!.run).toMatchObject({ status: 'SUCCESS', runKey: 'only_once', sensor: 'probe' });
        expect(await test.tick('probe')).toMatchObject({
          status: 'SKIPPED',
          runs: [],
          skippedRunKeys: ['only_once'],
        });
        expect((await test.show(quux, 'a')).assets[0]!.run!.id).toBe(only!.run!.id);
      },
    );
    expect(crashes.map(({ commit, when }) => `${when} ${commit}`)).toContain(place);
  });

  it('Dagster 46: without a run key, the cursor and the run are there together, or neither', async () => {
    let executions = 0;
    const counted = asset({ name: 'counted', partitions: quux, materialize: () => void executions++ });
    const probe = sensor({
      name: 'probe',
      assets: [counted],
      evaluate: ({ cursor }) =>
        cursor === null
          ? {
              cursor: '1',
              dynamicPartitionsRequests: [quux.buildAddRequest(['a'])],
              runRequests: [{ partitionKey: 'a' }],
            }
          : { skipReason: 'done' },
    });
    const test = testPipeline(definePipeline({ assets: [counted], sensors: [probe] }));
    await test.crashEverywhere(
      async (test) => {
        executions = 0;
        await test.tick();
      },
      async (test) => {
        expect([await test.cursor('probe'), await test.status(counted, 'a')]).toEqual(['1', 'materialized']);
        expect(executions).toBeGreaterThan(0);
        expect((await test.tick('probe')).skipReason).toBe('done');
      },
    );
  });
});
