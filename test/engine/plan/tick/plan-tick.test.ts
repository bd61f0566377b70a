/** Planning a tick: Dagster's acceptance cases in our semantics, and random histories against a far simpler model. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { outcomeOf } from '../../../../src/model/run.ts';
import { letters } from '../../../support/letters.ts';
import { EVERYTHING } from '../../../../src/state/needs.ts';
import { finishedRuns } from '../../../support/finished-runs.ts';
import * as fc from '../../../support/random.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { asset, type AnyAsset } from '../../../../src/definitions/asset.ts';
import { dynamicPartitions, type PartitionsRequest } from '../../../../src/definitions/partitions.ts';
import { definePipeline, type Pipeline } from '../../../../src/definitions/pipeline.ts';
import { sensor, type RunRequest, type SensorResult } from '../../../../src/definitions/sensor.ts';
import type { TickRecord } from '../../../../src/model/tick.ts';
import { newId } from '../../../../src/model/time.ts';
import { addKeys, removeKeys } from '../../../../src/engine/plan/keys/add-remove-sync.ts';
import { planTick } from '../../../../src/engine/plan/tick/plan-tick.ts';
import { parseSensorResult } from '../../../../src/engine/plan/sensor-result/parse-sensor-result.ts';
import { planSkippedTick, type TickPlan } from '../../../../src/engine/plan/tick/tick-record.ts';
import { checkState } from '../../../../src/state/document/check-state.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import { finishedRun, idle } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const fruits = dynamicPartitions('fruits');
const nuts = dynamicPartitions('nuts');
const cake: AnyAsset = asset({ name: 'cake', partitions: fruits, materialize: () => 1 });
const jam = asset({ name: 'jam', partitions: fruits, materialize: () => 1 });
const paste = asset({ name: 'paste', partitions: nuts, materialize: () => 1 });

function kitchen(): Pipeline {
  return definePipeline({
    assets: [cake, jam, paste, idle('menu')],
    sensors: [
      sensor({ name: 'market', assets: [cake], evaluate: () => undefined }),
      sensor({ name: 'garden', assets: [cake], evaluate: () => undefined }),
    ],
  });
}

class Kitchen {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore(this.clock);
  readonly pipeline = kitchen();
  /** The plan of the last tick. */
  plan!: TickPlan;

  async tick(
    result: SensorResult,
    { sensor: name = 'market', owner = null }: { sensor?: string; owner?: string | null } = {},
  ): Promise<TickRecord> {
    const definition = this.pipeline.sensors.get(name)!;
    const parsed = parseSensorResult(result, definition, this.pipeline);
    if ('problems' in parsed) throw new Error(`no such result: ${parsed.problems.join('; ')}`);
    this.clock.time += 1000;
    const moment = { startedAt: this.clock.time, now: this.clock.time, group: newId(this.clock) };
    await this.store.commit(EVERYTHING, (view) => {
      this.plan = planTick(view, definition, parsed.result, { moment, owner });
      return { changes: this.plan.changes, outcome: undefined };
    });
    expect(checkState(this.store.document)).toEqual([]);
    return this.plan.tick;
  }

  /** The plan of a tick that asks for nothing, at the time of the last one. */
  async skipped(result: SensorResult): Promise<TickPlan> {
    const definition = this.pipeline.sensors.get('market')!;
    const parsed = parseSensorResult(result, definition, this.pipeline);
    if ('problems' in parsed) throw new Error('no such result');
    const moment = { startedAt: this.clock.time, now: this.clock.time, group: '' };
    return planSkippedTick(await this.store.read(EVERYTHING), definition, parsed.result, {
      moment,
      owner: null,
    });
  }

  async add(...keys: string[]): Promise<void> {
    await this.store.commit(EVERYTHING, (view) => addKeys(view, 'fruits', keys, { now: this.clock.time }));
  }

  async remove(keys: readonly string[], keepOut = false): Promise<void> {
    await this.store.commit(EVERYTHING, (view) =>
      removeKeys(view, 'fruits', keys, { keepOut, now: this.clock.time }),
    );
  }

  get keys(): readonly string[] {
    return this.store.document.sets['fruits']?.keys ?? [];
  }

  get cursor(): string | null {
    return this.store.document.sensors['market']?.cursor ?? null;
  }
}

const launched = (tick: TickRecord): string[] =>
  tick.runs.map(({ partitionKey, runKey }) => `${partitionKey}/${runKey}`);
const adding = (...keys: string[]): readonly PartitionsRequest[] => [fruits.buildAddRequest(keys)];
const forKeys = (...keys: string[]): RunRequest[] =>
  keys.map((partitionKey) => ({ partitionKey, runKey: partitionKey }));

describe('a tick', () => {
  let the: Kitchen;

  beforeEach(() => {
    the = new Kitchen();
  });

  it('adds what is new and reports what is there as skipped (Dagster 24)', async () => {
    await the.add('foo');
    const tick = await the.tick({ dynamicPartitionsRequests: adding('baz', 'foo') });
    expect(tick.status).toBe('SUCCESS');
    expect(tick.partitions).toEqual([
      { set: 'fruits', added: ['baz'], updated: [], removed: [], skipped: ['foo'] },
    ]);
    expect(tick.skipReason).toBeNull();
    expect(the.keys).toEqual(['foo', 'baz']);
  });

  it('keeps a skip reason beside its key requests, whether they changed something or not', async () => {
    const result = { skipReason: 'being rebuilt', dynamicPartitionsRequests: adding('foo') };
    for (const status of ['SUCCESS', 'SKIPPED']) {
      const tick = await the.tick(result);
      expect([tick.status, tick.skipReason]).toEqual([status, 'being rebuilt']);
    }
  });

  it('adds, deletes and requests a run of what it added, and does nothing the second time (Dagster 25, 26)', async () => {
    await the.add('2');
    const result = {
      dynamicPartitionsRequests: [fruits.buildAddRequest(['1']), fruits.buildDeleteRequest(['2', '3'])],
      runRequests: forKeys('1'),
    };
    const first = await the.tick(result);
    expect(first.status).toBe('SUCCESS');
    expect(first.partitions).toEqual([
      { set: 'fruits', added: ['1'], updated: [], removed: [], skipped: [] },
      { set: 'fruits', added: [], updated: [], removed: ['2'], skipped: ['3'] },
    ]);
    expect(first.runs).toMatchObject([
      { partitionKey: '1', runKey: '1', assets: ['cake'], status: 'QUEUED' },
    ]);
    expect(the.keys).toEqual(['1']);
    const second = await the.tick(result);
    expect(second).toMatchObject({
      status: 'SKIPPED',
      error: null,
      partitions: [
        { added: [], skipped: ['1'] },
        { removed: [], skipped: ['2', '3'] },
      ],
      runs: [],
      skippedRunKeys: ['1'],
      skipReason: 'all run keys had launched a run before',
    });
    expect(the.plan.changes).toEqual([]);
  });

  it('fails where a run is for a key that the result itself deletes, and applies nothing (Dagster 27)', async () => {
    await the.add('2');
    const tick = await the.tick({
      cursor: 'far',
      dynamicPartitionsRequests: [fruits.buildDeleteRequest(['2'])],
      runRequests: forKeys('2'),
    });
    expect(tick.status).toBe('FAILURE');
    expect(tick.error).toMatchObject({ code: 'sensor-result' });
    expect(tick.error!.message).toContain(`key "2" of a run request is not in set 'fruits'`);
    expect(tick).toMatchObject({
      partitions: [],
      runs: [],
      skippedRunKeys: [],
      cursor: { before: null, after: null },
    });
    expect(the.plan.changes).toEqual([]);
    expect(the.keys).toEqual(['2']);
  });

  it('names every key that is not there, not only the first', async () => {
    const tick = await the.tick({
      runRequests: [...forKeys('a', 'b'), { partitionKey: 'c', assets: [paste] }],
    });
    for (const name of ['"a"', '"b"', '"c"', "'nuts'"]) expect(tick.error!.message).toContain(name);
  });

  it('applies requests in the order given: the last word on a key holds', async () => {
    const [add, remove] = [fruits.buildAddRequest(['x']), fruits.buildDeleteRequest(['x'])];
    const gone = await the.tick({ dynamicPartitionsRequests: [add, remove] });
    expect(gone.partitions).toMatchObject([{ added: ['x'] }, { removed: ['x'] }]);
    expect(the.keys).toEqual([]);
    const there = await the.tick({ dynamicPartitionsRequests: [remove, add], runRequests: forKeys('x') });
    expect(there).toMatchObject({ status: 'SUCCESS', partitions: [{ skipped: ['x'] }, { added: ['x'] }] });
    expect(the.keys).toEqual(['x']);
    await the.add('y');
    const moved = await the.tick({ dynamicPartitionsRequests: [remove, add], runRequests: forKeys('x') });
    expect(launched(moved)).toEqual(['x/x']);
    expect(the.keys).toEqual(['y', 'x']);
  });

  it('counts a key that is repeated in one request once', async () => {
    const tick = await the.tick({
      dynamicPartitionsRequests: [
        fruits.buildAddRequest(['a', 'a', 'b', 'a']),
        fruits.buildDeleteRequest(['b', 'b', 'c', 'c']),
      ],
    });
    expect(tick.partitions).toEqual([
      { set: 'fruits', added: ['a', 'b'], updated: [], removed: [], skipped: [] },
      { set: 'fruits', added: [], updated: [], removed: ['b'], skipped: ['c'] },
    ]);
    expect(the.keys).toEqual(['a']);
  });

  it('keeps sets apart', async () => {
    const tick = await the.tick({
      dynamicPartitionsRequests: [fruits.buildAddRequest(['a']), nuts.buildAddRequest(['a'])],
      runRequests: [
        { partitionKey: 'a', runKey: 'fruit' },
        { partitionKey: 'a', runKey: 'nut', assets: ['paste'] },
      ],
    });
    expect(tick.runs.map(({ assets }) => assets)).toEqual([['cake'], ['paste']]);
    await the.tick({ dynamicPartitionsRequests: [fruits.buildDeleteRequest(['a'])] });
    expect(the.store.document.sets['nuts']!.keys).toEqual(['a']);
    expect(the.store.document.runs.map(({ set }) => set)).toEqual(['nuts']);
  });

  it('takes only what is newer than its cursor (Dagster 31)', async () => {
    const release = (cursor: string, ...fresh: string[]): SensorResult => ({
      cursor,
      dynamicPartitionsRequests: adding(...fresh),
      runRequests: forKeys(...fresh),
    });
    expect(await the.tick({ skipReason: 'No new releases' })).toMatchObject({
      status: 'SKIPPED',
      skipReason: 'No new releases',
    });
    expect(launched(await the.tick(release('1.1.0', '1.1.0')))).toEqual(['1.1.0/1.1.0']);
    expect(launched(await the.tick(release('1.2.0', '1.2.0')))).toEqual(['1.2.0/1.2.0']);
    expect(the.keys).toEqual(['1.1.0', '1.2.0']);
    expect(the.cursor).toBe('1.2.0');
  });

  it('launches one run for a run key, and says what it suppressed (Dagster 32)', async () => {
    const result = { runRequests: [{ runKey: 'only_once', assets: ['menu'] }] };
    expect(await the.tick(result)).toMatchObject({
      status: 'SUCCESS',
      runs: [{ runKey: 'only_once', partitionKey: null }],
    });
    expect(await the.tick(result)).toMatchObject({
      status: 'SKIPPED',
      runs: [],
      skippedRunKeys: ['only_once'],
    });
    expect(launched(await the.tick(result, { sensor: 'garden' }))).toEqual(['null/only_once']);
  });

  it('launches one run for a run key that stands in one result twice: the first request wins', async () => {
    const tick = await the.tick({
      dynamicPartitionsRequests: adding('a', 'b'),
      runRequests: [
        { partitionKey: 'a', runKey: 'k' },
        { partitionKey: 'b', runKey: 'k' },
        { partitionKey: 'b' },
        { partitionKey: 'b' },
      ],
    });
    expect(launched(tick)).toEqual(['a/k', 'b/null', 'b/null']);
    expect(tick.skippedRunKeys).toEqual(['k']);
  });

  it('launches again for a key that was removed and came back (Dagster keeps such run keys)', async () => {
    const result = {
      dynamicPartitionsRequests: adding('a'),
      runRequests: [...forKeys('a'), { partitionKey: 'a', runKey: 'other' }],
    };
    expect(launched(await the.tick(result))).toEqual(['a/a', 'a/other']);
    await the.remove(['a']);
    expect(launched(await the.tick(result))).toEqual(['a/a', 'a/other']);
    expect(launched(await the.tick(result))).toEqual([]);
  });

  it('launches again for a key that the same result deletes and adds', async () => {
    await the.tick({ dynamicPartitionsRequests: adding('a', 'b'), runRequests: forKeys('a', 'b') });
    const tick = await the.tick({
      dynamicPartitionsRequests: [fruits.buildDeleteRequest(['a']), fruits.buildAddRequest(['a'])],
      runRequests: forKeys('a', 'b'),
    });
    expect(launched(tick)).toEqual(['a/a']);
    expect(tick.skippedRunKeys).toEqual(['b']);
  });

  it('moves the cursor on SUCCESS and on SKIPPED, and leaves it where the result has none (Dagster 33)', async () => {
    expect(await the.tick({ cursor: '1', skipReason: 'none' })).toMatchObject({
      status: 'SKIPPED',
      cursor: { before: null, after: '1' },
    });
    expect(the.cursor).toBe('1');
    expect(await the.tick({ cursor: '2', dynamicPartitionsRequests: adding('a') })).toMatchObject({
      status: 'SUCCESS',
      cursor: { before: '1', after: '2' },
    });
    expect(await the.tick({ dynamicPartitionsRequests: adding('b') })).toMatchObject({
      cursor: { before: '2', after: '2' },
    });
    expect(the.cursor).toBe('2');
    expect(await the.tick({ cursor: '' })).toMatchObject({
      status: 'SKIPPED',
      cursor: { before: '2', after: '' },
    });
    expect(the.cursor).toBe('');
  });

  it.each<readonly [string, SensorResult, string]>([
    ['nothing', {}, 'the sensor requested nothing'],
    ['empty lists', { dynamicPartitionsRequests: [], runRequests: [] }, 'the sensor requested nothing'],
    ['a request of no keys', { dynamicPartitionsRequests: adding() }, 'the requests changed nothing'],
    [
      'a key that is not there to delete',
      { dynamicPartitionsRequests: [fruits.buildDeleteRequest(['x'])] },
      'the requests changed nothing',
    ],
    ['a reason', { skipReason: 'rainy' }, 'rainy'],
    ['the cursor that it had', { cursor: 'c' }, 'the sensor requested nothing'],
  ])('changes nothing where the result is %s', async (_, result, reason) => {
    await the.tick({ cursor: 'c' });
    const before = the.store.document;
    expect(await the.tick(result)).toMatchObject({ status: 'SKIPPED', skipReason: reason });
    expect(the.plan.changes).toEqual([]);
    expect(the.store.document).toBe(before);
  });

  it.each<readonly [string, SensorResult]>([
    ['nothing', {}],
    ['a reason', { skipReason: 'rainy' }],
    ['the cursor that it had', { cursor: 'c' }],
  ])('is the same without the planner where the result asks for %s', async (_, result) => {
    await the.tick({ cursor: 'c' });
    await the.tick(result);
    expect(await the.skipped(result)).toEqual(the.plan);
  });

  it('passes over keys that are kept out, until somebody adds them by hand', async () => {
    await the.add('a', 'b');
    await the.remove(['a'], true);
    const tick = await the.tick({ dynamicPartitionsRequests: adding('a', 'b', 'c') });
    expect(tick.partitions).toEqual([
      { set: 'fruits', added: ['c'], updated: [], removed: [], skipped: ['a', 'b'] },
    ]);
    expect(the.keys).toEqual(['b', 'c']);
    await the.add('a');
    expect(the.keys).toEqual(['b', 'c', 'a']);
    await the.remove(['a']);
    expect((await the.tick({ dynamicPartitionsRequests: adding('a') })).partitions[0]!.added).toEqual(['a']);
  });

  it('leaves out the run of a key that it asked for and that is kept out, and spends no run key on it', async () => {
    await the.remove(['a'], true);
    const result = {
      cursor: '1',
      dynamicPartitionsRequests: adding('a', 'b'),
      runRequests: forKeys('a', 'b'),
    };
    const tick = await the.tick(result);
    expect(tick.status).toBe('SUCCESS');
    expect(launched(tick)).toEqual(['b/b']);
    expect(the.cursor).toBe('1');
    await the.add('a');
    expect(launched(await the.tick(result))).toEqual(['a/a']);
  });

  it('fails where it requests a run of a kept-out key that it did not ask for', async () => {
    await the.remove(['a'], true);
    expect(await the.tick({ runRequests: forKeys('a') })).toMatchObject({ status: 'FAILURE' });
  });

  it('brings back a key that was removed without being kept out', async () => {
    await the.add('a');
    await the.remove(['a']);
    expect((await the.tick({ dynamicPartitionsRequests: adding('a') })).partitions[0]!.added).toEqual(['a']);
  });

  it('cancels the queued runs of a key that it deletes, and forgets its status', async () => {
    await the.tick({ dynamicPartitionsRequests: adding('a', 'b'), runRequests: forKeys('a', 'b') });
    await the.store.commit(EVERYTHING, () => ({
      changes: [
        {
          type: 'runs-finished',
          runs: [
            finishedRun({
              id: 'x-1',
              status: 'SUCCESS',
              partitionKey: 'a',
              set: 'fruits',
              assets: [outcomeOf({ asset: 'cake', status: 'SUCCESS', attempts: 1, metadata: {} })],
            }),
          ],
        },
      ],
      outcome: undefined,
    }));
    expect(letters(await the.store.read(EVERYTHING), 'cake', 'fruits')).toBe('m.');
    await the.tick({
      dynamicPartitionsRequests: [fruits.buildDeleteRequest(['a']), fruits.buildAddRequest(['a'])],
    });
    expect(the.store.document.runs.flatMap(({ keys }) => keys)).toEqual(['b']);
    expect((await finishedRuns(the.store, { limit: 1 }))[0]).toMatchObject({
      partitionKey: 'a',
      status: 'CANCELED',
      error: { code: 'canceled' },
    });
    expect(letters(await the.store.read(EVERYTHING), 'cake', 'fruits')).toBe('..');
  });

  it('ends the run of a key once that it deletes, adds and deletes again', async () => {
    await the.tick({ dynamicPartitionsRequests: adding('a', 'b'), runRequests: forKeys('a', 'b') });
    const [add, remove] = [fruits.buildAddRequest(['a']), fruits.buildDeleteRequest(['a'])];
    await the.tick({
      dynamicPartitionsRequests: [remove, add, fruits.buildDeleteRequest(['a', 'b'])],
    });
    const ended = the.plan.changes.flatMap((change) =>
      change.type === 'runs-finished' ? change.runs.map(({ record }) => record.partitionKey) : [],
    );
    expect(ended).toEqual(['a', 'b']);
  });

  it('has a live owner abort the started runs of a key that it deletes', async () => {
    const executor = await the.store.enter();
    await the.store.commit(EVERYTHING, () => ({
      changes: [{ type: 'executor', id: executor.id, slots: 1, wants: 0 }],
      outcome: undefined,
    }));
    const tick = await the.tick(
      { dynamicPartitionsRequests: adding('a'), runRequests: forKeys('a') },
      { owner: executor.id },
    );
    await the.tick({ dynamicPartitionsRequests: [fruits.buildDeleteRequest(['a'])] });
    expect((await the.store.read(EVERYTHING)).run(tick.runs[0]!.id!)!.run.canceling).toBe(true);
    expect(await finishedRuns(the.store, { limit: 1 })).toEqual([]);
  });

  it('queues runs for its own process, or for a worker', async () => {
    const executor = await the.store.enter();
    await the.store.commit(EVERYTHING, () => ({
      changes: [{ type: 'executor', id: executor.id, slots: 1, wants: 0 }],
      outcome: undefined,
    }));
    await the.tick(
      { dynamicPartitionsRequests: adding('a'), runRequests: forKeys('a') },
      { owner: executor.id },
    );
    await the.tick({ dynamicPartitionsRequests: adding('b'), runRequests: forKeys('b') });
    expect(the.store.document.runs.map(({ origin, owner }) => ({ origin, owner }))).toEqual([
      { origin: 'tick', owner: executor.id },
      { origin: 'worker', owner: null },
    ]);
  });

  it('gives runs of one target one group with one number each, whatever the order of the requests', async () => {
    const tick = await the.tick({
      dynamicPartitionsRequests: adding('a', 'b', 'c'),
      runRequests: [
        { partitionKey: 'a' },
        { partitionKey: 'b', assets: [jam, cake] },
        { partitionKey: 'c' },
        { partitionKey: 'a', assets: ['cake', 'jam'] },
        { partitionKey: 'a', tags: { x: '1', y: '2' } },
        { partitionKey: 'b', tags: { y: '2', x: '1' } },
      ],
    });
    expect(
      tick.runs.map(({ id, partitionKey, assets }) => [id!.replace(/.*-/, ''), partitionKey, assets]),
    ).toEqual([
      ['1', 'a', ['cake']],
      ['2', 'c', ['cake']],
      ['3', 'b', ['cake', 'jam']],
      ['4', 'a', ['cake', 'jam']],
      ['5', 'a', ['cake']],
      ['6', 'b', ['cake']],
    ]);
    expect(the.store.document.runs).toHaveLength(3);
    expect(new Set(the.store.document.runs.map(({ id }) => id)).size).toBe(1);
  });

  it('that did something is the last tick of the state, shortened', async () => {
    const many = Array.from({ length: 1200 }, (_, at) => `k${at}`);
    const tick = await the.tick({ dynamicPartitionsRequests: adding(...many) });
    expect(tick.partitions[0]!.added).toHaveLength(1200);
    const { lastTick } = the.store.document.sensors['market']!;
    expect(lastTick!.partitions[0]!.added).toHaveLength(1000);
    expect(lastTick!.truncated).toEqual({ keys: 200, runs: 0, skippedRunKeys: 0 });
  });
});

// --- random histories ---

const KEYS = ['a', 'b', 'c', 'once'];
const someKeys = fc.array(fc.constantFrom(...KEYS), { maxLength: 4 });

interface TickStep {
  readonly do: 'tick';
  readonly requests: readonly { readonly add: boolean; readonly keys: readonly string[] }[];
  readonly runs: readonly { readonly key: string; readonly runKey: string | null }[];
  readonly cursor: string | null;
}
type Step =
  | TickStep
  | { readonly do: 'add'; readonly keys: readonly string[] }
  | { readonly do: 'remove'; readonly keys: readonly string[]; readonly keepOut: boolean }
  | { readonly do: 'finish'; readonly status: 'SUCCESS' | 'FAILURE' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('tick' as const),
      requests: fc.array(fc.record({ add: fc.boolean(), keys: someKeys }), { maxLength: 4 }),
      runs: fc.array(
        fc.record({ key: fc.constantFrom(...KEYS), runKey: fc.constantFrom(null, ...KEYS, 'x') }),
        { maxLength: 3 },
      ),
      cursor: fc.constantFrom(null, null, '1', '2'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('add' as const), keys: someKeys }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('remove' as const), keys: someKeys, keepOut: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      status: fc.constantFrom('SUCCESS' as const, 'FAILURE' as const),
    }),
  },
);

/** What must be true, as simply as it can be said. */
class Model {
  keys: string[] = [];
  keptOut = new Set<string>();
  /** Which key each spent run key launched a run for. */
  spent = new Map<string, string>();
  statuses = new Map<string, string>();
  cursor: string | null = null;
  /** Keys of the runs that are queued. */
  queued: string[] = [];

  add(key: string): boolean {
    if (this.keys.includes(key)) return false;
    this.keys.push(key);
    return true;
  }

  remove(key: string): boolean {
    if (!this.keys.includes(key)) return false;
    this.keys = this.keys.filter((other) => other !== key);
    this.spent = new Map([...this.spent].filter(([, of]) => of !== key));
    this.statuses.delete(key);
    this.queued = this.queued.filter((of) => of !== key);
    return true;
  }

  copy(): Model {
    const copy = new Model();
    copy.keys = [...this.keys];
    copy.keptOut = new Set(this.keptOut);
    copy.spent = new Map(this.spent);
    copy.statuses = new Map(this.statuses);
    copy.cursor = this.cursor;
    copy.queued = [...this.queued];
    return copy;
  }

  /** What the tick comes to; `null` when it fails. */
  tick({ requests, runs, cursor }: TickStep): { after: Model; launched: string[]; acted: boolean } | null {
    const after = this.copy();
    let acted = false;
    const refused = new Set<string>();
    for (const { add, keys } of requests) {
      for (const key of new Set(keys)) {
        const keptOut = add && after.keptOut.has(key) && !after.keys.includes(key);
        if (keptOut) refused.add(key);
        else if (add ? after.add(key) : after.remove(key)) acted = true;
      }
    }
    if (runs.some(({ key }) => !after.keys.includes(key) && !refused.has(key))) return null;
    const launched: string[] = [];
    for (const { key, runKey } of runs) {
      if (!after.keys.includes(key)) continue;
      if (runKey !== null && after.spent.has(runKey)) continue;
      if (runKey !== null) after.spent.set(runKey, key);
      launched.push(`${key}/${runKey}`);
      after.queued.push(key);
    }
    after.cursor = cursor ?? this.cursor;
    return { after, launched, acted: acted || launched.length > 0 };
  }
}

describe('a random history of ticks and changes by hand', () => {
  it('comes to what a far simpler model says, step by step', async () => {
    const seen = { SUCCESS: 0, SKIPPED: 0, FAILURE: 0, BUSY: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 25 }), async (steps) => {
        const the = new Kitchen();
        let model = new Model();
        for (const step of steps) {
          const before = the.store.document;
          switch (step.do) {
            case 'tick': {
              const expected = model.tick(step);
              const tick = await the.tick({
                ...(step.cursor !== null && { cursor: step.cursor }),
                dynamicPartitionsRequests: step.requests.map(({ add, keys }) =>
                  add ? fruits.buildAddRequest(keys) : fruits.buildDeleteRequest(keys),
                ),
                runRequests: step.runs.map(({ key, runKey }) => ({
                  partitionKey: key,
                  ...(runKey !== null && { runKey }),
                })),
              });
              seen[tick.status]++;
              if (expected === null) {
                expect(tick.status).toBe('FAILURE');
                expect(the.store.document).toBe(before);
                break;
              }
              expect(tick.status).toBe(expected.acted ? 'SUCCESS' : 'SKIPPED');
              expect(launched(tick)).toEqual(expected.launched);
              if (!expected.acted && expected.after.cursor === model.cursor)
                expect(the.store.document).toBe(before);
              else expect(the.store.document.serial).toBe(before.serial + 1);
              model = expected.after;
              break;
            }
            case 'add':
              await the.add(...step.keys);
              for (const key of step.keys) {
                model.keptOut.delete(key);
                model.add(key);
              }
              break;
            case 'remove':
              await the.remove(step.keys, step.keepOut);
              for (const key of step.keys) {
                model.remove(key);
                if (step.keepOut) model.keptOut.add(key);
              }
              break;
            case 'finish': {
              const [group] = (await the.store.read(EVERYTHING)).runs();
              if (group === undefined) break;
              const run = group.at(0);
              const ended = finishedRun({
                id: run.id,
                status: step.status,
                partitionKey: run.partitionKey,
                set: 'fruits',
                assets: [outcomeOf({ asset: 'cake', status: step.status, attempts: 1, metadata: {} })],
              });
              await the.store.commit(EVERYTHING, () => ({
                changes: [{ type: 'runs-finished', runs: [ended] }],
                outcome: undefined,
              }));
              model.queued.splice(model.queued.indexOf(run.partitionKey!), 1);
              const before = model.statuses.get(run.partitionKey!) ?? '.';
              const failed = 'mF'.includes(before) ? 'F' : 'f';
              model.statuses.set(run.partitionKey!, step.status === 'SUCCESS' ? 'm' : failed);
              break;
            }
          }
          const view = await the.store.read(EVERYTHING);
          expect(checkState(the.store.document)).toEqual([]);
          expect(view.keys('fruits')).toEqual(model.keys);
          expect(view.keptOut('fruits', KEYS)).toEqual(model.keptOut);
          expect(view.spentRunKeys('market', [...KEYS, 'x'])).toEqual(new Set(model.spent.keys()));
          expect(letters(view, 'cake', 'fruits')).toBe(
            model.keys.map((key) => model.statuses.get(key) ?? '.').join(''),
          );
          expect(view.sensor('market').cursor).toBe(model.cursor);
          const queued = view
            .runs()
            .flatMap((runs) => Array.from({ length: runs.count }, (_, at) => runs.at(at).partitionKey!));
          expect(queued.sort()).toEqual([...model.queued].sort());
          const added = view.page({ set: 'fruits' }).keys.map(({ addedAt }) => Date.parse(addedAt));
          expect(added).toEqual([...added].sort((a, b) => a - b));
        }
      }),
      { numRuns: 400 },
    );
    // The histories were not all of one kind.
    for (const status of ['SUCCESS', 'SKIPPED', 'FAILURE'] as const) expect(seen[status]).toBeGreaterThan(50);
  });
});
