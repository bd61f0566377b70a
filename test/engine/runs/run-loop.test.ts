/** Executing what a process owns: so many at a time, one asset and key once, few commits, and what becomes of runs that do not end. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { letters as lettersOf } from '../../support/letters.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import { finishedRuns } from '../../support/finished-runs.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  asset,
  type AnyAsset,
  type AssetContext,
  type AssetOptions,
} from '../../../src/definitions/asset.ts';
import type { IoManager } from '../../../src/definitions/io-manager.ts';
import { FailureError } from '../../../src/model/failure.ts';
import { steadyTime } from '../../../src/model/time.ts';
import { definePipeline, type Pipeline } from '../../../src/definitions/pipeline.ts';
import type { RunSession, RunSessionOptions } from '../../../src/engine/runs/run-session.ts';
import { work } from '../../../src/engine/runs/worker-loop.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import type { QueuedRuns } from '../../../src/state/changes.ts';
import { idle, keysAdded, letters, queuedRuns } from '../../support/builders.ts';
import { EngineRig, Gate, MapValues, Recorder } from '../../support/engine-rig.ts';
import { ManualClock } from '../../support/manual-clock.ts';

type Materialize = (context: AssetContext) => unknown;

function soundOf(materialize: Materialize, options: Partial<AssetOptions<unknown>> = {}): AnyAsset {
  return asset({ name: 'audio', partitions: letters, materialize, ...options } as AssetOptions<unknown>);
}

function pipelineOf(
  materialize: Materialize = () => 1,
  { concurrency = 10, ...options }: Partial<AssetOptions<unknown>> & { concurrency?: number } = {},
): Pipeline {
  return definePipeline({
    assets: [soundOf(materialize, options), idle('text', { partitions: letters })],
    concurrency,
  });
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

const DISK_FULL = new FailureError({ reason: 'state-io', file: '/v', action: 'write', cause: 'no space' });

/** Where no value can be kept. */
const FULL: IoManager = {
  save: () => {
    throw DISK_FULL;
  },
  load: () => undefined,
  remove: () => undefined,
};

describe('a process that executes runs', () => {
  let rig: EngineRig;
  let groups = 0;

  beforeEach(() => {
    groups = 0;
  });

  afterEach(() => {
    expect(checkState(rig.store.document)).toEqual([]);
  });

  const start = async (pipeline: Pipeline): Promise<void> => {
    rig = new EngineRig(pipeline);
    // The sensor has ticked, so that runs may be its own.
    await rig.commit(keysAdded('letters', KEYS), { type: 'sensor-changed', sensor: 'feed' });
  };
  /** Runs that the session queues for itself, as `materialize` does. */
  const queue = async (
    session: RunSession,
    keys: readonly string[],
    fields: Partial<QueuedRuns> = {},
  ): Promise<string> => {
    const group = `g${++groups}`;
    const runs = queuedRuns({ group, origin: 'materialize', keys, ...fields });
    await session.commit(group, {}, (_, owner) => ({
      changes: [{ type: 'runs-queued', runs, owner }],
      outcome: undefined,
      queued: keys.length,
      takenOver: new Set(),
    }));
    return group;
  };
  /** Both make two keys at a time, each as its gate opens. */
  const twoProcesses = async () => {
    const gates = new Map(KEYS.map((key) => [key, new Gate()]));
    const began = new Recorder<string>();
    await start(
      pipelineOf(async ({ partitionKey }) => {
        began.add(partitionKey);
        await gates.get(partitionKey)!.pass();
      }),
    );
    const [first, second] = [rig.session({ concurrency: 2 }), rig.session({ concurrency: 2 })];
    return { gates, began, first, second };
  };
  const takeOver = (session: RunSession, ...ids: string[]): Promise<void> =>
    session.commit('none', {}, () => ({
      changes: [],
      outcome: undefined,
      queued: 0,
      takenOver: new Set(ids),
    }));
  const pending = async (): Promise<string[]> =>
    (await rig.store.read(EVERYTHING))
      .runs()
      .flatMap((runs) =>
        Array.from(
          { length: runs.count },
          (_, at) => `${runs.at(at).id} ${runs.at(at).status} ${runs.owner === null ? 'nobody’s' : 'owned'}`,
        ),
      );

  it('brings them to their end, on record once, and has nothing left', async () => {
    await start(pipelineOf(({ partitionKey }) => `audio ${partitionKey}`));
    const session = rig.session();
    await queue(session, ['a', 'b', 'c']);
    expect(session.left).toBe(3);
    await session.execute();
    await session.leave();
    expect(session.left).toBe(0);
    expect((await rig.ended()).sort()).toEqual(['g1-1 SUCCESS', 'g1-2 SUCCESS', 'g1-3 SUCCESS']);
    expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('mmm...');
    expect(await pending()).toEqual([]);
    expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
    expect(rig.of('run-started').map(({ partitionKey }) => partitionKey)).toEqual(['a', 'b', 'c']);
    expect(rig.of('run-finished').map(({ left }) => left)).toEqual([2, 1, 0]);
    expect([...rig.values.values.keys()].sort()).toEqual(['audio@a', 'audio@b', 'audio@c']);
  });

  it('tells each run as it was: times, tries, failures', async () => {
    await start(
      pipelineOf(
        ({ partitionKey }) => {
          if (partitionKey === 'b') throw new Error('no b');
        },
        { retry: { maxRetries: 1 } },
      ),
    );
    const session = rig.session();
    await queue(session, ['a', 'b'], { tags: { by: 'me' } });
    await session.execute();
    const [b, a] = (await finishedRuns(rig.store, { limit: 9 })).sort((one, other) =>
      other.id.localeCompare(one.id),
    );
    expect(a).toMatchObject({
      id: 'g1-1',
      partitionKey: 'a',
      status: 'SUCCESS',
      attempts: 1,
      tags: { by: 'me' },
      error: null,
    });
    expect(b).toMatchObject({
      id: 'g1-2',
      partitionKey: 'b',
      status: 'FAILURE',
      attempts: 2,
      error: { code: 'asset-threw' },
    });
    expect(Date.parse(a!.startedAt!)).not.toBeNaN();
    expect(Date.parse(a!.finishedAt!)).toBeGreaterThanOrEqual(Date.parse(a!.startedAt!));
    expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('mf....');
    const said = (await rig.store.endOfLog('g1-2', Infinity)).filter(({ text }) => text.includes('threw'));
    expect(said.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('executes no more at a time than the concurrency', async () => {
    let now = 0;
    let most = 0;
    await start(
      pipelineOf(
        async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setImmediate(resolve));
          now--;
        },
        { concurrency: 10 },
      ),
    );
    const session = rig.session({ concurrency: 2 });
    await queue(session, KEYS);
    await session.execute();
    expect(most).toBe(2);
    expect(await rig.ended()).toHaveLength(6);
  });

  it('executes no more keys of an asset at a time than the asset says', async () => {
    let now = 0;
    let most = 0;
    await start(
      definePipeline({
        assets: [
          soundOf(
            async () => {
              most = Math.max(most, ++now);
              await new Promise((resolve) => setImmediate(resolve));
              now--;
            },
            { concurrency: 2 },
          ),
        ],
      }),
    );
    const session = rig.session();
    await queue(session, KEYS);
    await session.execute();
    expect(most).toBe(2);
  });

  it('executes one asset and key once at a time, also where several runs ask for it', async () => {
    const now = new Set<string>();
    await start(
      pipelineOf(async ({ partitionKey }) => {
        expect(now.has(partitionKey)).toBe(false);
        now.add(partitionKey);
        await new Promise((resolve) => setImmediate(resolve));
        now.delete(partitionKey);
      }),
    );
    const session = rig.session();
    for (let time = 0; time < 3; time++) await queue(session, ['a', 'b']);
    await session.execute();
    expect(await rig.ended()).toHaveLength(6);
    expect((await rig.ended()).every((run) => run.endsWith('SUCCESS'))).toBe(true);
  });

  it('never executes one asset and key at the same time as another process', async () => {
    let now = 0;
    let most = 0;
    await start(
      pipelineOf(async () => {
        most = Math.max(most, ++now);
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        now--;
      }),
    );
    const sessions = [rig.session(), rig.session(), rig.session()];
    for (const session of sessions) await queue(session, ['a']);
    await Promise.all(sessions.map((session) => session.execute()));
    expect(await rig.ended()).toEqual(['g1-1 SUCCESS', 'g2-1 SUCCESS', 'g3-1 SUCCESS']);
    expect(most).toBe(1);
  });

  it('has no more started runs than the concurrency together with other processes, also when another one comes to wait', async () => {
    const gate = new Gate();
    const began = new Recorder<string>();
    let now = 0;
    let most = 0;
    await start(
      pipelineOf(
        async ({ partitionKey }) => {
          most = Math.max(most, ++now);
          began.add(partitionKey);
          await gate.pass();
          now--;
        },
        { concurrency: 4 },
      ),
    );
    const [first, second] = [rig.session({ concurrency: 4 }), rig.session({ concurrency: 4 })];
    await queue(first, ['a', 'b', 'c', 'd']);
    const executing = [first.execute()];
    await began.count(4);
    await queue(second, ['e', 'f']);
    executing.push(second.execute());
    // Both have looked at the state several times when the second one has said often enough that it waits.
    await rig.events.until((all) => all.filter(({ type }) => type === 'waiting').length >= 5 || now > 4);
    gate.open();
    await Promise.all(executing);
    expect(most).toBe(4);
    expect(await rig.ended()).toHaveLength(6);
  });

  it('lets a process that came later have its share as soon as something has ended', async () => {
    const { gates, began, first, second } = await twoProcesses();
    await queue(first, ['a', 'b', 'c', 'd', 'e']);
    const executing = [first.execute()];
    await began.count(2);
    await queue(second, ['f']);
    executing.push(second.execute());
    // Both have looked at the state when the second one has said several times that it waits.
    const waited = rig.events.until((all) => all.filter(({ type }) => type === 'waiting').length >= 3);
    await Promise.race([waited, began.until((all) => all.includes('f'))]);
    gates.get('a')!.open();
    await began.until((all) => all.includes('f'));
    // The long one has most of its runs still before it.
    expect(began.all.length).toBeLessThanOrEqual(4);
    for (const gate of gates.values()) gate.open();
    await Promise.all(executing);
    expect(await rig.ended()).toHaveLength(6);
  });

  it('takes no more than its share when it takes on more runs while another one waits', async () => {
    const { gates, began, first, second } = await twoProcesses();
    await queue(first, ['a', 'b']);
    const executing = [first.execute()];
    await began.count(2);
    await queue(second, ['f']);
    executing.push(second.execute());
    await rig.events.until((all) => all.some(({ type }) => type === 'waiting'));
    await queue(first, ['c', 'd']);
    gates.get('a')!.open();
    await began.count(3);
    expect(began.all).toEqual(['a', 'b', 'f']);
    for (const gate of gates.values()) gate.open();
    await Promise.all(executing);
    expect(await rig.ended()).toHaveLength(5);
  });

  it('puts on record which runs go on, and not by itself which have just begun', async () => {
    const gate = new Gate();
    await start(pipelineOf(() => gate.pass()));
    const clock = new ManualClock();
    const session = rig.session({ clock, concurrency: 2 });
    await queue(session, ['a']);
    const executing = session.execute();
    await clock.advance(450);
    await queue(session, ['b']);
    await clock.advance(100);
    expect(await pending()).toEqual(['g1-1 STARTED owned', 'g2-1 QUEUED owned']);
    await clock.advance(500);
    expect(await pending()).toEqual(['g1-1 STARTED owned', 'g2-1 STARTED owned']);
    gate.open();
    await clock.settle(100);
    await clock.advance(10_000);
    await executing;
    expect(await rig.ended()).toHaveLength(2);
  });

  it('leaves its room to a process that it waits for', async () => {
    await start(pipelineOf());
    const [first, elder, younger] = [1, 2, 3].map(() => rig.session({ concurrency: 1 }));
    await queue(first!, ['b']);
    await queue(elder!, ['a']);
    await queue(younger!, ['a']);
    await first!.execute();
    // There is room for one, and the younger process looks first. Its key is the elder's, which has no room yet.
    const executing = [younger!.execute()];
    await rig.events.until((all) => all.some(({ type }) => type === 'waiting'));
    executing.push(elder!.execute());
    await Promise.all(executing);
    expect(await rig.ended()).toHaveLength(3);
  });

  it('gives others what an earlier run made of an upstream that has failed since, though no view shows it yet', async () => {
    let fails = false;
    const audio = soundOf(() => {
      if (fails) throw new Error('no sound');
      return 'sound';
    });
    const text = asset({
      name: 'text',
      partitions: letters,
      inputs: { audio },
      materialize: ({ inputs }) => `text of ${inputs['audio']}`,
    });
    await start(definePipeline({ assets: [audio, text] }));
    const session = rig.session();
    await queue(session, ['a']);
    await session.execute();
    fails = true;
    await queue(session, ['a', 'b']);
    await queue(session, ['a', 'b'], { assets: ['text'] });
    await session.execute();
    expect((await rig.ended()).sort()).toEqual([
      'g1-1 SUCCESS',
      'g2-1 FAILURE',
      'g2-2 FAILURE',
      'g3-1 SUCCESS',
      'g3-2 FAILURE',
    ]);
    expect(rig.values.values.get('text@a')).toBe('text of sound');
    const view = await rig.store.read(EVERYTHING);
    expect(lettersOf(view, 'audio', 'letters')).toBe('Ff....');
    expect(lettersOf(view, 'text', 'letters')).toBe('mf....');
  });

  it('waits with what needs an upstream that another of its runs is about to materialize', async () => {
    const config = asset({
      name: 'config',
      materialize: async () => {
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        return 'loud';
      },
    });
    const audio = asset({
      name: 'audio',
      partitions: letters,
      inputs: { config },
      materialize: ({ inputs }) => inputs.config,
    });
    await start(definePipeline({ assets: [config, audio] }));
    const session = rig.session();
    await session.commit('g', {}, (_, owner) => ({
      changes: [
        {
          type: 'runs-queued',
          owner,
          runs: queuedRuns({
            group: 'g',
            origin: 'materialize',
            set: null,
            assets: ['config'],
            keys: [null],
          }),
        },
        {
          type: 'runs-queued',
          owner,
          runs: queuedRuns({ group: 'g', origin: 'materialize', keys: ['a', 'b'], firstNumber: 2 }),
        },
      ],
      outcome: undefined,
      queued: 3,
      takenOver: new Set(),
    }));
    await session.execute();
    expect((await rig.ended()).sort()).toEqual(['g-1 SUCCESS', 'g-2 SUCCESS', 'g-3 SUCCESS']);
  });

  it('puts the ends of many runs into few commits, values first', async () => {
    await start(pipelineOf());
    const session = rig.session({ concurrency: 50 });
    const many = Array.from({ length: 500 }, (_, at) => `k${at}`);
    await rig.commit(keysAdded('letters', many));
    await queue(session, many);
    const before = rig.store.document.serial;
    await session.execute();
    expect(rig.store.document.serial - before).toBeLessThan(50);
    expect(rig.values.flushes).toBeGreaterThan(0);
    expect(rig.values.flushes).toBeLessThan(50);
    expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe(
      '.'.repeat(6) + 'm'.repeat(500),
    );
  });

  it('begins nothing more while more ends wait for a slow disk than one commit takes', async () => {
    await start(pipelineOf());
    const counts: number[] = [];
    const ioManager = new MapValues();
    ioManager.flush = async () => {
      const ended = (): number => rig.of('run-ended').length;
      const before = ended();
      // Until nothing goes on any more: how many turns that takes is another number for each version of Node.
      for (let idle = 0, last = before; idle < 50; last = ended()) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        idle = ended() === last ? idle + 1 : 0;
      }
      rig.clock.time += 10_000;
      counts.push(ended() - before);
    };
    const session = rig.session({ concurrency: 50, ioManager });
    const many = Array.from({ length: 4000 }, (_, at) => `k${at}`);
    await rig.commit(keysAdded('letters', many));
    await queue(session, many);
    await session.execute();
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2000);
    for (const count of counts) expect(count).toBeLessThanOrEqual(1050);
  });

  it('takes on more while it executes', async () => {
    const gate = new Gate();
    const began = new Recorder<string>();
    await start(
      pipelineOf(async ({ partitionKey }) => {
        began.add(partitionKey);
        await gate.pass();
      }),
    );
    const session = rig.session();
    await queue(session, ['a']);
    const executing = session.execute();
    await began.count(1);
    await queue(session, ['b']);
    await began.count(2);
    gate.open();
    await executing;
    expect((await rig.ended()).sort()).toEqual(['g1-1 SUCCESS', 'g2-1 SUCCESS']);
  });

  it('shows in the state which runs have started, while they do', async () => {
    const gate = new Gate();
    await start(pipelineOf(() => gate.pass()));
    const session = rig.session({ concurrency: 1 });
    await queue(session, ['a', 'b']);
    const executing = session.execute();
    while (!(await pending()).includes('g1-1 STARTED owned'))
      await new Promise((resolve) => setImmediate(resolve));
    expect(await pending()).toContain('g1-2 QUEUED owned');
    gate.open();
    await executing;
  });

  describe('with --fail-fast', () => {
    it('starts nothing after a failure, lets what runs come to its end, and cancels the rest', async () => {
      const gate = new Gate();
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey }) => {
          began.add(partitionKey);
          if (partitionKey === 'a') await gate.pass();
          else throw new Error('no');
        }),
      );
      const session = rig.session({ concurrency: 2, failFast: true });
      await queue(session, KEYS);
      const executing = session.execute();
      await rig.events.until((all) => all.some((event) => event.type === 'run-finished'));
      gate.open();
      await executing;
      expect(began.all).toEqual(['a', 'b']);
      expect((await rig.ended()).sort()).toEqual([
        'g1-1 SUCCESS',
        'g1-2 FAILURE',
        'g1-3 CANCELED',
        'g1-4 CANCELED',
        'g1-5 CANCELED',
        'g1-6 CANCELED',
      ]);
      expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('mf....');
      expect(await pending()).toEqual([]);
    });

    it('hears after a failure, too, that others cancel what still runs, and what they release', async () => {
      const aborted: string[] = [];
      await start(
        pipelineOf(async ({ partitionKey, signal }) => {
          if (partitionKey === 'c') throw new Error('no');
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          aborted.push(partitionKey);
          throw new Error('aborted');
        }),
      );
      const clock = new ManualClock();
      const session = rig.session({ clock, failFast: true });
      await queue(session, ['a', 'b', 'c']);
      const executing = session.execute();
      await rig.events.until((all) => all.some(({ type }) => type === 'run-ended'));
      await clock.advance(5000);
      expect(aborted).toEqual([]);
      await rig.commit({ type: 'runs-canceling', ids: ['g1-1'] }, { type: 'runs-released', ids: ['g1-2'] });
      await clock.advance(2000);
      expect(aborted.sort()).toEqual(['a', 'b']);
      await executing;
      expect((await rig.ended()).sort()).toEqual(['g1-1 CANCELED', 'g1-3 FAILURE']);
      expect(await pending()).toEqual(['g1-2 QUEUED nobody’s']);
    });

    it('waits for what still runs without turning in circles', async () => {
      const gate = new Gate();
      await start(
        pipelineOf(async ({ partitionKey }) => {
          if (partitionKey === 'a') await gate.pass();
          else throw new Error('no');
        }),
      );
      const clock = new ManualClock();
      const session = rig.session({ clock, failFast: true });
      await queue(session, ['a', 'b']);
      const executing = session.execute();
      await rig.events.until((all) => all.filter(({ type }) => type === 'run-started').length === 2);
      await clock.settle(200);
      await clock.advance(5000);
      const before = clock.slept.length;
      await clock.settle(200);
      expect(clock.slept.length - before).toBeLessThanOrEqual(2);
      gate.open();
      await executing;
    });
  });

  describe('for so long only', () => {
    const bounded = async (ms: number, options: Pick<Partial<RunSessionOptions>, 'concurrency'> = {}) => {
      const gate = new Gate();
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey }) => {
          began.add(partitionKey);
          await gate.pass();
        }),
      );
      const clock = new ManualClock();
      const startsUntil = steadyTime(clock) + ms;
      const session = rig.session({ clock, concurrency: 2, startsUntil, onInterrupt: 'cancel', ...options });
      await queue(session, ['a', 'b', 'c', 'd']);
      const executing = session.execute();
      await clock.settle(100);
      return { gate, began, clock, executing, session };
    };

    it('begins nothing once the time is over, waits for what runs, and leaves the rest in the queue', async () => {
      const { gate, began, clock, executing, session } = await bounded(60_000);
      await clock.advance(59_000);
      expect(rig.of('time-over')).toEqual([]);
      await clock.advance(1000);
      // Said when the time is over, not when something ends an hour later.
      expect(rig.of('time-over')).toEqual([{ type: 'time-over', left: 2 }]);
      gate.open();
      await clock.settle(100);
      await clock.advance(10_000);
      await executing;
      await session.leave();
      expect(began.all).toEqual(['a', 'b']);
      expect((await rig.ended()).sort()).toEqual(['g1-1 SUCCESS', 'g1-2 SUCCESS']);
      expect(await pending()).toEqual(['g1-3 QUEUED nobody’s', 'g1-4 QUEUED nobody’s']);
    });

    it('begins nothing when the time was over before', async () => {
      const { began, executing } = await bounded(0);
      await executing;
      expect(began.all).toEqual([]);
      expect(await pending()).toHaveLength(4);
    });

    it('says nothing of it when all has begun in time, and does not turn in a loop until the last one ends', async () => {
      const { gate, clock, executing } = await bounded(60_000, { concurrency: 4 });
      await clock.advance(61_000);
      const waits = clock.slept.length;
      await clock.settle(100);
      expect(clock.slept.length).toBe(waits);
      gate.open();
      await clock.settle(100);
      await clock.advance(10_000);
      await executing;
      expect(await rig.ended()).toHaveLength(4);
      expect(rig.of('time-over')).toEqual([]);
    });

    it('leaves in the queue what it gave back, also when what runs is interrupted afterwards', async () => {
      const { gate, clock, executing } = await bounded(1000);
      await clock.advance(1000);
      rig.interrupt.abort();
      gate.open();
      await clock.settle(100);
      await executing;
      expect(await pending()).toEqual(['g1-3 QUEUED nobody’s', 'g1-4 QUEUED nobody’s']);
    });
  });

  describe('whose work another session goes on with', () => {
    it('begins nothing more, ends what runs, and has the rest taken up meanwhile', async () => {
      const gate = new Gate();
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey }) => {
          began.add(partitionKey);
          if (partitionKey === 'a') await gate.pass();
        }),
      );
      const [first, next] = [rig.session({ concurrency: 1 }), rig.session({ concurrency: 2 })];
      await queue(first, ['a', 'b', 'c']);
      const executing = first.execute();
      await began.count(1);
      const left = first.handOver();
      // What waits is given back before what runs has ended.
      await rig.events.until((all) => all.some(({ type }) => type === 'runs-released'));
      await next.takeUp(
        () => true,
        () => true,
      );
      await next.execute();
      expect((await rig.ended()).sort()).toEqual(['g1-2 SUCCESS', 'g1-3 SUCCESS']);
      gate.open();
      await left;
      await executing;
      await next.leave();
      expect(began.all).toEqual(['a', 'b', 'c']);
      expect(await rig.ended()).toHaveLength(3);
      expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
    });

    it('gives back what was taken on and not executed yet', async () => {
      await start(pipelineOf());
      const session = rig.session();
      await queue(session, ['a', 'b']);
      await session.handOver();
      expect(await pending()).toEqual(['g1-1 QUEUED nobody’s', 'g1-2 QUEUED nobody’s']);
    });
  });

  describe('that is interrupted', () => {
    const aborted = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

    const interrupted = async (
      options: Partial<Pick<RunSessionOptions, 'failFast' | 'onInterrupt'>>,
      fields: Partial<QueuedRuns> = {},
    ): Promise<string[]> => {
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey, signal }) => {
          began.add(partitionKey);
          if (partitionKey !== 'a') await aborted(signal);
        }),
      );
      const session = rig.session({ concurrency: 2, ...options });
      await queue(session, ['a', 'b', 'c', 'd'], fields);
      const executing = session.execute();
      await began.count(3);
      rig.interrupt.abort();
      await executing;
      await session.leave();
      return began.all;
    };

    it('gives its runs back to the queue, without an owner and with no execution counted', async () => {
      expect(await interrupted({ onInterrupt: 'release' }, { origin: 'tick', sensor: 'feed' })).toEqual([
        'a',
        'b',
        'c',
      ]);
      expect(await rig.ended()).toEqual(['g1-1 SUCCESS']);
      expect((await pending()).sort()).toEqual([
        'g1-2 QUEUED nobody’s',
        'g1-3 QUEUED nobody’s',
        'g1-4 QUEUED nobody’s',
      ]);
      expect(rig.store.document.runs.map(({ interrupted: count }) => count).join('')).toMatch(/^0+$/);
      expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
    });

    it('cancels the retry of a run that a sensor asked for: that one was asked for by hand', async () => {
      await interrupted({ onInterrupt: 'cancel' }, { origin: 'materialize', sensor: 'feed', retryOf: 'x-1' });
      expect(await pending()).toEqual([]);
      expect((await rig.ended()).sort()).toEqual([
        'g1-1 SUCCESS',
        'g1-2 CANCELED',
        'g1-3 CANCELED',
        'g1-4 CANCELED',
      ]);
    });

    it('has them taken up by the next one, as if nothing had been', async () => {
      await interrupted({ onInterrupt: 'release' }, { origin: 'tick', sensor: 'feed' });
      const next = rig.session({ interrupt: new AbortController().signal, pipeline: pipelineOf() });
      await next.takeUp(
        () => true,
        () => true,
      );
      expect(next.left).toBe(3);
      await next.execute();
      expect((await rig.ended()).sort()).toEqual([
        'g1-1 SUCCESS',
        'g1-2 SUCCESS',
        'g1-3 SUCCESS',
        'g1-4 SUCCESS',
      ]);
    });

    it('cancels runs of `materialize`', async () => {
      await interrupted({ onInterrupt: 'cancel' });
      expect((await rig.ended()).sort()).toEqual([
        'g1-1 SUCCESS',
        'g1-2 CANCELED',
        'g1-3 CANCELED',
        'g1-4 CANCELED',
      ]);
      expect(await pending()).toEqual([]);
      expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('m.....');
      expect(rig.of('run-finished')).toHaveLength(4);
      // b and c were at work, and are recorded as begun; d was waiting.
      const begun = rig.of('run-finished').filter(({ run }) => run.startedAt !== null);
      expect(new Set(begun.map(({ run }) => run.partitionKey))).toEqual(new Set(['a', 'b', 'c']));
    });

    it('gives runs that a sensor requested back to the queue also where `materialize` had taken them over', async () => {
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey, signal }) => {
          began.add(partitionKey);
          await aborted(signal);
        }),
      );
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 's', sensor: 'feed', keys: ['a', 'b'] }),
        owner: null,
      });
      const session = rig.session({ onInterrupt: 'cancel', concurrency: 1 });
      await takeOver(session, 's-1', 's-2');
      const executing = session.execute();
      await began.count(1);
      rig.interrupt.abort();
      await executing;
      expect((await pending()).sort()).toEqual(['s-1 QUEUED nobody’s', 's-2 QUEUED nobody’s']);
      expect(await rig.ended()).toEqual([]);
    });

    it('ends what was canceled at the last moment, as nobody is left to let go of it', async () => {
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey, signal }) => {
          began.add(partitionKey);
          await aborted(signal);
        }),
      );
      const session = rig.session({ concurrency: 1 });
      await queue(session, ['a', 'b', 'c'], { origin: 'tick', sensor: 'feed' });
      const executing = session.execute();
      await began.count(1);
      await rig.commit({ type: 'runs-canceling', ids: ['g1-1', 'g1-2'] });
      rig.interrupt.abort();
      await executing;
      expect((await rig.ended()).sort()).toEqual(['g1-1 CANCELED', 'g1-2 CANCELED']);
      expect(await pending()).toEqual(['g1-3 QUEUED nobody’s']);
      expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
    });

    it('before it began gives everything back', async () => {
      await start(pipelineOf());
      const session = rig.session();
      await queue(session, ['a', 'b'], { origin: 'tick', sensor: 'feed' });
      rig.interrupt.abort();
      await session.execute();
      expect((await pending()).sort()).toEqual(['g1-1 QUEUED nobody’s', 'g1-2 QUEUED nobody’s']);
      expect(rig.of('run-started')).toEqual([]);
    });
  });

  describe('whose runs are released while it lives', () => {
    const release = (...ids: string[]): Promise<void> => rig.commit({ type: 'runs-released', ids });
    const everything = (): boolean => true;

    it('lets go of them: what had begun is aborted, and what had not does not begin', async () => {
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey, signal }) => {
          began.add(partitionKey);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }),
      );
      const clock = new ManualClock();
      const session = rig.session({ clock, concurrency: 1 });
      await queue(session, ['a', 'b']);
      const executing = session.execute();
      await began.count(1);
      await release('g1-1', 'g1-2');
      await clock.advance(1000);
      await executing;
      expect(began.all).toEqual(['a']);
      expect(await rig.ended()).toEqual([]);
      expect((await pending()).sort()).toEqual(['g1-1 QUEUED nobody’s', 'g1-2 QUEUED nobody’s']);
      // Its room is free for those who take them up.
      expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
    });

    it('does not say of them that they are started', async () => {
      const gate = new Gate();
      await start(pipelineOf(() => gate.pass()));
      const clock = new ManualClock();
      const session = rig.session({ clock });
      await queue(session, ['a', 'b']);
      const executing = session.execute();
      await clock.settle();
      await release('g1-1');
      await clock.advance(600);
      expect((await pending()).sort()).toEqual(['g1-1 QUEUED nobody’s', 'g1-2 STARTED owned']);
      gate.open();
      await clock.advance(1000);
      await executing;
      expect(await rig.ended()).toEqual(['g1-2 SUCCESS']);
    });

    it('keeps nothing of what it made when it stood still meanwhile, and had not heard of it', async () => {
      const gates = { a: new Gate(), b: new Gate() };
      await start(
        pipelineOf(async ({ partitionKey }) => {
          await gates[partitionKey as 'a' | 'b'].pass();
          return 'late';
        }),
      );
      const clock = new ManualClock();
      const session = rig.session({ clock, concurrency: 2 });
      await queue(session, ['a', 'b']);
      const executing = session.execute();
      await clock.settle();
      await release('g1-1');
      clock.time += 6 * 60_000;
      gates.a.open();
      gates.b.open();
      await clock.settle();
      expect([...rig.values.values]).toEqual([['audio@b', 'late']]);
      await clock.advance(1000);
      await executing;
      expect(await rig.ended()).toEqual(['g1-2 SUCCESS']);
      expect(await pending()).toEqual(['g1-1 QUEUED nobody’s']);
    });

    it.each([
      { stood: 400, looks: 0 },
      { stood: 6 * 60_000, looks: 1 },
    ])(
      'looks $looks times at the state for six values that it keeps $stood ms after it did',
      async (given) => {
        const gate = new Gate();
        await start(pipelineOf(() => gate.pass()));
        const clock = new ManualClock();
        const session = rig.session({ clock });
        await queue(session, KEYS);
        const executing = session.execute();
        await clock.settle();
        const read = vi.spyOn(rig.store, 'read');
        const before: number[] = [];
        rig.values.save = () => before.push(read.mock.calls.length);
        clock.time += given.stood;
        gate.open();
        await clock.settle();
        expect(before).toEqual(KEYS.map(() => given.looks));
        await clock.advance(1000);
        await executing;
      },
    );

    it('has those that wait at their new place when it takes them up itself: others know them since then only', async () => {
      const gate = new Gate();
      const began = new Recorder<string>();
      await start(
        pipelineOf(({ run: { id } }) => {
          began.add(id);
          return gate.pass();
        }),
      );
      const session = rig.session({ concurrency: 1 });
      for (const key of ['a', 'b', 'b']) await queue(session, [key]);
      const executing = session.execute();
      await began.count(1);
      await release('g2-1');
      await session.takeUp(everything, everything);
      gate.open();
      await executing;
      expect(began.all).toEqual(['g1-1', 'g3-1', 'g2-1']);
      expect((await rig.ended()).sort()).toEqual(['g1-1 SUCCESS', 'g2-1 SUCCESS', 'g3-1 SUCCESS']);
    });

    it('executes none of them again when it takes them up itself', async () => {
      const gates = { a: new Gate(), b: new Gate() };
      const began = new Recorder<string>();
      await start(
        pipelineOf(({ partitionKey }) => {
          began.add(partitionKey);
          return gates[partitionKey as 'a' | 'b'].pass();
        }),
      );
      const clock = new ManualClock();
      const session = rig.session({ clock, concurrency: 2 });
      await queue(session, ['a', 'b']);
      const executing = session.execute();
      await began.count(2);
      await release('g1-1', 'g1-2');
      // One has ended and is not on record, the other one has not ended.
      gates.a.open();
      await clock.settle();
      await session.takeUp(everything, everything);
      gates.b.open();
      await clock.advance(1000);
      await executing;
      expect(began.all).toEqual(['a', 'b']);
      expect(rig.of('run-finished').map(({ run }) => run.id)).toEqual(['g1-1', 'g1-2']);
      expect((await rig.ended()).sort()).toEqual(['g1-1 SUCCESS', 'g1-2 SUCCESS']);
      expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
    });
  });

  describe('whose runs are canceled from outside', () => {
    it('aborts them within two seconds, and no outcome of theirs counts', async () => {
      const began = new Recorder<string>();
      await start(
        pipelineOf(({ partitionKey, signal }) => {
          began.add(partitionKey);
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve('late value')));
        }),
      );
      const clock = new ManualClock();
      const session = rig.session({ clock, concurrency: 1 });
      await queue(session, ['a', 'b']);
      const executing = session.execute();
      await began.count(1);
      await rig.commit({ type: 'runs-canceling', ids: ['g1-1', 'g1-2'] });
      await clock.advance(2000);
      await executing;
      expect((await rig.ended()).sort()).toEqual(['g1-1 CANCELED', 'g1-2 CANCELED']);
      expect(began.all).toEqual(['a']);
      expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('......');
      expect(await pending()).toEqual([]);
    });

    it('records as canceled what had ended and was not on record yet', async () => {
      const gate = new Gate();
      await start(pipelineOf(async ({ partitionKey }) => (partitionKey === 'b' ? gate.pass() : undefined)));
      const clock = new ManualClock();
      const session = rig.session({ clock });
      await queue(session, ['a', 'b']);
      const executing = session.execute();
      await rig.events.until((all) => all.filter(({ type }) => type === 'run-started').length === 2);
      await clock.settle(200);
      // It has ended, and nothing is said of it: that would be said of a run whose record says something else.
      expect(rig.of('run-finished')).toEqual([]);
      await rig.commit({ type: 'runs-canceling', ids: ['g1-1'] });
      gate.open();
      await clock.advance(1000);
      await executing;
      expect((await rig.ended()).sort()).toEqual(['g1-1 CANCELED', 'g1-2 SUCCESS']);
      const said = rig.of('run-finished').map(({ run, canceledByOthers }) => [run, canceledByOthers]);
      expect(said).toEqual(
        (await finishedRuns(rig.store, { limit: 9 })).toReversed().map((run) => [run, run.id === 'g1-1']),
      );
      expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('.m....');
    });

    it('lets no outcome of an earlier life of a key count', async () => {
      const gate = new Gate();
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey }) => {
          began.add(partitionKey);
          await gate.pass();
        }),
      );
      const session = rig.session();
      await queue(session, ['a']);
      const executing = session.execute();
      await began.count(1);
      await rig.commit(
        { type: 'runs-canceling', ids: ['g1-1'] },
        { type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: false },
        keysAdded('letters', ['a']),
      );
      gate.open();
      await executing;
      expect(await rig.ended()).toEqual(['g1-1 CANCELED']);
      expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('......');
    });
  });

  it('does not wait for good for one that waits for it: an upstream of it, and the same upstream there', async () => {
    const materialize = ({ partitionKey }: AssetContext): unknown => partitionKey;
    const audio = soundOf(materialize);
    const text = asset({ name: 'text', partitions: letters, inputs: { audio }, materialize });
    await start(definePipeline({ assets: [audio, text], concurrency: 10 }));
    const clock = new ManualClock();
    const [one, other] = [rig.session({ clock }), rig.session({ clock })];
    await queue(one, ['a'], { assets: ['text'] });
    await queue(other, ['a'], { assets: ['audio', 'text'] });
    await queue(one, ['a'], { assets: ['audio'] });
    const executing = [one.execute(), other.execute()];
    await clock.advance(5000);
    await Promise.all(executing);
    expect((await rig.ended()).sort()).toEqual(['g1-1 SUCCESS', 'g2-1 SUCCESS', 'g3-1 SUCCESS']);
  });

  it('sees the death of who had a key of its own in hand, also while it executes others', async () => {
    const gate = new Gate();
    const began = new Recorder<string>();
    await start(
      pipelineOf(async ({ partitionKey }) => {
        began.add(partitionKey);
        await gate.pass();
      }),
    );
    const other = await rig.store.enter();
    await rig.commit(
      { type: 'executor', id: other.id, slots: 1, wants: 0 },
      { type: 'runs-queued', runs: queuedRuns({ group: 'o', keys: ['a'] }), owner: other.id },
    );
    const clock = new ManualClock();
    const session = rig.session({ clock });
    await queue(session, ['a', 'b']);
    const executing = session.execute();
    await clock.advance(2000);
    expect(began.all).toEqual(['b']);
    rig.store.kill(other.id);
    await clock.advance(600);
    expect(began.all).toEqual(['b', 'a']);
    gate.open();
    await clock.advance(600);
    await executing;
    expect((await rig.ended()).sort()).toEqual(['g1-1 SUCCESS', 'g1-2 SUCCESS']);
  });

  it('says that it waits for room where the state does not show it, and begins soon after it has some', async () => {
    const began = new Recorder<string>();
    await start(pipelineOf(({ partitionKey }) => began.add(partitionKey)));
    const busy = await rig.store.enter();
    const full = { type: 'executor', id: busy.id, slots: 64, wants: 0 } as const;
    await rig.commit(full, {
      type: 'runs-queued',
      runs: queuedRuns({ group: 'o', keys: ['f'] }),
      owner: busy.id,
    });
    const clock = new ManualClock();
    const session = rig.session({ clock });
    await queue(session, ['a']);
    const { id } = await session.executor();
    await rig.commit({ type: 'executor', id, slots: 0, wants: 0 });
    const executing = session.execute();
    await clock.advance(60);
    const view = await rig.store.read(EVERYTHING);
    expect(view.executors().find((one) => one.id === id)).toMatchObject({ slots: 0, wants: 1 });
    await rig.commit({ ...full, slots: 1 });
    await clock.advance(150);
    expect(began.all).toEqual(['a']);
    await clock.advance(1000);
    await executing;
  });

  it('says nothing of runs that were taken away from it meanwhile: not that they started, and not how they ended', async () => {
    const gate = new Gate();
    const began = new Recorder<string>();
    await start(
      pipelineOf(async ({ partitionKey }) => {
        began.add(partitionKey);
        await gate.pass();
      }),
    );
    const clock = new ManualClock();
    const session = rig.session({ clock });
    await queue(session, ['a', 'b']);
    const executing = session.execute();
    await began.count(2);
    await rig.commit({ type: 'runs-released', ids: ['g1-1'] });
    await clock.advance(2000);
    expect(await pending()).toEqual(['g1-2 STARTED owned', 'g1-1 QUEUED nobody’s']);
    gate.open();
    await clock.advance(1000);
    await executing;
    expect(await rig.ended()).toEqual(['g1-2 SUCCESS']);
    expect(await pending()).toEqual(['g1-1 QUEUED nobody’s']);
    expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
  });

  describe('that takes up what others left', () => {
    it('executes a run that was interrupted before alone', async () => {
      let now = 0;
      const crowd: Record<string, number> = {};
      await start(
        pipelineOf(async ({ partitionKey }) => {
          now++;
          for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
          crowd[partitionKey] = now;
          now--;
        }),
      );
      const dead = await rig.store.enter();
      await rig.commit(
        { type: 'executor', id: dead.id, slots: 9, wants: 0 },
        { type: 'runs-queued', runs: queuedRuns({ group: 'd', keys: KEYS }), owner: dead.id },
      );
      for (const id of ['d-1', 'd-4']) void dead.begun(id, 60_000);
      rig.store.kill(dead.id);
      const session = rig.session();
      await session.takeUp(
        () => true,
        () => true,
      );
      expect(rig.of('runs-taken-up')).toEqual([{ type: 'runs-taken-up', count: 6 }]);
      await session.execute();
      expect([crowd['a'], crowd['d']]).toEqual([1, 1]);
      expect(Math.max(...Object.values(crowd))).toBeGreaterThan(1);
      expect(await rig.ended()).toHaveLength(6);
    });

    it('says so where one of them ended instead, by whatever way it was taken up', async () => {
      for (const way of ['takeUp', 'takeOver'] as const) {
        await start(pipelineOf());
        const dead = await rig.store.enter();
        await rig.commit(
          { type: 'executor', id: dead.id, slots: 9, wants: 0 },
          { type: 'runs-queued', runs: queuedRuns({ group: 'd', keys: ['a', 'b'] }), owner: dead.id },
        );
        await rig.commit({
          type: 'runs-claimed',
          ids: ['d-1'],
          owner: dead.id,
          interrupted: new Set(['d-1']),
        });
        await rig.commit({
          type: 'runs-claimed',
          ids: ['d-1'],
          owner: dead.id,
          interrupted: new Set(['d-1']),
        });
        void dead.begun('d-1', 60_000);
        rig.store.kill(dead.id);
        const session = rig.session();
        if (way === 'takeUp')
          await session.takeUp(
            () => true,
            () => true,
          );
        else await takeOver(session, 'd-1', 'd-2');
        await session.execute();
        expect((await rig.ended()).sort()).toEqual(['d-1 FAILURE', 'd-2 SUCCESS']);
        expect(
          rig
            .of('run-finished')
            .map(({ run }) => `${run.id} ${run.status}`)
            .sort(),
        ).toEqual(['d-1 FAILURE', 'd-2 SUCCESS']);
      }
    });

    it('becomes no executor where there is nothing to take up', async () => {
      await start(pipelineOf());
      const before = rig.store.document;
      const session = rig.session();
      await session.takeUp(
        () => true,
        () => true,
      );
      expect(session.left).toBe(0);
      await session.execute();
      await session.leave();
      expect(rig.store.document).toBe(before);
    });

    it('fails runs of an asset that the pipeline does not have any more', async () => {
      await start(pipelineOf());
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ keys: ['a'], assets: ['gone'] }),
        owner: null,
      });
      const session = rig.session();
      await session.takeUp(
        () => true,
        () => true,
      );
      await session.execute();
      expect((await finishedRuns(rig.store, { limit: 1 }))[0]).toMatchObject({
        status: 'FAILURE',
        error: { code: 'unknown-asset' },
      });
    });
  });

  describe('whose own files fail', () => {
    it('stops with that failure, and gives back what was not executed', async () => {
      await start(pipelineOf());
      const session = rig.session({
        concurrency: 1,
        ioManager: {
          save: ({ partitionKey }) => {
            if (partitionKey === 'b') throw DISK_FULL;
          },
          load: () => undefined,
          remove: () => undefined,
        },
      });
      await queue(session, ['a', 'b', 'c']);
      await expect(session.execute()).rejects.toBe(DISK_FULL);
      expect(await rig.ended()).toEqual(['g1-1 SUCCESS']);
      expect((await pending()).sort()).toEqual(['g1-2 QUEUED nobody’s', 'g1-3 QUEUED nobody’s']);
    });

    it('records nothing whose value could not be made durable', async () => {
      const failure = new FailureError({ reason: 'state-io', file: '/v', action: 'sync', cause: 'no space' });
      await start(pipelineOf());
      const session = rig.session({
        ioManager: {
          save: () => undefined,
          load: () => undefined,
          remove: () => undefined,
          flush: () => Promise.reject(failure),
        },
      });
      await queue(session, ['a']);
      await expect(session.execute()).rejects.toBe(failure);
      expect(await rig.ended()).toEqual([]);
      expect(lettersOf(await rig.store.read(EVERYTHING), 'audio', 'letters')).toBe('......');
      expect(await pending()).toHaveLength(1);
    });
  });

  describe('as a worker', () => {
    it('ends with --once when nothing is left, also of what came meanwhile', async () => {
      await start(
        pipelineOf(async ({ partitionKey }) => {
          if (partitionKey === 'a')
            await rig.commit({
              type: 'runs-queued',
              runs: queuedRuns({ group: 'late', origin: 'worker', keys: ['b'] }),
              owner: null,
            });
        }),
      );
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w', origin: 'worker', keys: ['a', 'c'] }),
        owner: null,
      });
      await work(rig.session(), { clock: rig.clock, interrupt: rig.interrupt.signal, once: true });
      expect((await rig.ended()).sort()).toEqual(['late-1 SUCCESS', 'w-1 SUCCESS', 'w-2 SUCCESS']);
    });

    it('goes on until it is told to stop, and gives back what it has not executed', async () => {
      const began = new Recorder<string>();
      await start(
        pipelineOf(({ partitionKey, signal }) => {
          began.add(partitionKey);
          if (partitionKey === 'a') return 1;
          return new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(new Error('aborted'))),
          );
        }),
      );
      const working = work(rig.session(), { clock: rig.clock, interrupt: rig.interrupt.signal, once: false });
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w1', origin: 'worker', keys: ['a'] }),
        owner: null,
      });
      await began.count(1);
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w2', origin: 'worker', keys: ['b'] }),
        owner: null,
      });
      await began.count(2);
      rig.interrupt.abort();
      await working;
      expect(await rig.ended()).toEqual(['w1-1 SUCCESS']);
      expect(await pending()).toEqual(['w2-1 QUEUED nobody’s']);
    });

    it('gives back what it takes up while the rest goes back', async () => {
      const began = new Recorder<string>();
      await start(
        pipelineOf(({ partitionKey, signal }) => {
          began.add(partitionKey);
          return new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(new Error('aborted'))),
          );
        }),
      );
      const clock = new ManualClock();
      const queueFor = (group: string, key: string): Promise<void> =>
        rig.commit({
          type: 'runs-queued',
          runs: queuedRuns({ group, origin: 'worker', keys: [key] }),
          owner: null,
        });
      await queueFor('w1', 'a');
      const working = work(rig.session({ clock }), {
        clock,
        interrupt: rig.interrupt.signal,
        once: false,
      });
      await began.count(1);
      await clock.advance(600);
      await queueFor('w2', 'b');
      // From now on a commit is made at once, and answered when the test says so.
      const answers = new Recorder<Gate>();
      const commit = rig.store.commit.bind(rig.store);
      const far = vi.spyOn(rig.store, 'commit').mockImplementation(async (...asked) => {
        const answer = await commit(...asked);
        const gate = new Gate();
        answers.add(gate);
        await gate.pass();
        return answer;
      });
      const later = clock.advance(600);
      await answers.count(1);
      rig.interrupt.abort();
      await answers.count(2);
      await later;
      const [ofTakingUp, ofGivingBack] = answers.all;
      far.mockImplementation(commit);
      ofTakingUp!.open();
      await clock.settle();
      ofGivingBack!.open();
      await working;
      expect((await pending()).sort()).toEqual(['w1-1 QUEUED nobody’s', 'w2-1 QUEUED nobody’s']);
    });

    it('puts the end of a run on record that was canceled before it had taken it on', async () => {
      await start(pipelineOf());
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w', origin: 'worker', keys: ['a'] }),
        owner: null,
      });
      const recover = (): Promise<void> => rig.commit({ type: 'runs-canceling', ids: ['w-1'] });
      const session = rig.session({ ioManager: Object.assign(new MapValues(), { recover }) });
      const working = work(session, { clock: rig.clock, interrupt: rig.interrupt.signal, once: false });
      await rig.events.until((all) => all.some(({ type }) => type === 'run-finished'));
      expect(await rig.ended()).toEqual(['w-1 CANCELED']);
      expect(await pending()).toEqual([]);
      rig.interrupt.abort();
      await working;
    });

    it('takes up short runs while it executes a long one', async () => {
      const gate = new Gate();
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey }) => {
          began.add(partitionKey);
          if (partitionKey === 'a') await gate.pass();
        }),
      );
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w1', origin: 'worker', keys: ['a'] }),
        owner: null,
      });
      const working = work(rig.session(), { clock: rig.clock, interrupt: rig.interrupt.signal, once: true });
      await began.count(1);
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w2', origin: 'worker', keys: ['b'] }),
        owner: null,
      });
      await began.count(2);
      gate.open();
      await working;
      expect((await rig.ended()).sort()).toEqual(['w1-1 SUCCESS', 'w2-1 SUCCESS']);
    });

    it('takes up others in place of runs that wait for a full pool, where it has only so many in hand', async () => {
      const gate = new Gate();
      const began = new Recorder<string>();
      const pool = ({ partitionKey }: { readonly partitionKey: string | null }): string =>
        partitionKey === 'f' ? 'free' : 'full';
      const materialize: Materialize = async ({ partitionKey }) => {
        began.add(partitionKey);
        if (partitionKey === 'a') await gate.pass();
      };
      await start(
        definePipeline({
          assets: [soundOf(materialize, { pool }), idle('text', { partitions: letters })],
          concurrency: 2,
          pools: { full: { limit: 1 }, free: { limit: 1 } },
        }),
      );
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w', origin: 'worker', keys: KEYS }),
        owner: null,
      });
      const options = { clock: rig.clock, interrupt: rig.interrupt.signal, once: true, shares: 1 };
      const working = work(rig.session({ concurrency: 2 }), options);
      // Two are in hand at once, and five wait for one place.
      await began.count(2);
      expect(began.all).toEqual(['a', 'f']);
      gate.open();
      await working;
      expect((await rig.ended()).length).toBe(6);
    });

    it('fails with what stopped it', async () => {
      await start(pipelineOf());
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ origin: 'worker', keys: ['a'] }),
        owner: null,
      });
      await expect(
        work(rig.session({ ioManager: FULL }), {
          clock: rig.clock,
          interrupt: rig.interrupt.signal,
          once: true,
        }),
      ).rejects.toBe(DISK_FULL);
    });

    it('that cannot look at the queue ends what it executes before it fails', async () => {
      const told: string[] = [];
      const began = new Recorder<string>();
      await start(
        pipelineOf(async ({ partitionKey, signal }) => {
          began.add(partitionKey);
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          // It takes some time.
          await new Promise((resolve) => setImmediate(resolve));
          told.push('the code has ended');
          throw new Error('aborted');
        }),
      );
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'w', origin: 'worker', keys: ['a'] }),
        owner: null,
      });
      const session = rig.session();
      const working = work(session, { clock: rig.clock, interrupt: rig.interrupt.signal, once: false });
      await began.count(1);
      const failure = new FailureError({ reason: 'state-io', file: '/s', action: 'read', cause: 'no disk' });
      vi.spyOn(session, 'takeUp').mockRejectedValue(failure);
      await working.catch((error: unknown) => told.push(error === failure ? 'it has failed' : 'what?'));
      expect(told).toEqual(['the code has ended', 'it has failed']);
      expect(await pending()).toEqual(['w-1 QUEUED nobody’s']);
    });

    it('fails with what stopped it also where that happens while it looks for more', async () => {
      const [made, looked] = [new Gate(), new Gate()];
      await start(pipelineOf(() => made.pass()));
      await rig.commit({
        type: 'runs-queued',
        runs: queuedRuns({ origin: 'worker', keys: ['a'] }),
        owner: null,
      });
      const session = rig.session({ ioManager: FULL });
      const takeUp = session.takeUp.bind(session);
      const looks = new Recorder<number>();
      vi.spyOn(session, 'takeUp').mockImplementation(async (...wanted) => {
        const taken = await takeUp(...wanted);
        looks.add(taken);
        if (looks.all.length > 1) await looked.pass();
        return taken;
      });
      const working = work(session, { clock: rig.clock, interrupt: rig.interrupt.signal, once: true });
      await looks.count(2);
      const executing = expect(session.execute()).rejects.toBe(DISK_FULL);
      made.open();
      await executing;
      await new Promise((resolve) => setImmediate(resolve));
      looked.open();
      await expect(working).rejects.toBe(DISK_FULL);
    });

    it('shares a queue with others: every run is executed once', async () => {
      const executed: string[] = [];
      await start(
        pipelineOf(async ({ partitionKey }) => {
          executed.push(partitionKey);
          await new Promise((resolve) => setImmediate(resolve));
        }),
      );
      const many = Array.from({ length: 100 }, (_, at) => `k${at}`);
      await rig.commit(keysAdded('letters', many), {
        type: 'runs-queued',
        runs: queuedRuns({ origin: 'worker', keys: many }),
        owner: null,
      });
      await Promise.all(
        [1, 2, 3].map(() =>
          work(rig.session({ concurrency: 3 }), {
            clock: rig.clock,
            interrupt: rig.interrupt.signal,
            once: true,
          }),
        ),
      );
      expect(executed.sort()).toEqual([...many].sort());
      expect(await rig.ended()).toHaveLength(100);
    });
  });
});
