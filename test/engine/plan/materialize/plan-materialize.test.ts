/** Which runs a `materialize` comes to: by name, by state, narrowed down, and beside what others are doing. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { outcomeOf } from '../../../../src/model/run.ts';
import { EVERYTHING } from '../../../../src/state/needs.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { allKeys } from '../../../../src/definitions/gather.ts';
import type { OnMissing } from '../../../../src/definitions/which-keys.ts';
import { dynamicPartitions } from '../../../../src/definitions/partitions.ts';
import { definePipeline, type Pipeline } from '../../../../src/definitions/pipeline.ts';
import {
  type MaterializePlan,
  needsOfMaterialize,
  planMaterialize,
} from '../../../../src/engine/plan/materialize/plan-materialize.ts';
import type { Selection } from '../../../../src/engine/plan/materialize/selection.ts';
import { checkState } from '../../../../src/state/document/check-state.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import type { StateChange } from '../../../../src/state/changes.ts';
import type { Executor } from '../../../../src/state/store.ts';
import { AT, finishedRun, idle, keysAdded, letters, queuedRuns } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const audio = idle('audio', { partitions: letters });
const transcript = idle('transcript', { partitions: letters, inputs: { audio } });
const index = idle('index', { partitions: letters, deps: [transcript] });
const count = idle('count', { partitions: dynamicPartitions('numbers') });
const report = idle('report');
const pipeline = definePipeline({ assets: [report, audio, transcript, index, count] });
const onlyLetters = definePipeline({ assets: [audio, transcript, index] });

describe('a materialize', () => {
  let store: MemoryStore;
  let me: Executor;

  beforeEach(async () => {
    store = new MemoryStore(new FakeClock());
    me = await entered();
    await commit(keysAdded('letters', ['a1', 'b1', 'a2', 'b2']), keysAdded('numbers', ['1', '2', 'b2']));
  });

  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  const entered = async (): Promise<Executor> => {
    const executor = await store.enter();
    await commit({ type: 'executor', id: executor.id, slots: 5, wants: 0 });
    return executor;
  };
  const selection = (fields: Partial<Selection>): Selection => {
    const all: Selection = {
      assets: [],
      keys: null,
      waits: false,
      all: false,
      missing: false,
      failed: false,
      stale: false,
      prefix: null,
      order: 'oldest',
      limit: null,
      add: false,
      ...fields,
    };
    if (all.keys !== null && all.all) throw new Error('keys are named or all of them');
    return all;
  };
  const plan = async (
    fields: Partial<Selection>,
    { of = onlyLetters, owner = me.id }: { of?: Pipeline; owner?: string | null } = {},
  ): Promise<MaterializePlan> => {
    const planned = planMaterialize(
      await store.read(needsOfMaterialize(of, selection(fields))),
      of,
      selection(fields),
      {
        moment: { now: Date.parse(AT), group: 'm' },
        owner,
      },
    );
    // What is planned can be committed.
    const trial = new MemoryStore(new FakeClock());
    const known = await trial.enter();
    const changes = planned.changes.map((change) =>
      change.type === 'runs-queued' && change.owner !== null ? { ...change, owner: known.id } : change,
    );
    const before = Object.entries(store.document.sets).map(([set, { keys }]) => keysAdded(set, keys));
    await trial.commit(EVERYTHING, () => ({
      changes: [...before, { type: 'executor', id: known.id, slots: 1, wants: 0 }, ...changes],
      outcome: undefined,
    }));
    expect(checkState(trial.document)).toEqual([]);
    return planned;
  };
  const runs = async (
    fields: Partial<Selection>,
    options: { of?: Pipeline; owner?: string | null } = {},
  ): Promise<string[]> =>
    (await plan(fields, options)).queued.flatMap(({ keys, assets }) =>
      keys.map((key) => `${key}: ${assets.join(' ')}`),
    );
  const refusal = async (fields: Partial<Selection>, of: Pipeline = pipeline): Promise<unknown> =>
    plan(fields, { of }).then(
      () => 'it was planned',
      (error: { failure: unknown }) => error.failure,
    );
  const outcomes = (
    key: string,
    ...assets: readonly (readonly [string, 'SUCCESS' | 'FAILURE'])[]
  ): StateChange => ({
    type: 'runs-finished',
    runs: [
      finishedRun({
        id: `x-${key}`,
        partitionKey: key,
        status: 'SUCCESS',
        assets: assets.map(([name, status]) => outcomeOf({ asset: name, status, attempts: 1 })),
      }),
    ],
  });

  describe('by key', () => {
    it('runs all chosen assets of that key, in one run, in dependency order', async () => {
      expect(await runs({ keys: ['b1', 'a1'] })).toEqual([
        'b1: audio transcript index',
        'a1: audio transcript index',
      ]);
      expect(await runs({ keys: ['a1'], assets: ['transcript', 'audio'] })).toEqual(['a1: audio transcript']);
    });

    it('takes a key that stands there twice once', async () => {
      expect(await runs({ keys: ['a1', 'a1'], assets: ['audio'] })).toEqual(['a1: audio']);
    });

    it('runs only the assets whose set has the key', async () => {
      expect(await runs({ keys: ['1', 'a1'] }, { of: pipeline })).toEqual([
        'a1: audio transcript index',
        '1: count',
      ]);
    });

    it('is refused where a key is in several sets', async () => {
      expect(await refusal({ keys: ['a1', 'b2'] })).toEqual({
        reason: 'ambiguous-keys',
        keys: ['b2'],
        known: true,
        sets: ['letters', 'numbers'],
      });
      expect(await runs({ keys: ['b2'], assets: ['count'] }, { of: pipeline })).toEqual(['b2: count']);
    });

    it('is refused where keys are not there, all of them named (Dagster 19)', async () => {
      expect(await refusal({ keys: ['a1', 'a3', 'zz'] }, onlyLetters)).toEqual({
        reason: 'unknown-keys',
        sets: ['letters'],
        keys: ['a3', 'zz'],
      });
    });

    it('is refused where no chosen asset has partitions (Dagster 49)', async () => {
      expect(await refusal({ keys: ['a1'], assets: ['report'] })).toMatchObject({
        reason: 'usage',
        hint: 'leave --key away',
      });
    });

    it('comes to nothing where no key was named', async () => {
      expect(await plan({ keys: [] })).toMatchObject({ changes: [], queued: [], leftOut: 0 });
    });

    it('can be narrowed to states: what is missing, and what depends on it', async () => {
      await commit(outcomes('a1', ['audio', 'SUCCESS'], ['index', 'SUCCESS']));
      expect(await runs({ keys: ['a1', 'b1'], missing: true })).toEqual([
        'a1: transcript index',
        'b1: audio transcript index',
      ]);
    });

    it('registers unknown keys first where it is told to, each once, and lets in what was kept out', async () => {
      await commit({ type: 'keys-removed', set: 'letters', keys: ['z'], keepOut: true });
      const { changes, queued } = await plan({ keys: ['z', 'a1', 'z', 'y'], add: true, assets: ['audio'] });
      expect(changes.slice(0, 2)).toEqual([
        { type: 'keys-let-in', set: 'letters', keys: ['z'] },
        keysAdded('letters', ['z', 'y']),
      ]);
      expect(queued.flatMap(({ keys }) => keys)).toEqual(['z', 'a1', 'y']);
    });

    it.each([
      [
        { keys: ['a1'], assets: ['report', 'audio'] },
        { asset: 'report', set: null, keys: ['a1'] },
      ],
      [
        { keys: ['a1'], assets: ['audio', 'count'] },
        { asset: 'count', set: 'numbers', keys: ['a1'] },
      ],
      [
        { keys: ['a1', '1'], assets: ['audio', 'count'] },
        { asset: 'audio', set: 'letters', keys: ['1'] },
      ],
      [
        { keys: ['a1'], assets: ['audio', 'count'], add: true },
        { asset: 'count', set: 'numbers', keys: ['a1'] },
      ],
    ])('is refused where a named asset cannot be made for it: %j', async (fields, failure) => {
      expect(await refusal(fields)).toEqual({ reason: 'asset-without-key', ...failure });
    });

    it('names both sets of an unknown key', async () => {
      expect(await refusal({ keys: ['nokey'], assets: ['audio', 'count'] })).toMatchObject({
        reason: 'unknown-keys',
        sets: ['letters', 'numbers'],
      });
    });

    it('does not guess which set an unknown key belongs to', async () => {
      expect(await refusal({ keys: ['new'], add: true })).toMatchObject({
        reason: 'ambiguous-keys',
        keys: ['new'],
      });
    });
  });

  describe('by state', () => {
    beforeEach(async () => {
      await commit(outcomes('a1', ['audio', 'SUCCESS'], ['transcript', 'SUCCESS'], ['index', 'SUCCESS']));
      await commit(outcomes('b1', ['audio', 'SUCCESS'], ['transcript', 'FAILURE']));
      await commit(outcomes('a2', ['audio', 'FAILURE'], ['transcript', 'SUCCESS'], ['index', 'SUCCESS']));
    });

    it.each<readonly [string, Partial<Selection>, string[]]>([
      [
        'all',
        { all: true },
        [
          'a1: audio transcript index',
          'b1: audio transcript index',
          'a2: audio transcript index',
          'b2: audio transcript index',
        ],
      ],
      ['what is missing, and not what failed above it', { missing: true }, ['b2: audio transcript index']],
      [
        'what failed, and what depends on it',
        { failed: true },
        ['b1: transcript index', 'a2: audio transcript index'],
      ],
      [
        'both',
        { failed: true, missing: true },
        ['b1: transcript index', 'a2: audio transcript index', 'b2: audio transcript index'],
      ],
      ['only chosen assets', { failed: true, assets: ['audio', 'index'] }, ['a2: audio']],
      ['only keys that begin so', { missing: true, prefix: 'b2' }, ['b2: audio transcript index']],
      [
        'the newest first',
        { all: true, order: 'newest', assets: ['audio'] },
        ['b2: audio', 'a2: audio', 'b1: audio', 'a1: audio'],
      ],
      ['so many', { all: true, limit: 2, assets: ['audio'] }, ['a1: audio', 'b1: audio']],
      [
        'so many of the newest that are missing',
        { missing: true, limit: 1, order: 'newest', assets: ['audio'] },
        ['b2: audio'],
      ],
      [
        'so many that begin so',
        { all: true, prefix: 'a', limit: 1, order: 'newest', assets: ['audio'] },
        ['a2: audio'],
      ],
    ])('chooses %s', async (_, fields, expected) => {
      expect((await runs(fields)).sort()).toEqual([...expected].sort());
      // The order of keys holds within runs of the same assets.
      if (fields.order === 'newest') expect(await runs(fields)).toEqual(expected);
    });

    it('leaves what waits for its upstream, counted and with its reason (Dagster: any_deps_missing)', async () => {
      const { queued, waiting, leftOut } = await plan({ missing: true });
      expect(queued.flatMap(({ keys }) => keys)).toEqual(['b2']);
      expect([leftOut, waiting]).toEqual([
        0,
        [{ asset: 'index', partitionKey: 'b1', upstream: 'transcript' }],
      ]);
      // One that is chosen as well comes, and one that is named without its state is tried all the same.
      expect((await plan({ missing: true, failed: true })).waiting).toEqual([]);
      expect((await plan({ keys: ['b1'], assets: ['index'] })).waiting).toEqual([]);
      expect((await plan({ keys: ['b1'], assets: ['index'], missing: true })).waiting).toHaveLength(1);
    });

    it('takes what was made and failed since for there, and for failed', async () => {
      // a1 was made, and its audio failed since; index of a2 was made, and failed since.
      await commit(outcomes('a1', ['audio', 'FAILURE']), outcomes('a2', ['index', 'FAILURE']));
      await commit(outcomes('b2', ['audio', 'SUCCESS']), outcomes('b2', ['audio', 'FAILURE']));
      expect(await runs({ assets: ['audio'], failed: true })).toEqual([
        'a1: audio',
        'a2: audio',
        'b2: audio',
      ]);
      expect(await runs({ assets: ['index'], failed: true })).toEqual(['a2: index']);
      // Its upstream is not chosen, and what was made of it stands; a2's audio never was.
      expect(await runs({ assets: ['transcript'], missing: true })).toEqual(['b2: transcript']);
      await commit(outcomes('a1', ['transcript', 'FAILURE']), outcomes('a2', ['transcript', 'FAILURE']));
      expect(await runs({ assets: ['transcript'], failed: true })).toEqual([
        'a1: transcript',
        'b1: transcript',
      ]);
    });

    it('is refused where it was not said which keys are meant (Dagster 49)', async () => {
      expect(await refusal({})).toMatchObject({
        reason: 'usage',
        message: expect.stringContaining("'letters', 'numbers'") as string,
      });
      expect(await refusal({ prefix: 'a' })).toMatchObject({ reason: 'usage' });
    });

    it('needs no keys for an asset without partitions', async () => {
      expect(await runs({ assets: ['report'] }, { of: pipeline })).toEqual(['null: report']);
      await commit({
        type: 'runs-finished',
        runs: [
          finishedRun({
            id: 'x-r',
            status: 'SUCCESS',
            assets: [outcomeOf({ asset: 'report', status: 'SUCCESS', attempts: 1, metadata: {} })],
          }),
        ],
      });
      expect(await runs({ assets: ['report'], missing: true }, { of: pipeline })).toEqual([]);
      expect(await runs({ assets: ['report'] }, { of: pipeline })).toEqual(['null: report']);
    });

    it('numbers the runs of all groups of one plan through', async () => {
      const { queued } = await plan({ missing: true, failed: true }, { of: pipeline });
      const numbers = queued.flatMap(({ firstNumber, keys }) => keys.map((_, at) => firstNumber + at));
      expect(numbers).toEqual(numbers.map((_, at) => at + 1));
      expect(queued.every(({ group, origin }) => group === 'm' && origin === 'materialize')).toBe(true);
      expect(queued.map(({ set }) => set)).toContain('numbers');
    });
  });

  it('is refused for assets that the pipeline does not have, all of them named (Dagster 51)', async () => {
    expect(await refusal({ assets: ['audoi', 'x'], all: true })).toEqual({
      reason: 'unknown-name',
      thing: 'asset',
      names: ['audoi', 'x'],
      nearest: ['audio'],
      known: 5,
    });
  });

  describe('beside what is queued or started', () => {
    it('leaves out and counts keys of live processes', async () => {
      const other = await entered();
      await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a1', 'b1'] }), owner: other.id });
      const { queued, leftOut, takenOver } = await plan({ all: true });
      expect(queued.flatMap(({ keys }) => keys)).toEqual(['a2', 'b2']);
      expect(leftOut).toBe(2);
      expect(takenOver.size).toBe(0);
    });

    it('does not count what it leaves out against the limit', async () => {
      const other = await entered();
      await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a1'] }), owner: other.id });
      expect(await runs({ all: true, limit: 2, assets: ['audio'] })).toEqual(['b1: audio', 'a2: audio']);
    });

    it('takes over runs without a live owner instead of queueing them again, and queues the rest', async () => {
      const dead = await entered();
      await commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'n', keys: ['a1'], assets: ['audio'] }),
        owner: null,
      });
      await commit({
        type: 'runs-queued',
        runs: queuedRuns({ group: 'd', keys: ['b1'], assets: ['audio', 'transcript', 'index'] }),
        owner: dead.id,
      });
      store.kill(dead.id);
      const { queued, leftOut, takenOver } = await plan({ all: true, prefix: null, limit: 2 });
      expect([...takenOver].sort()).toEqual(['d-1', 'n-1']);
      expect(queued.flatMap(({ keys, assets }) => keys.map((key) => `${key}: ${assets.join(' ')}`))).toEqual([
        'a1: transcript index',
      ]);
      expect(leftOut).toBe(0);
    });

    it('does not take over runs of other assets and other keys', async () => {
      await commit({
        type: 'runs-queued',
        runs: queuedRuns({ keys: ['a1'], assets: ['index'] }),
        owner: null,
      });
      expect((await plan({ keys: ['a1'], assets: ['audio'], waits: true })).takenOver.size).toBe(0);
      expect((await plan({ keys: ['b1'], waits: true })).takenOver.size).toBe(0);
    });

    it('waits for what a live process executes where keys were named', async () => {
      const other = await entered();
      await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a1'] }), owner: other.id });
      const { queued, leftOut } = await plan({ keys: ['a1'], assets: ['audio'], waits: true });
      expect(queued.flatMap(({ keys }) => keys)).toEqual(['a1']);
      expect(leftOut).toBe(0);
    });

    it('leaves out what is queued already where it only queues for a worker', async () => {
      await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a1'] }), owner: null });
      const { queued, leftOut, takenOver } = await plan({ all: true, assets: ['audio'] }, { owner: null });
      expect(queued.flatMap(({ keys, origin }) => keys.map((key) => `${key} ${origin}`))).toEqual([
        'b1 worker',
        'a2 worker',
        'b2 worker',
      ]);
      expect(leftOut).toBe(1);
      expect(takenOver.size).toBe(0);
    });

    it('does not take a run that is being canceled for one that will materialize anything', async () => {
      const dead = await entered();
      await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a1'] }), owner: dead.id });
      await commit({ type: 'runs-canceling', ids: ['g-1'] });
      store.kill(dead.id);
      expect(await runs({ keys: ['a1'], assets: ['audio'], waits: true })).toEqual(['a1: audio']);
      expect(await runs({ all: true, prefix: 'a1', assets: ['audio'] })).toEqual(['a1: audio']);
    });
  });

  describe('of what takes many keys', () => {
    const totalsOf = (onMissing: OnMissing): Pipeline =>
      definePipeline({
        assets: [idle('totals', { inputs: { all: allKeys(audio, { onMissing }) } }), audio],
      });
    const waits = async (fields: Partial<Selection>, of: Pipeline): Promise<unknown> => {
      const { waiting } = await plan(fields, { of });
      const planned = await runs(fields, { of });
      return [planned, waiting.map(({ upstream, absent }) => [upstream, absent])];
    };
    const lacking = [['audio', { count: 3, first: 'b1' }]];

    it('comes in runs behind those of the keys that are chosen', async () => {
      for (const onMissing of ['fail', 'skip', 'wait'] as const)
        expect(await waits({ missing: true }, totalsOf(onMissing))).toEqual([
          ['a1: audio', 'b1: audio', 'a2: audio', 'b2: audio', 'null: totals'],
          [],
        ]);
    });

    it('waits for those that are neither there nor chosen, where it was chosen by its state', async () => {
      await commit(outcomes('a1', ['audio', 'SUCCESS']));
      const byState = { assets: ['totals'], missing: true };
      expect(await waits(byState, totalsOf('fail'))).toEqual([[], lacking]);
      expect(await waits(byState, totalsOf('wait'))).toEqual([[], lacking]);
      expect(await waits(byState, totalsOf('skip'))).toEqual([['null: totals'], []]);
      expect(await waits({ missing: true, limit: 1 }, totalsOf('fail'))).toEqual([
        ['b1: audio'],
        [['audio', { count: 2, first: 'a2' }]],
      ]);
    });

    it('is queued where somebody asked for it, unless it is to wait', async () => {
      await commit(outcomes('a1', ['audio', 'SUCCESS']));
      const asked = { assets: ['totals'] };
      expect(await waits(asked, totalsOf('fail'))).toEqual([['null: totals'], []]);
      expect(await waits(asked, totalsOf('skip'))).toEqual([['null: totals'], []]);
      expect(await waits(asked, totalsOf('wait'))).toEqual([[], lacking]);
      expect(await waits({ all: true }, totalsOf('wait'))).toEqual([
        ['a1: audio', 'b1: audio', 'a2: audio', 'b2: audio', 'null: totals'],
        [],
      ]);
    });

    it('leaves out what was skipped, and takes what is there though a later run failed', async () => {
      await commit(
        outcomes('a1', ['audio', 'SUCCESS']),
        { type: 'keys-marked', asset: 'audio', set: 'letters', keys: ['b1', 'a2'], as: 'skipped', at: AT },
        outcomes('b2', ['audio', 'SUCCESS']),
        outcomes('b2', ['audio', 'FAILURE']),
      );
      expect(await waits({ assets: ['totals'], missing: true }, totalsOf('fail'))).toEqual([
        ['null: totals'],
        [],
      ]);
    });
  });
});
