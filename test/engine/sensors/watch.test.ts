/** The watch loop: every sensor at its own interval, and an end that is an end. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { describe, expect, it } from 'vitest';
import { asset } from '../../../src/definitions/asset.ts';
import { FailureError } from '../../../src/model/failure.ts';
import { definePipeline, type Pipeline } from '../../../src/definitions/pipeline.ts';
import { sensor } from '../../../src/definitions/sensor.ts';
import type { Event } from '../../../src/engine/event.ts';
import type { RunSession } from '../../../src/engine/runs/run-session.ts';
import { watch } from '../../../src/engine/sensors/watch.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import { keysAdded, knownOf, letters, queuedRuns, tickRecord } from '../../support/builders.ts';
import { EngineRig } from '../../support/engine-rig.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Watch {
  readonly clock = new ManualClock();
  readonly rig: EngineRig;
  readonly session: RunSession;
  /** `second name` of each evaluation. */
  readonly evaluated: string[] = [];
  readonly done: Promise<unknown>;
  readonly #began: number;
  readonly events: Event[] = [];

  constructor(
    pipeline: (the: (name: string) => void) => Pipeline,
    {
      before = async () => undefined,
      tick,
      jitter,
      watchChanges,
    }: {
      before?: (rig: EngineRig) => Promise<unknown>;
      tick?: (name: string) => Promise<never>;
      jitter?: number;
      watchChanges?: (onChange: () => void) => () => void;
    } = {},
  ) {
    this.#began = this.clock.time;
    this.rig = new EngineRig(
      pipeline((name) => this.evaluated.push(`${(this.clock.time - this.#began) / 1000} ${name}`)),
    );
    const { rig, clock } = this;
    const session = (this.session = rig.session({ clock }));
    this.done = before(rig).then(() =>
      watch({
        store: rig.store,
        pipeline: rig.pipeline,
        sensors: [...rig.pipeline.sensors.values()],
        session,
        clock,
        ...(jitter !== undefined && { jitter }),
        ...(watchChanges && { watchChanges, hearsAll: true }),
        emit: (event) => this.events.push(event),
        interrupt: rig.interrupt.signal,
        tick: ({ name }) => tick?.(name) ?? rig.tick(name, { clock, executor: session.executor }),
      }),
    );
    this.done.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.rig.interrupt.abort();
    await this.done;
    expect(checkState(this.rig.store.document)).toEqual([]);
  }
}

const twoSensors = (note: (name: string) => void): Pipeline =>
  definePipeline({
    sensors: [
      sensor({ name: 'quick', minimumIntervalSeconds: 30, evaluate: () => note('quick') }),
      sensor({ name: 'slow', minimumIntervalSeconds: 60, evaluate: () => note('slow') }),
    ],
  });

describe('a watch', () => {
  it('ticks each sensor at its own interval (Dagster 35)', async () => {
    const the = new Watch(twoSensors);
    await the.clock.advance(29_000);
    expect(the.evaluated.sort()).toEqual(['0 quick', '0 slow']);
    await the.clock.advance(61_000);
    expect(the.evaluated.map((line) => line.replace(/\.\d+/, '')).sort()).toEqual([
      '0 quick',
      '0 slow',
      '30 quick',
      '60 quick',
      '60 slow',
      '90 quick',
    ]);
    await the.stop();
  });

  it('lets sensors of one interval come apart, by chance and never sooner', async () => {
    // Chance says a half here, each time.
    const the = new Watch(twoSensors, { jitter: 0.1 });
    await the.clock.advance(31_400);
    expect(the.evaluated.sort()).toEqual(['0 quick', '0 slow']);
    await the.clock.advance(200);
    expect(the.evaluated.at(-1)).toBe('31.5 quick');
    await the.clock.advance(31_000);
    expect(the.evaluated.at(-1)).toBe('62.5 slow');
    await the.stop();
  });

  it('lets no sensor wait for a slow one', async () => {
    const the = new Watch(twoSensors, {
      tick: (name) =>
        name === 'slow'
          ? new Promise<never>(() => undefined)
          : // As a tick that was busy: it is asked for again.
            (Promise.resolve({ owned: [], tick: tickRecord({ sensor: name, status: 'BUSY' }) }) as never),
    });
    const begun = (): string[] =>
      the.events.flatMap((event) => (event.type === 'tick-began' ? [event.sensor] : []));
    await the.clock.advance(5_000);
    expect(begun().filter((name) => name === 'slow')).toHaveLength(1);
    expect(begun().filter((name) => name === 'quick').length).toBeGreaterThan(3);
    the.rig.interrupt.abort();
  });

  it('says when each sensor is to tick, works it out again each minute, and that one is stopped', async () => {
    const the = new Watch((note) =>
      definePipeline({
        sensors: [
          sensor({ name: 'seldom', minimumIntervalSeconds: 3600, evaluate: () => note('seldom') }),
          sensor({ name: 'off', defaultStatus: 'stopped', evaluate: () => note('off') }),
        ],
      }),
    );
    await the.clock.advance(3_500_000);
    expect(the.evaluated).toEqual(['0 seldom']);
    const due = (sensor: string): (number | null | undefined)[] =>
      the.events.flatMap((event) =>
        event.type === 'tick-due' && event.sensor === sensor
          ? [typeof event.inMs === 'number' ? Math.round(event.inMs / 1000) : event.inMs]
          : [],
      );
    expect(due('seldom').slice(0, 3)).toEqual([0, 3600, 3540]);
    expect(new Set(due('off'))).toEqual(new Set([null]));
    // Whoever sleeps does not see that a clock is set.
    expect(Math.max(...the.clock.slept)).toBeLessThanOrEqual(60_000);
    await the.stop();
  });

  it('ticks a sensor with a cron line at its times', async () => {
    // Loaded on use, which takes time that no clock of a test knows.
    await import('croner');
    const the = new Watch((note) =>
      definePipeline({
        sensors: [
          sensor({ name: 'hourly', cron: '0 * * * *', timeZone: 'UTC', evaluate: () => note('hourly') }),
        ],
      }),
    );
    await the.clock.advance(3_599_000);
    expect(the.evaluated).toEqual(['0 hourly']);
    await the.clock.advance(3_601_000);
    expect(the.evaluated.map((line) => line.replace(/\.\d+/, ''))).toEqual([
      '0 hourly',
      '3600 hourly',
      '7200 hourly',
    ]);
    await the.stop();
  });

  it('waits for what is left of the interval since the last tick, whoever made it', async () => {
    const the = new Watch(twoSensors, {
      before: (rig) =>
        rig.store.recordTick(
          tickRecord({ sensor: 'slow', startedAt: new Date(rig.clock.time - 50_000).toISOString() }),
        ),
    });
    await the.clock.advance(9_000);
    expect(the.evaluated).toEqual(['0 quick']);
    await the.clock.advance(2_000);
    expect(the.evaluated).toEqual(['0 quick', '10 slow']);
    await the.stop();
  });

  it('begins anew where the clock was set back, also a sensor of which the interval is long', async () => {
    const the = new Watch(
      (note) =>
        definePipeline({
          sensors: [
            sensor({ name: 'quick', minimumIntervalSeconds: 60, evaluate: () => note('quick') }),
            sensor({ name: 'daily', minimumIntervalSeconds: 86_400, evaluate: () => note('daily') }),
          ],
        }),
      {
        before: async (rig) => {
          const startedAt = new Date(rig.clock.time + 30 * 86_400_000).toISOString();
          for (const name of ['quick', 'daily'])
            await rig.store.recordTick(tickRecord({ sensor: name, startedAt }));
        },
      },
    );
    await the.clock.advance(61_000);
    expect(the.evaluated).toEqual(['0 quick', '0 daily', '60 quick']);
    await the.stop();
  });

  it('tries a failed key again when its time comes, without anything having changed', async () => {
    // Loaded on use, which takes time that no clock of a test knows.
    await import('../../../src/engine/sensors/run-automation.ts');
    let fails = true;
    const tries: number[] = [];
    const the = new Watch((note) =>
      definePipeline({
        assets: [
          asset({
            name: 'audio',
            partitions: letters,
            automate: 'missing',
            retry: { maxRetries: 0, later: ['10m'] },
            materialize: () => {
              tries.push(the.clock.time);
              if (fails) throw new Error('away');
              return 1;
            },
          }),
        ],
        sensors: [sensor({ name: 'quick', minimumIntervalSeconds: 86_400, evaluate: () => note('quick') })],
      }),
    );
    await the.clock.advance(3000);
    const pipeline = knownOf(the.rig.pipeline);
    await the.rig.store.commit({}, () => ({
      changes: [
        { type: 'pipeline-known', pipeline, at: '2026-01-01T00:00:00.000Z' },
        keysAdded('letters', ['a']),
      ],
      outcome: undefined,
    }));
    await the.clock.advance(5000);
    expect(tries).toHaveLength(1);
    fails = false;
    await the.clock.advance(590_000);
    expect(tries).toHaveLength(1);
    await the.clock.advance(15_000);
    expect(tries).toHaveLength(2);
    const { assets } = the.rig.store.document;
    expect(assets['audio']).toEqual({ set: 'letters', status: 'm', madeAt: expect.any(String) });
    await the.stop();
  });

  it('leaves a stopped sensor alone, and ticks it soon after it was started (Dagster 39)', async () => {
    const the = new Watch((note) =>
      definePipeline({
        sensors: [
          sensor({
            name: 'lazy',
            defaultStatus: 'stopped',
            minimumIntervalSeconds: 30,
            evaluate: () => note('lazy'),
          }),
        ],
      }),
    );
    await the.clock.advance(100_000);
    expect(the.evaluated).toEqual([]);
    await the.rig.commit({ type: 'sensor-changed', sensor: 'lazy', status: 'RUNNING' });
    await the.clock.advance(2_000);
    expect(the.evaluated).toHaveLength(1);
    await the.rig.commit({ type: 'sensor-changed', sensor: 'lazy', status: 'STOPPED' });
    await the.clock.advance(100_000);
    expect(the.evaluated).toHaveLength(1);
    await the.stop();
  });

  it('that hears of every commit looks each five seconds, and begins at once with what it hears of', async () => {
    let ring = (): void => undefined;
    let isOver = false;
    const the = new Watch(
      (note) =>
        definePipeline({
          partitions: [letters],
          assets: [asset({ name: 'audio', partitions: letters, materialize: () => note('made') })],
          sensors: [sensor({ name: 'lazy', defaultStatus: 'stopped', evaluate: () => note('lazy') })],
        }),
      {
        watchChanges: (onChange) => {
          ring = onChange;
          return () => void (isOver = true);
        },
      },
    );
    await the.clock.advance(60_000);
    // Each of its two loops, and once more at the beginning.
    expect(the.clock.slept.filter((ms) => ms > 0).length).toBeLessThanOrEqual(2 * (60 / 5) + 2);
    const began = the.clock.time;
    await the.rig.commit({ type: 'sensor-changed', sensor: 'lazy', status: 'RUNNING' });
    ring();
    await the.clock.settle();
    await the.rig.commit(keysAdded('letters', ['a']), {
      type: 'runs-queued',
      runs: queuedRuns({ group: 'w', origin: 'worker', keys: ['a'] }),
      owner: null,
    });
    ring();
    await the.clock.settle(100);
    expect(the.clock.time).toBe(began);
    expect(the.evaluated.map((line) => line.split(' ')[1])).toEqual(['lazy', 'made']);
    await the.stop();
    expect(isOver).toBe(true);
  });

  it('goes on after a tick that failed, at the same interval', async () => {
    const the = new Watch((note) =>
      definePipeline({
        sensors: [
          sensor({
            name: 'broken',
            minimumIntervalSeconds: 30,
            evaluate: () => {
              note('broken');
              throw new Error('x');
            },
          }),
        ],
      }),
    );
    await the.clock.advance(65_000);
    expect(the.evaluated.map((line) => line.replace(/\.\d+/, ''))).toEqual([
      '0 broken',
      '30 broken',
      '60 broken',
    ]);
    await the.stop();
  });

  const finding =
    (materialize: () => unknown) =>
    (note: (name: string) => void): Pipeline => {
      const audio = asset({ name: 'audio', partitions: letters, materialize });
      return definePipeline({
        assets: [audio],
        sensors: [
          sensor({
            name: 'feed',
            assets: [audio],
            minimumIntervalSeconds: 30,
            evaluate: async ({ partitions }) => {
              note('feed');
              const fresh = await partitions(letters).missing([`k${await partitions(letters).count()}`]);
              return {
                dynamicPartitionsRequests: [letters.buildAddRequest(fresh)],
                runRequests: fresh.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
              };
            },
          }),
        ],
      });
    };

  it('executes what its sensors request', async () => {
    const the = new Watch(finding(() => 1));
    await the.clock.advance(65_000);
    expect((await the.rig.ended()).filter((run) => run.endsWith('SUCCESS'))).toHaveLength(3);
    await the.stop();
    expect(the.rig.store.document.runs).toEqual([]);
  });

  it('goes on discovering while a run takes long, and gives everything back when it stops', async () => {
    const the = new Watch(finding(() => new Promise(() => undefined)));
    await the.clock.advance(65_000);
    expect(the.evaluated).toHaveLength(3);
    expect(the.rig.store.document.sets['letters']!.keys).toEqual(['k0', 'k1', 'k2']);
    // User code that ignores its signal would be waited for; the runs' fate is the same when it does not.
    expect(the.rig.store.document.runs.map(({ status }) => status).join('')).toBe('sss');
    the.rig.interrupt.abort();
  });

  it('gives back what a tick brings behind all that was given back', async () => {
    let answer!: () => void;
    const isAnswered = new Promise<void>((resolve) => (answer = resolve));
    const the: Watch = new Watch(
      finding(() => 1),
      {
        tick: async (name) => {
          const outcome = await the.rig.tick(name, { clock: the.clock, executor: the.session.executor });
          the.rig.interrupt.abort();
          await isAnswered;
          return outcome as never;
        },
      },
    );
    await the.clock.settle();
    answer();
    await the.done;
    expect((await the.rig.store.read(EVERYTHING)).runs()).toMatchObject([{ owner: null, count: 1 }]);
  });

  it('takes up what others left', async () => {
    const the = new Watch(
      finding(() => 1),
      {
        before: (rig) =>
          rig.commit(keysAdded('letters', ['k0']), {
            type: 'runs-queued',
            runs: queuedRuns({ group: 'w', origin: 'worker', keys: ['k0'] }),
            owner: null,
          }),
      },
    );
    await the.clock.advance(2_000);
    expect(await the.rig.ended()).toContain('w-1 SUCCESS');
    await the.stop();
  });

  it('ends as a whole where one of its loops cannot go on', async () => {
    const failure = new FailureError({ reason: 'state-io', file: '/s', action: 'read', cause: 'gone' });
    const the = new Watch(twoSensors, {
      tick: (name) =>
        name === 'quick'
          ? Promise.reject(failure)
          : new Promise<never>((_, reject) => setImmediate(() => reject(failure))),
    });
    await the.clock.advance(2_000);
    await expect(the.done).rejects.toBe(failure);
  });

  it('ends at once when it is told to before it began', async () => {
    const the = new Watch(twoSensors, {
      before: (rig) => {
        rig.interrupt.abort();
        return Promise.resolve();
      },
    });
    await the.done;
    expect(the.evaluated).toEqual([]);
  });
});
