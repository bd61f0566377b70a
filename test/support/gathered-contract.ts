/** What every store makes stale where something is made of many keys of an asset. A part of the contract of a store. */
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../src/model/run.ts';
import type { KnownAsset } from '../../src/model/known-pipeline.ts';
import type { FinishedRun, StateChange } from '../../src/state/changes.ts';
import { pipelineNews } from '../../src/engine/plan/pipeline/remember-pipeline.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import type { StateStore } from '../../src/state/store.ts';
import { AT, finishedRun, queuedRuns } from './builders.ts';
import { letters } from './letters.ts';

const known = (name: string, set: string | null, fields: Partial<KnownAsset> = {}): KnownAsset => ({
  name,
  set,
  inputs: [],
  deps: [],
  ...fields,
});

/** sound → text of the letters; totals of all texts, latest of the last two sounds; a report of the totals for each day. */
const ASSETS = [
  known('sound', 'letters'),
  known('text', 'letters', { inputs: ['sound'] }),
  known('totals', null, { gathers: [{ asset: 'text' }] }),
  known('latest', null, { gathers: [{ asset: 'sound', last: 2 }] }),
  known('rank', 'letters', { inputs: ['text'], gathers: [{ asset: 'sound' }] }),
  known('report', 'days', { inputs: ['totals'] }),
];

const pipelineOf = (assets: readonly KnownAsset[] = ASSETS): StateChange => ({
  type: 'pipeline-known',
  pipeline: {
    file: '/p.ts',
    stamp: '',
    sets: ['letters', 'days', 'others'],
    concurrency: 1,
    assets,
    sensors: [],
  },
  at: AT,
});

const added = (set: string, ...keys: readonly string[]): StateChange => ({
  type: 'keys-added',
  set,
  keys,
  at: AT,
});

const removed = (...keys: readonly string[]): StateChange => ({
  type: 'keys-removed',
  set: 'letters',
  keys,
  keepOut: false,
});

const recoded = (codeVersion: string): StateChange =>
  pipelineOf(ASSETS.map((one) => (one.name === 'sound' ? { ...one, codeVersion } : one)));

let count = 0;

const made = (
  set: string | null,
  partitionKey: string | null,
  ...assets: readonly string[]
): StateChange => ({
  type: 'runs-finished',
  runs: [
    finishedRun({
      id: `g-${++count}`,
      set,
      partitionKey,
      status: 'SUCCESS',
      assets: assets.map((asset) => outcomeOf({ asset, status: 'SUCCESS' })),
    }),
  ],
});

const letter = (key: string): StateChange => made('letters', key, 'sound', 'text');

/** All of them, made of what is there: `a` and `b`. */
const START = [
  pipelineOf(),
  added('letters', 'a', 'b', 'c'),
  added('days', 'monday', 'tuesday'),
  letter('a'),
  letter('b'),
  letter('c'),
];
const ALL = [
  made('letters', 'a', 'rank'),
  made('letters', 'b', 'rank'),
  made('letters', 'c', 'rank'),
  made(null, null, 'totals'),
  made(null, null, 'latest'),
  made('days', 'monday', 'report'),
];

const ended = (id: string, partitionKey: string | null, asset: string, set = 'letters'): FinishedRun =>
  finishedRun({
    id,
    set: partitionKey === null ? null : set,
    partitionKey,
    status: 'SUCCESS',
    assets: [outcomeOf({ asset, status: 'SUCCESS' })],
  });
const finished = (...runs: readonly FinishedRun[]): StateChange => ({ type: 'runs-finished', runs });
const progressed = (id: string, asset: string): StateChange => ({
  type: 'runs-progressed',
  runs: new Map([[id, [outcomeOf({ asset, status: 'SUCCESS' })]]]),
});

/** sound → text of the letters; a day of those texts that a function names; a week of all days. */
const MAPPED = [
  known('sound', 'letters'),
  known('text', 'letters', { inputs: ['sound'] }),
  known('day', 'days', { gathers: [{ asset: 'text', mapped: true }] }),
  known('week', null, { gathers: [{ asset: 'day' }] }),
];

/** What is remembered of what a day is made of. */
async function gathersOf(store: StateStore): Promise<unknown> {
  const { pipeline } = await store.read(EVERYTHING);
  return pipeline!.assets.find(({ name }) => name === 'day')!.gathers;
}

/** As a tick that changes nothing itself: whether what is remembered says something else than the code. */
async function lookedAt(store: StateStore): Promise<void> {
  const { pipeline } = pipelineOf(MAPPED) as Extract<StateChange, { readonly type: 'pipeline-known' }>;
  await store.commit(EVERYTHING, (view) => ({
    changes: pipelineNews(view, pipeline, 0),
    outcome: undefined,
  }));
}

export function describeGathered(the: () => StateStore): void {
  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    the().commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  /** A letter a key for each asset that is made of many, and for what is made of these. */
  const statuses = async (): Promise<string> => {
    const view = await the().read(EVERYTHING);
    return ASSETS.slice(2)
      .map(({ name, set }) => letters(view, name, set))
      .join(' ');
  };
  /** Of what is made of mapped keys, and of what is made of all of that. */
  const shown = async (): Promise<string> => {
    const view = await the().read(EVERYTHING);
    return `${letters(view, 'day', 'days')} ${letters(view, 'week', null)}`;
  };
  const start = async (): Promise<void> => {
    await commit(...START);
    await commit(...ALL);
    expect(await statuses()).toBe('m m mmm m.');
  };

  it('make stale what is made of all of them when one is added', async () => {
    await start();
    await commit(added('letters', 'd'));
    expect(await statuses()).toBe('u u uuu. u.');
  });

  it('make stale what is made of all of them when one is removed, and of the last ones when it was one of these', async () => {
    await start();
    await commit(removed('a'));
    expect(await statuses()).toBe('u m uu u.');
    await commit(removed('b'));
    expect(await statuses()).toBe('u u u u.');
  });

  it('make stale nothing when a key that was not there is removed, or none is added', async () => {
    await start();
    await commit(removed('x'), added('letters'));
    expect(await statuses()).toBe('m m mmm m.');
    await commit(added('days', 'wednesday'));
    expect(await statuses()).toBe('m m mmm m..');
  });

  it('make stale what is made of them when one is made again, skipped or marked', async () => {
    await start();
    await commit(made('letters', 'a', 'text'));
    expect(await statuses()).toBe('u m umm u.');
    await commit(...ALL);
    await commit(made('letters', 'b', 'sound'));
    // The text of `b` is stale by then, and so is what is made of the texts.
    expect(await statuses()).toBe('u u uuu u.');
    await commit(...ALL);
    await commit({ type: 'keys-marked', asset: 'text', set: 'letters', keys: ['c'], as: 'skipped', at: AT });
    expect(await statuses()).toBe('u m mmu u.');
  });

  it('make stale nothing when one has failed: what was there stands', async () => {
    await start();
    const failed = finishedRun({
      id: `g-${++count}`,
      partitionKey: 'a',
      status: 'FAILURE',
      assets: [outcomeOf({ asset: 'text', status: 'FAILURE' })],
    });
    await commit({ type: 'runs-finished', runs: [failed] });
    expect(await statuses()).toBe('m m mmm m.');
  });

  it('make stale what is made of them when one has another version, or the asset other code', async () => {
    await start();
    const carried = [{ version: '2', item: null }];
    await commit({ type: 'keys-updated', set: 'letters', keys: ['a'], carried });
    expect(await statuses()).toBe('u m vuu u.');
    await commit(...ALL);
    await commit(recoded('1'), recoded('2'));
    expect(await statuses()).toBe('u u uuu u.');
  });

  it('tell the run that is at work meanwhile, also one of the same owner', async () => {
    await start();
    const { id } = await the().enter();
    const queued = (
      group: string,
      keys: readonly (string | null)[],
      assets: readonly string[],
    ): StateChange => ({
      type: 'runs-queued',
      owner: id,
      runs: queuedRuns({ group, set: keys[0] === null ? null : 'letters', keys, assets }),
    });
    await commit({ type: 'executor', id, slots: 1, wants: 1 });
    await commit(queued('t', [null], ['totals']), queued('l', ['a'], ['text']));
    const end = finishedRun({
      id: 'l-1',
      partitionKey: 'a',
      status: 'SUCCESS',
      assets: [outcomeOf({ asset: 'text', status: 'SUCCESS' })],
    });
    await commit({ type: 'runs-finished', runs: [end] });
    const view = await the().read(EVERYTHING);
    expect(view.run('t-1')!.run.touched).toEqual({ totals: { upstream: view.serial } });
  });

  describe('that end in the commit in which something of them ends, or is made on its way', () => {
    const [total, text] = [ended('t-1', null, 'totals'), ended('l-1', 'a', 'text')];

    it.each([
      ['before it', 'u', [finished(text, total)]],
      ['behind it', 'u', [finished(total, text)]],
      ['before it, and it goes on', 'u', [finished(text), progressed('t-1', 'totals')]],
      ['behind it, and goes on', 'u', [finished(total), progressed('l-1', 'text')]],
      ['not at all', 'm', [finished(total)]],
    ] as const)('%s: it is %s', async (_, letter, ends) => {
      await start();
      const { id } = await the().enter();
      const queued = (group: string, key: string | null, asset: string): StateChange => ({
        type: 'runs-queued',
        owner: id,
        runs: queuedRuns({ group, set: key === null ? null : 'letters', keys: [key], assets: [asset] }),
      });
      await commit({ type: 'executor', id, slots: 2, wants: 2 });
      await commit(queued('t', null, 'totals'), queued('l', 'a', 'text'));
      await commit(...ends);
      expect((await statuses())[0]).toBe(letter);
    });
  });

  describe('where a function names them', () => {
    const days: Readonly<Record<string, readonly string[] | null>> = {
      monday: ['a', 'b', 'x'],
      tuesday: ['c'],
      wednesday: null,
    };
    const load = (): void =>
      the().useMapping!((asset, at, key) => (asset === 'day' && at === 0 ? days[key]! : []));
    const begin = async (isKnown: boolean): Promise<void> => {
      if (isKnown) load();
      await commit(
        pipelineOf(MAPPED),
        added('letters', 'a', 'b', 'c'),
        added('days', 'monday', 'tuesday', 'wednesday'),
        ...['a', 'b', 'c'].map(letter),
        ...['monday', 'tuesday', 'wednesday'].map((key) => made('days', key, 'day')),
        made(null, null, 'week'),
      );
    };
    /** All of it is made, and nothing is to be asked of what came before. */
    const beginUnasked = async (): Promise<void> => {
      await begin(false);
      await commit(
        pipelineOf(MAPPED),
        ...['monday', 'tuesday', 'wednesday'].map((key) => made('days', key, 'day')),
        made(null, null, 'week'),
      );
      expect(await gathersOf(the())).toEqual([{ asset: 'text', mapped: true }]);
      expect(await shown()).toBe('mmm m');
    };
    it('make stale what is made of them, and of what nobody knows all', async () => {
      await begin(true);
      expect(await shown()).toBe('mmm m');
      await commit(made('letters', 'c', 'text'));
      // What the function says of the third day is not known.
      expect(await shown()).toBe('muu u');
      await commit(added('letters', 'x'));
      expect(await shown()).toBe('uuu u');
    });

    it('make stale what is made of them when one of them leaves, or has another version', async () => {
      await begin(true);
      await commit(removed('a'));
      expect(await shown()).toBe('umu u');
      await commit(...['monday', 'wednesday'].map((key) => made('days', key, 'day')));
      const carried = [{ version: '2', item: null }];
      await commit({ type: 'keys-updated', set: 'letters', keys: ['c'], carried });
      expect(await shown()).toBe('muu u');
    });

    describe('and it cannot be asked', () => {
      it('make nothing stale before the next commit that can, and then what it names', async () => {
        await beginUnasked();
        await commit(made('letters', 'c', 'text'));
        await commit(removed('a'));
        expect(await shown()).toBe('mmm m');
        load();
        await commit(added('letters', 'y'));
        expect(await shown()).toBe('uuu u');
        expect(await gathersOf(the())).toEqual([{ asset: 'text', mapped: true }]);
      });

      it('make stale only what is made of them, in a commit of its own that another pipeline is worth', async () => {
        await beginUnasked();
        await commit(removed('a'));
        load();
        await lookedAt(the());
        // What the function says of the third day is not known.
        expect(await shown()).toBe('umu u');
        await lookedAt(the());
        expect(await gathersOf(the())).toEqual([{ asset: 'text', mapped: true }]);
      });

      it('make stale all where the function is gone when it could be asked', async () => {
        await beginUnasked();
        await commit(added('letters', 'x'));
        load();
        await commit(pipelineOf([...MAPPED.slice(0, 2), known('day', 'days'), known('week', null)]));
        expect((await shown())[0]).toBe('u');
      });

      it('make stale all where more keys have changed than are noted', async () => {
        await beginUnasked();
        const many = Array.from({ length: 1_001 }, (_, number) => `n${number}`);
        await commit(added('letters', ...many));
        expect(await gathersOf(the())).toEqual([{ asset: 'text', mapped: true, unasked: 'all' }]);
        load();
        await commit(added('letters', 'y'));
        expect(await shown()).toBe('uuu u');
      });

      it('tell the run of it that is at work meanwhile', async () => {
        await beginUnasked();
        const { id } = await the().enter();
        await commit({ type: 'executor', id, slots: 1, wants: 1 });
        await commit({
          type: 'runs-queued',
          owner: id,
          runs: queuedRuns({ group: 'd', set: 'days', keys: ['monday', 'tuesday'], assets: ['day'] }),
        });
        await commit(removed('a'));
        load();
        await commit(
          finished(ended('d-1', 'monday', 'day', 'days')),
          finished(ended('d-2', 'tuesday', 'day', 'days')),
        );
        expect((await shown()).slice(0, 2)).toBe('um');
      });
    });
  });

  it('follow a set under the name that the asset has now', async () => {
    await commit(pipelineOf(), added('letters', 'a'), letter('a'));
    await commit(made(null, null, 'totals'));
    await commit(pipelineOf(ASSETS.map((one) => (one.set === 'letters' ? { ...one, set: 'others' } : one))));
    await commit(added('letters', 'b'), removed('a'));
    const view = await the().read(EVERYTHING);
    expect(letters(view, 'totals', null)).toBe('m');
    await commit(added('others', 'a'));
    expect(letters(await the().read(EVERYTHING), 'totals', null)).toBe('u');
  });
}
