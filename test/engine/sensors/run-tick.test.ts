/** One tick from claim to record: what is committed, what is recorded, and who wins when two want the same. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { EVERYTHING } from '../../../src/state/needs.ts';
import { DryRunStore } from '../../../src/engine/sensors/dry-run-store.ts';
import { afterEach, describe, expect, it } from 'vitest';
import type { SensorOptions, SensorResult } from '../../../src/definitions/sensor.ts';
import type { TickRecord } from '../../../src/model/tick.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import type { StateChange } from '../../../src/state/changes.ts';
import { AT, keysAdded, letters, lettersPipeline, tickRecord } from '../../support/builders.ts';
import { EngineRig, Gate, Recorder } from '../../support/engine-rig.ts';

const found = (...keys: string[]): SensorResult => ({
  cursor: keys.at(-1)!,
  dynamicPartitionsRequests: [letters.buildAddRequest(keys)],
  runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
});

describe('a tick of a sensor', () => {
  let rig: EngineRig;

  afterEach(() => {
    expect(checkState(rig.store.document)).toEqual([]);
  });

  const start = (evaluate: SensorOptions['evaluate'], options: Partial<SensorOptions> = {}): EngineRig =>
    (rig = new EngineRig(lettersPipeline({ feed: { evaluate, ...options } })));
  const history = (): Promise<TickRecord[]> => rig.store.ticks('feed', 100);

  it('commits everything at once, records what it did, and hands on its runs', async () => {
    start(() => found('a', 'b'));
    const session = rig.session();
    const { tick, owned } = await rig.tick('feed', { executor: session.executor });
    expect(rig.store.document.serial).toBe(1);
    expect(tick).toMatchObject({
      status: 'SUCCESS',
      cursor: { before: null, after: 'b' },
      error: null,
      busy: null,
    });
    expect(owned.map(({ id, partitionKey }) => ({ id, partitionKey }))).toEqual(
      tick.runs.map(({ id, partitionKey }) => ({ id, partitionKey })),
    );
    expect(await history()).toEqual([tick]);
    expect(rig.of('tick-finished')).toEqual([{ type: 'tick-finished', tick }]);
    const view = await rig.store.read(EVERYTHING);
    expect(view.sensor('feed')).toMatchObject({ cursor: 'b', version: 1, lastTick: tick });
    expect(view.pipeline).toMatchObject({ sets: ['letters'] });
    expect(await rig.store.evaluating('feed')).toBeNull();
    await session.adopt(owned);
    await session.execute();
    expect((await rig.ended()).map((run) => run.replace(/.* /, ''))).toEqual(['SUCCESS', 'SUCCESS']);
    expect((await rig.store.read(EVERYTHING)).executors()).toEqual([]);
  });

  it('waits while an earlier evaluation ends its programs, and no longer than that takes', async () => {
    start(() => ({ skipReason: 'nothing new' }));
    const claim = await rig.store.claimSensor('feed');
    if ('holder' in claim) throw new Error('nobody has it');
    claim.started({ group: 4_100_001, number: 1 });
    await claim.release();
    const began = rig.clock.time;
    const ticking = rig.tick('feed');
    await expect.poll(() => rig.clock.slept.length).toBeGreaterThan(3);
    await claim.programsEnded();
    const { tick } = await ticking;
    expect(Date.parse(tick.startedAt)).toBeGreaterThan(began);
    expect(rig.clock.time - began).toBeLessThan(15_000);
    claim.started({ group: 4_100_001, number: 1 });
    const before = rig.clock.time;
    await rig.tick('feed');
    expect(rig.clock.time - before).toBe(15_000);
  });

  it('that changes nothing leaves the state alone, and is recorded all the same', async () => {
    start(() => ({ skipReason: 'nothing new' }));
    await rig.commit(keysAdded('letters', ['a']));
    const before = rig.store.document;
    const { tick, owned } = await rig.tick('feed', { executor: rig.session().executor });
    expect(rig.store.document).toBe(before);
    expect(owned).toEqual([]);
    expect(await history()).toEqual([tick]);
    expect(tick).toMatchObject({ status: 'SKIPPED', skipReason: 'nothing new' });
  });

  it('that throws applies nothing, leaves the cursor, and is recorded with its log (Dagster 34)', async () => {
    start(({ log }) => {
      log.info('looking');
      throw new Error('offline');
    });
    await rig.commit({ type: 'sensor-changed', sensor: 'feed', cursor: 'c' });
    const before = rig.store.document;
    const { tick } = await rig.tick('feed');
    expect(tick).toMatchObject({
      status: 'FAILURE',
      cursor: { before: 'c', after: 'c' },
      error: { code: 'sensor-threw' },
    });
    expect(rig.store.document).toBe(before);
    expect(await history()).toMatchObject([{ status: 'FAILURE', log: [{ text: 'looking' }] }]);
    expect(await rig.store.evaluating('feed')).toBeNull();
  });

  it('whose run request names a key that is not there is a failure in the history', async () => {
    start(() => ({ cursor: 'far', runRequests: [{ partitionKey: 'x' }, { partitionKey: 'y' }] }));
    const { tick } = await rig.tick('feed', { executor: rig.session().executor });
    expect(tick).toMatchObject({ status: 'FAILURE', error: { code: 'sensor-result' } });
    expect((await history())[0]!.error!.message).toMatch(/"x".*"y"/);
    expect(rig.store.document.serial).toBe(0);
  });

  it('tells its sensor when the last one began', async () => {
    const seen: (string | null)[] = [];
    start(({ lastTickAt }) => void seen.push(lastTickAt?.toISOString() ?? null));
    for (let time = 0; time < 3; time++) {
      await rig.tick('feed');
      rig.clock.time += 1000;
    }
    expect(seen).toEqual([null, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z']);
  });

  it('leaves its runs to a worker where nobody is to execute them', async () => {
    start(() => found('a'));
    const { owned } = await rig.tick('feed', { executor: null });
    expect(owned).toEqual([]);
    expect(rig.store.document.runs).toMatchObject([{ origin: 'worker', owner: null }]);
  });

  it('enters no executor where there is nothing to run', async () => {
    let entered = 0;
    start(() => ({ cursor: '1' }));
    await rig.tick('feed', {
      executor: () => {
        entered++;
        return rig.store.enter();
      },
    });
    expect(entered).toBe(0);
  });

  it('that is tried dry commits nothing, records nothing and has no ids', async () => {
    start(() => found('a'));
    const { tick, owned } = await rig.tick('feed', {
      store: new DryRunStore(rig.store),
      executor: rig.session().executor,
    });
    expect(tick).toMatchObject({
      status: 'SUCCESS',
      partitions: [{ added: ['a'] }],
      runs: [{ id: null, partitionKey: 'a' }],
    });
    expect(owned).toEqual([]);
    expect(rig.store.document.serial).toBe(0);
    expect(await history()).toEqual([]);
    expect(rig.store.document.executors).toEqual([]);
  });

  describe('that finds the sensor held by another process', () => {
    it('is busy, says by whom, and neither evaluates nor changes anything', async () => {
      let evaluated = 0;
      start(() => void evaluated++);
      const claim = await rig.store.claimSensor('feed');
      const { tick } = await rig.tick('feed');
      expect(tick).toMatchObject({
        status: 'BUSY',
        busy: { pid: process.pid, since: AT },
        error: null,
        cursor: { before: null, after: null },
      });
      expect(evaluated).toBe(0);
      expect(rig.store.document.serial).toBe(0);
      expect(await history()).toEqual([tick]);
      if ('holder' in claim) throw new Error('nobody else had it');
      await claim.release();
    });

    it('waits where it is told to, and goes on when it is free', async () => {
      start(() => ({ cursor: '1' }));
      const claim = await rig.store.claimSensor('feed');
      if ('holder' in claim) throw new Error('nobody else had it');
      const sleep = rig.clock.sleep.bind(rig.clock);
      let asked = 0;
      rig.clock.sleep = async (ms, signal) => {
        if (++asked === 3) await claim.release();
        await sleep(ms, signal);
      };
      expect((await rig.tick('feed', { ifBusy: 'wait' })).tick.status).toBe('SKIPPED');
      expect(asked).toBe(3);
    });

    it('gives up waiting when its time is over, or when it is interrupted', async () => {
      start(() => undefined);
      await rig.store.claimSensor('feed');
      expect((await rig.tick('feed', { ifBusy: 'wait', waitTimeoutMs: 1000 })).tick.status).toBe('BUSY');
      rig.interrupt.abort();
      expect((await rig.tick('feed', { ifBusy: 'wait' })).tick.status).toBe('BUSY');
    });

    it('reports it as stuck long after its timeout', async () => {
      start(() => undefined, { timeoutSeconds: 60 });
      await rig.store.claimSensor('feed');
      rig.clock.time += 65_000;
      expect((await rig.tick('feed')).tick.status).toBe('BUSY');
      rig.clock.time += 1;
      const { tick } = await rig.tick('feed');
      expect(tick).toMatchObject({ status: 'FAILURE', error: { code: 'sensor-stuck' } });
      expect(tick.error!.hint).toMatch(new RegExp(`kill .*${process.pid}`));
    });
  });

  describe('that is overtaken while it evaluates', () => {
    const overtaken = async (by: (the: EngineRig) => Promise<void>): Promise<TickRecord> => {
      const gate = new Gate();
      const began = new Recorder<string>();
      start(async () => {
        began.add('began');
        await gate.pass();
        return found('a');
      });
      const ticking = rig.tick('feed', { executor: rig.session().executor });
      await began.count(1);
      await by(rig);
      gate.open();
      return (await ticking).tick;
    };

    it.each<readonly [string, StateChange]>([
      ['an edit of the cursor', { type: 'sensor-changed', sensor: 'feed', cursor: 'edited' }],
      ['a stop', { type: 'sensor-changed', sensor: 'feed', status: 'STOPPED' }],
      [
        'another tick',
        {
          type: 'sensor-changed',
          sensor: 'feed',
          cursor: 'theirs',
          tick: tickRecord({ sensor: 'feed', status: 'SUCCESS' }),
        },
      ],
    ])('by %s is busy, with nothing applied', async (_, change) => {
      const tick = await overtaken((the) => the.commit(change));
      expect(tick).toMatchObject({ status: 'BUSY', partitions: [], runs: [] });
      expect(rig.store.document.sets).toEqual({});
      expect(rig.store.document.runs).toEqual([]);
      expect(rig.store.document.sensors['feed']!.version).toBe(1);
      expect(rig.store.document.sensors['feed']!.runKeys).toEqual({ ofKeys: {}, other: [] });
    });

    it('by keys that somebody added plans from what is there then', async () => {
      const tick = await overtaken((the) => the.commit(keysAdded('letters', ['a'])));
      expect(tick).toMatchObject({
        status: 'SUCCESS',
        partitions: [{ added: [], skipped: ['a'] }],
        runs: [{ partitionKey: 'a' }],
      });
    });

    it('by another sensor is not overtaken at all', async () => {
      expect(
        (await overtaken((the) => the.commit({ type: 'sensor-changed', sensor: 'other', cursor: 'x' })))
          .status,
      ).toBe('SUCCESS');
    });
  });

  it('takes turns with another one of the same sensor: keys and runs come once', async () => {
    start(async ({ partitions }) => {
      const fresh = await partitions(letters).missing(['a', 'b', 'c']);
      return fresh.length === 0 ? undefined : found(...fresh);
    });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => rig.tick('feed', { ifBusy: 'wait' })));
    expect(outcomes.map(({ tick }) => tick.status).sort()).toEqual([
      'SKIPPED',
      'SKIPPED',
      'SKIPPED',
      'SKIPPED',
      'SUCCESS',
    ]);
    expect(rig.store.document.sets['letters']!.keys).toEqual(['a', 'b', 'c']);
    expect(rig.store.document.runs.flatMap(({ keys }) => keys)).toEqual(['a', 'b', 'c']);
  });
});

describe('the last tick of a sensor', () => {
  it('is the newer of what state and history have, and never a busy one', async () => {
    const rig = new EngineRig();
    const last = async (): Promise<string | null> =>
      (await rig.store.read(EVERYTHING)).sensor('feed').lastTick?.startedAt ?? null;
    const at = (second: number, status: TickRecord['status'] = 'SKIPPED'): TickRecord =>
      tickRecord({ sensor: 'feed', status, startedAt: new Date(second * 1000).toISOString() });
    expect(await last()).toBeNull();
    await rig.store.recordTick(at(1, 'BUSY'));
    expect(await last()).toBeNull();
    await rig.commit({ type: 'sensor-changed', sensor: 'feed', tick: at(2, 'SUCCESS') });
    expect(await last()).toBe(at(2).startedAt);
    await rig.store.recordTick(at(3, 'FAILURE'));
    for (let second = 4; second < 30; second++) await rig.store.recordTick(at(second, 'BUSY'));
    expect(await last()).toBe(at(3).startedAt);
  });
});
