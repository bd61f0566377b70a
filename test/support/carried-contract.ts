/** What every store keeps of keys that carry something, and of what becomes stale by it. A part of the contract of a store. */
import { expect, it } from 'vitest';
import { definePipeline, dynamicPartitions } from '../../src/index.ts';
import { setView } from '../../src/engine/sensors/set-view.ts';
import { outcomeOf } from '../../src/model/run.ts';
import type { Carried } from '../../src/model/carried.ts';
import type { KnownAsset, KnownPipeline } from '../../src/model/known-pipeline.ts';
import type { StateChange } from '../../src/state/changes.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import type { StateStore } from '../../src/state/store.ts';
import { AT, finishedRun, queuedRuns } from './builders.ts';
import { letters } from './letters.ts';

const known = (name: string, fields: Partial<KnownAsset> = {}): KnownAsset => ({
  name,
  set: 'letters',
  inputs: [],
  deps: [],
  ...fields,
});

/** sound → text → summary, all of them for the letters; and a config for all keys. */
const ASSETS = [
  known('config', { set: null }),
  known('sound', { deps: ['config'] }),
  known('text', { inputs: ['sound'] }),
  known('summary', { inputs: ['text'] }),
];

const pipelineOf = (assets: readonly KnownAsset[] = ASSETS): StateChange => ({
  type: 'pipeline-known',
  pipeline: {
    file: '/p.ts',
    stamp: '',
    sets: ['letters'],
    concurrency: 1,
    assets,
    sensors: [],
  } satisfies KnownPipeline,
  at: AT,
});

const withFields = (name: string, fields: Partial<KnownAsset>): KnownAsset[] =>
  ASSETS.map((asset) => (asset.name === name ? { ...asset, ...fields } : asset));

const carrying = (version: string | null, item: Carried['item'] = null): Carried => ({ version, item });

const added = (keys: readonly string[], carried?: readonly Carried[]): StateChange => ({
  type: 'keys-added',
  set: 'letters',
  keys,
  at: AT,
  ...(carried && { carried }),
});

const updated = (keys: readonly string[], ...carried: readonly Carried[]): StateChange => ({
  type: 'keys-updated',
  set: 'letters',
  keys,
  carried,
});

let count = 0;

const ended = (
  partitionKey: string | null,
  outcomes: Readonly<Record<string, 'SUCCESS' | 'FAILURE' | 'SKIPPED'>>,
  stale?: ReadonlyMap<string, 'version' | 'code' | 'upstream'>,
): StateChange => {
  const assets = Object.entries(outcomes).map(([asset, status]) =>
    outcomeOf({ asset, status, skipReason: status === 'SKIPPED' ? 'nothing to make' : null }),
  );
  const run = finishedRun({ id: `r-${++count}`, partitionKey, status: 'SUCCESS', assets });
  return { type: 'runs-finished', runs: [stale === undefined ? run : { ...run, stale }] };
};

const allMade = { sound: 'SUCCESS', text: 'SUCCESS', summary: 'SUCCESS' } as const;

export function describeCarried(the: () => StateStore): void {
  const commit = (...changes: readonly StateChange[]): Promise<void> =>
    the().commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  /** A letter a key for each asset. */
  const statuses = async (): Promise<string> => {
    const view = await the().read(EVERYTHING);
    return ['sound', 'text', 'summary'].map((asset) => letters(view, asset, 'letters')).join(' ');
  };

  it('carry a version and an item, through adding, changing and removing', async () => {
    await commit(added(['a', 'b']));
    await commit(added(['c', 'd'], [carrying('1', { url: 'u', n: [1, null] }), carrying(null)]));
    await commit(updated(['a'], carrying('x', 'text')));
    const view = await the().read(EVERYTHING);
    expect(view.carried('letters', ['a', 'b', 'c', 'd', 'z'])).toEqual(
      new Map([
        ['a', carrying('x', 'text')],
        ['c', carrying('1', { url: 'u', n: [1, null] })],
      ]),
    );
    expect(view.page({ set: 'letters' }).keys.map(({ key, version, item }) => [key, version, item])).toEqual([
      ['a', 'x', 'text'],
      ['b', null, null],
      ['c', '1', { url: 'u', n: [1, null] }],
      ['d', null, null],
    ]);
    await commit({ type: 'keys-removed', set: 'letters', keys: ['a', 'b'], keepOut: false });
    const after = await the().read(EVERYTHING);
    expect([...after.carried('letters', ['a', 'b', 'c', 'd'])]).toEqual([
      ['c', carrying('1', { url: 'u', n: [1, null] })],
    ]);
    await commit(added(['a']));
    expect((await the().read(EVERYTHING)).carried('letters', ['a'])).toEqual(new Map());
    const sets = await the().sets();
    expect(await sets.carried('letters', ['a', 'c', 'z'])).toEqual(
      new Map([
        ['a', carrying(null)],
        ['c', carrying('1', { url: 'u', n: [1, null] })],
      ]),
    );
  });

  it('are told to a sensor of many keys at once, and of one, as the set has them', async () => {
    await commit(added(['plain']), added(['b', 'a'], [carrying('1', { n: 1 }), carrying(null, 'text')]));
    await commit({ type: 'keys-removed', set: 'letters', keys: ['gone'], keepOut: true });
    const set = dynamicPartitions('letters');
    const pipeline = definePipeline({ partitions: [set], sensors: [] });
    const view = setView(await the().sets(), pipeline, 'letters');
    const asked = ['a', 'never', 'plain', 'gone', 'b', 'a', 'no\0key', '', '\ud800'];
    const found = await view.getMany(new Set(asked));
    expect([...found].toSorted(([a], [b]) => (a < b ? -1 : 1))).toEqual([
      ['a', carrying(null, 'text')],
      ['b', carrying('1', { n: 1 })],
      ['plain', carrying(null)],
    ]);
    for (const key of asked) expect(await view.get(key)).toEqual(found.get(key));
    expect(await view.getMany([])).toEqual(new Map());
    // What can be no key is asked for like any other.
    expect(await view.missing(asked)).toEqual(['never', 'no\0key', '', '\ud800']);
    expect(await view.has('no\0key')).toBe(false);
    await expect(view.getMany('abc')).rejects.toThrow(
      "getMany() takes a list of keys; for one key write get('abc')",
    );
    const elsewhere = setView(
      await the().sets(),
      definePipeline({ partitions: [dynamicPartitions('none')] }),
      'none',
    );
    expect(await elsewhere.getMany(asked)).toEqual(new Map());
  });

  it('are any text, and each its own', async () => {
    const odd = ['\n', '\\', '\\n', 'a\nb', ' ', '"', '\t', 'é', '𝄞', 'null'];
    const keys = odd.map((_, at) => `k${at}`);
    await commit(
      added(['first', ...keys], [carrying(null), ...odd.map((version) => carrying(version))]),
      added(['last']),
    );
    const kept = async (): Promise<(string | null)[]> =>
      (await the().read(EVERYTHING)).page({ set: 'letters' }).keys.map(({ version }) => version);
    expect(await kept()).toEqual([null, ...odd, null]);
    await commit(updated(['k9', 'k1', 'last'], carrying('x\n'), carrying(null), carrying('\\')));
    await commit({ type: 'keys-removed', set: 'letters', keys: ['first', 'k0', 'k5'], keepOut: false });
    expect(await kept()).toEqual([null, '\\n', 'a\nb', ' ', '\t', 'é', '𝄞', 'x\n', '\\']);
    const view = await the().read(EVERYTHING);
    expect(['last', 'k3'].map((key) => view.carried('letters', ['k3', 'last']).get(key)?.version)).toEqual([
      '\\',
      'a\nb',
    ]);
  });

  it('make stale what was made of another version, and keep the first reason', async () => {
    await commit(pipelineOf(), added(['a', 'b'], [carrying('1'), carrying('1')]));
    await commit(ended('a', allMade), ended('b', { sound: 'SUCCESS', text: 'FAILURE' }));
    expect(await statuses()).toBe('mm mf m.');
    await commit(updated(['a', 'b'], carrying('2'), carrying('2')));
    expect(await statuses()).toBe('vv vg v.');
    await commit(updated(['a'], carrying('1')));
    expect(await statuses()).toBe('vv vg v.');
    await commit(ended('a', { sound: 'SUCCESS' }));
    expect(await statuses()).toBe('mv vg v.');
    await commit(updated(['a'], carrying('1', 'another item')));
    expect(await statuses()).toBe('mv vg v.');
  });

  it('count what is stale among what is materialized', async () => {
    await commit(pipelineOf(), added(['a', 'b', 'c']));
    await commit(ended('a', allMade), ended('b', allMade));
    await commit(updated(['a'], carrying('2')));
    const view = await the().read(EVERYTHING);
    expect(view.counts({ asset: 'text', set: 'letters' })).toEqual({
      total: 3,
      inProgress: 0,
      failed: 0,
      skipped: 0,
      materialized: 2,
      missing: 1,
      stale: 1,
      backlog: 0,
      retryAt: null,
      madeAt: AT,
    });
    const page = (status: 'stale' | 'materialized') =>
      view.page({ set: 'letters', assets: ['text'], status }).keys.map(({ key }) => key);
    expect([page('stale'), page('materialized')]).toEqual([['a'], ['a', 'b']]);
    const stale = {
      set: 'letters',
      inStates: ['stale'],
      assets: ['text'],
      alsoOf: [],
      prefix: null,
      order: 'oldest',
    } as const;
    expect([...view.candidates(stale)].map(({ key }) => key)).toEqual(['a']);
  });

  it('remember when a failed key is tried again, until it is made or carries another version', async () => {
    const later = [60_000, 120_000];
    const askedFor = (key: string, ms: number): StateChange => {
      const change = ended(key, { sound: 'FAILURE' });
      if (change.type !== 'runs-finished') throw new Error('a run ended');
      return { ...change, runs: change.runs.map((run) => ({ ...run, asked: new Map([['sound', ms]]) })) };
    };
    const tries = async (asset: string): Promise<unknown[]> =>
      (await the().read(EVERYTHING)).nextTries(asset, 'letters', ['a', 'b', 'c']);
    const sound = withFields('sound', { automate: 'missing', later });
    await commit(pipelineOf(sound.map((one) => (one.name === 'text' ? { ...one, automate: 'stale' } : one))));
    await commit(
      added(
        ['a', 'b', 'c'],
        ['1', '1', '1'].map((version) => carrying(version)),
      ),
    );
    const failed = ended('b', { sound: 'FAILURE', text: 'FAILURE', summary: 'FAILURE' });
    await commit(ended('a', { sound: 'FAILURE' }), failed, askedFor('c', 5000));
    const first = { failures: 1, at: '2026-01-01T00:01:00.000Z' };
    const asked = { failures: 1, at: '2026-01-01T00:00:05.000Z' };
    expect(await tries('sound')).toEqual([first, first, asked]);
    // Without delays, and without anybody who requests it, nothing is remembered.
    expect([await tries('text'), await tries('summary')]).toEqual([
      [null, null, null],
      [null, null, null],
    ]);
    const view = await the().read(EVERYTHING);
    const open = { set: 'letters', inStates: ['open'], assets: ['sound', 'text'], prefix: null } as const;
    const due = (dueBy: string) =>
      [...view.candidates({ ...open, alsoOf: [], order: 'oldest', dueBy })].map((one) => [one.key, one.due]);
    expect(view.counts({ asset: 'sound', set: 'letters' }).retryAt).toBe(asked.at);
    expect([view.nextRetry(AT), view.nextRetry(asked.at), view.nextRetry(first.at)]).toEqual([
      asked.at,
      first.at,
      null,
    ]);
    expect(due('2026-01-01T00:00:04.999Z')).toEqual([
      ['a', undefined],
      ['c', undefined],
    ]);
    expect(due(asked.at)).toEqual([
      ['a', undefined],
      ['c', [true, false]],
    ]);
    await commit(ended('a', { sound: 'FAILURE' }), ended('c', { sound: 'FAILURE' }));
    await commit(ended('c', { sound: 'FAILURE' }));
    expect(await tries('sound')).toEqual([
      { failures: 2, at: '2026-01-01T00:02:00.000Z' },
      first,
      { failures: 3, at: null },
    ]);
    await commit(updated(['a'], carrying('2')));
    await commit({ type: 'keys-removed', set: 'letters', keys: ['b'], keepOut: false });
    await commit(ended('c', { sound: 'SUCCESS' }));
    expect(await tries('sound')).toEqual([null, null, null]);
    await commit(added(['b']), ended('b', { sound: 'FAILURE' }));
    const recoded = withFields('sound', { automate: 'missing', later, codeVersion: '1' });
    await commit(pipelineOf(recoded), pipelineOf(withFields('sound', { ...recoded[1]!, codeVersion: '2' })));
    expect(await tries('sound')).toEqual([null, null, null]);
    await commit(ended('a', { sound: 'FAILURE' }));
    await commit({ type: 'keys-marked', asset: 'sound', set: 'letters', keys: ['a'], as: 'missing', at: AT });
    expect(await tries('sound')).toEqual([null, null, null]);
  });

  it('make stale all that is downstream of what was made again, but not what the same run made of it', async () => {
    await commit(pipelineOf(), added(['a', 'b']));
    await commit(ended('a', allMade), ended('b', allMade));
    await commit(ended('a', { sound: 'SUCCESS' }));
    expect(await statuses()).toBe('mm um um');
    await commit(ended('a', { sound: 'SUCCESS', text: 'SUCCESS' }));
    expect(await statuses()).toBe('mm mm um');
    await commit(ended('a', { text: 'FAILURE' }));
    expect(await statuses()).toBe('mm Fm um');
    await commit(ended('a', { sound: 'SUCCESS' }));
    expect(await statuses()).toBe('mm Xm um');
    await commit(ended('a', { text: 'FAILURE' }));
    expect(await statuses()).toBe('mm Um um');
    await commit(ended('a', { text: 'SUCCESS' }));
    expect(await statuses()).toBe('mm mm um');
  });

  it('take runs in the order in which they ended, also within one commit', async () => {
    await commit(pipelineOf(), added(['a']));
    await commit(ended('a', allMade));
    const [first, second] = [ended('a', { text: 'SUCCESS' }), ended('a', { sound: 'SUCCESS' })];
    if (first.type !== 'runs-finished' || second.type !== 'runs-finished') throw new Error('no ends');
    await commit({ type: 'runs-finished', runs: [...first.runs, ...second.runs] });
    expect(await statuses()).toBe('m u u');
    await commit({ type: 'runs-finished', runs: [...second.runs, ...first.runs] });
    expect(await statuses()).toBe('m m u');
  });

  it('make stale all keys when an asset without keys is made again', async () => {
    await commit(pipelineOf(), added(['a', 'b', 'c']));
    await commit(ended('a', allMade), ended('c', { sound: 'SUCCESS' }));
    await commit(ended(null, { config: 'SUCCESS' }));
    expect(await statuses()).toBe('u.u u.. u..');
  });

  it('make stale what was made by other code; the first code version is what made all that is there', async () => {
    await commit(pipelineOf(), added(['a', 'b']));
    await commit(ended('a', allMade));
    await commit(pipelineOf(withFields('text', { codeVersion: '1' })));
    expect(await statuses()).toBe('m. m. m.');
    await commit(pipelineOf(withFields('text', { codeVersion: '2' })));
    expect(await statuses()).toBe('m. c. u.');
    await commit(ended('a', { text: 'SUCCESS', summary: 'SUCCESS' }));
    await commit(pipelineOf());
    await commit(pipelineOf(withFields('text', { codeVersion: '2' })));
    expect(await statuses()).toBe('m. m. m.');
    await commit(pipelineOf());
    await commit(pipelineOf(withFields('text', { codeVersion: '3' })));
    expect(await statuses()).toBe('m. c. u.');
  });

  it('record as stale what changed while it was made', async () => {
    await commit(pipelineOf(), added(['a']));
    await commit(ended('a', allMade, new Map([['text', 'version']])));
    expect(await statuses()).toBe('m v m');
    await commit(ended('a', { text: 'FAILURE' }, new Map([['text', 'code']])));
    expect(await statuses()).toBe('m W m');
  });

  it('skip what there is nothing to make of, until something changes', async () => {
    await commit(pipelineOf(), added(['a', 'b'], [carrying('1'), carrying('1')]));
    await commit(ended('a', allMade), ended('b', allMade));
    await commit(ended('a', { text: 'SKIPPED', summary: 'SKIPPED' }));
    expect(await statuses()).toBe('mm sm sm');
    const counts = (await the().read(EVERYTHING)).counts({ asset: 'text', set: 'letters' });
    expect(counts).toMatchObject({ total: 2, skipped: 1, materialized: 1, missing: 0 });
    await commit(ended('a', { sound: 'SUCCESS' }));
    expect(await statuses()).toBe('mm .m .m');
    await commit(ended('b', { text: 'SKIPPED' }));
    expect(await statuses()).toBe('mm .s .u');
    await commit(updated(['b'], carrying('2')));
    expect(await statuses()).toBe('mv .. .u');
  });

  it('are marked by hand', async () => {
    await commit(pipelineOf(), added(['a', 'b', 'c']));
    await commit(ended('a', allMade), ended('b', allMade));
    const mark = (as: 'materialized' | 'missing' | 'skipped', keys: readonly string[]): Promise<void> =>
      commit({ type: 'keys-marked', asset: 'text', set: 'letters', keys, as, at: AT });
    await mark('materialized', ['b', 'c']);
    expect(await statuses()).toBe('mm. mmm mu.');
    await mark('missing', ['a']);
    expect(await statuses()).toBe('mm. .mm mu.');
    await mark('skipped', ['c']);
    expect(await statuses()).toBe('mm. .ms mu.');
  });

  it('are a backlog where they were missing before the asset was automated', async () => {
    await commit(pipelineOf(), added(['a', 'b', 'c'], [carrying('1'), carrying('1'), carrying('1')]));
    await commit(ended('a', allMade));
    await commit(pipelineOf(withFields('text', { automate: 'missing' })), added(['d']));
    expect(await statuses()).toBe('m... mbb. m...');
    const view = await the().read(EVERYTHING);
    expect(view.counts({ asset: 'text', set: 'letters' })).toMatchObject({ missing: 3, backlog: 2 });
    await commit(updated(['b'], carrying('2')));
    expect(await statuses()).toBe('m... m.b. m...');
    await commit(pipelineOf(withFields('text', { automate: 'missing', takesBacklog: true })));
    expect(await statuses()).toBe('m... m... m...');
    await commit(pipelineOf());
    await commit(pipelineOf(withFields('text', { automate: 'stale' })));
    expect(await statuses()).toBe('m... mbbb m...');
  });

  it('touch the runs of others that are on their way, and take back what these had made', async () => {
    await commit(pipelineOf(), added(['a', 'b'], [carrying('1'), carrying('1')]));
    const runs = queuedRuns({ group: 'g', keys: ['a', 'b'], assets: ['sound', 'text'] });
    const { id: owner } = await the().enter();
    await commit({ type: 'executor', id: owner, slots: 2, wants: 0 }, { type: 'runs-queued', runs, owner });
    const made = [outcomeOf({ asset: 'sound', status: 'SUCCESS', version: '1' })];
    await commit({
      type: 'runs-progressed',
      runs: new Map([
        ['g-1', made],
        ['g-2', made],
      ]),
    });
    await commit(updated(['a'], carrying('2')));
    const view = await the().read(EVERYTHING);
    const touched = (id: string) => {
      const { run } = view.run(id)!;
      return [run.touched, run.done.map(({ asset }) => asset)];
    };
    const { serial } = view;
    expect(touched('g-1')).toEqual([{ sound: { version: serial }, text: { version: serial } }, []]);
    expect(touched('g-2')).toEqual([{}, ['sound']]);
    expect(await statuses()).toBe('vm .. ..');
    await commit(ended('a', { sound: 'SUCCESS' }));
    await commit(updated(['a'], carrying('1')), updated(['b'], carrying('2')));
    const after = await the().read(EVERYTHING);
    expect(['g-1', 'g-2'].map((id) => after.run(id)!.run.touched)).toEqual([
      { sound: { version: serial + 2 }, text: { version: serial + 2, upstream: serial + 1 } },
      { sound: { version: serial + 2 }, text: { version: serial + 2 } },
    ]);
  });

  it('touch runs of other code with that reason, and those downstream as of an upstream', async () => {
    await commit(pipelineOf(withFields('sound', { codeVersion: 'A' })), added(['a']));
    await commit(ended('a', allMade));
    const runs = queuedRuns({ group: 'g', keys: ['a'], assets: ['sound', 'text'] });
    await commit({ type: 'runs-queued', runs, owner: null });
    await commit(pipelineOf(withFields('sound', { codeVersion: 'B' })));
    const view = await the().read(EVERYTHING);
    const { serial } = view;
    expect(view.run('g-1')!.run.touched).toEqual({ sound: { code: serial }, text: { upstream: serial } });
  });

  it("do not touch the other runs of one owner, also where a part of their group is somebody else's", async () => {
    await commit(pipelineOf(), added(['a', 'b']));
    const { id: owner } = await the().enter();
    const sounds = queuedRuns({ group: 'g', keys: ['a', 'b'], assets: ['sound'] });
    const texts = queuedRuns({ group: 'h', keys: ['a'], assets: ['text'] });
    await commit(
      { type: 'executor', id: owner, slots: 2, wants: 0 },
      { type: 'runs-queued', runs: sounds, owner },
      { type: 'runs-queued', runs: texts, owner },
      { type: 'runs-released', ids: ['g-2'] },
    );
    const assets = [outcomeOf({ asset: 'sound', status: 'SUCCESS' })];
    const run = finishedRun({ id: 'g-1', partitionKey: 'a', status: 'SUCCESS', assets });
    await commit({ type: 'runs-finished', runs: [run] });
    expect((await the().read(EVERYTHING)).run('h-1')!.run.touched).toEqual({});
  });
}
